"""Evaluators that predict instead of measuring."""
