"""The next trial: how many patients would decide."""
