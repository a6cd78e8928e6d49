"""Estimators and scores that know nothing of any trial."""
