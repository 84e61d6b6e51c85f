"""A run on disk: directory, checkpoints, generators, events."""
