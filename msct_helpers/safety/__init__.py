"""Adverse events, exposure and shifts of laboratory values."""
