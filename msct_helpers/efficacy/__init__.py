"""Change from baseline of the efficacy endpoints, its inference, and the missing."""
