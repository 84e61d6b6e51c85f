"""Predictors that a config can name."""
