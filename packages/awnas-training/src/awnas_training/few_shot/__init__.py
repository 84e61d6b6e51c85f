"""Learning to learn from few examples: tasks, weights that adapt to them, and the trainer of both."""
