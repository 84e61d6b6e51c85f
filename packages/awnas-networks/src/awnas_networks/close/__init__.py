"""CLOSE: shared weights that are shared less and less."""
