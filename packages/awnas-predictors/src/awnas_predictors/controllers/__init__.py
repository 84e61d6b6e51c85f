"""Controllers that search with a predictor."""
