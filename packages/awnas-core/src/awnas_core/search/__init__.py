"""The search loop, the final choice, and the ranking of several goals."""
