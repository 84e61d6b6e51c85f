"""Predictors of architectures: encodings, embedders, heads and forests."""
