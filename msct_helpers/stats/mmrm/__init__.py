"""Mixed models for repeated measures with Kenward-Roger inference."""
