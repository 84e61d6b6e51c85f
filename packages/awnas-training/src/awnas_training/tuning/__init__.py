"""Evaluation by training candidates for real, no longer than they deserve."""
