"""What awnas-predictors adds to awnas: nothing to name in a config yet; it is used as a library."""

awnas_api = 1
