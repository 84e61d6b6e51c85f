"""Data sets, objectives, evaluators and final training for awnas."""
