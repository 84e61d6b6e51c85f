"""The controller ``rejection-sample``, and what rejects."""
