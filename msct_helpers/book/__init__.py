"""What every chapter speaks with: sentences, tables, figures, and the gate for text of data."""
