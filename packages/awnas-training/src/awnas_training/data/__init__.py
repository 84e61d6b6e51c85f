"""``awnas data``: fetching, preparing and checking the files of data sets."""
