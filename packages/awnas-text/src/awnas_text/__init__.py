"""Recurrent cells for language models."""
