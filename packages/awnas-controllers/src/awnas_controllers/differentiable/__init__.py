"""Gradient-based search: continuous decisions that learn from gradients of the loss."""
