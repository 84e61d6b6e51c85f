"""The data set that needs no download keeps the contract of the test kit."""

from awnas_core.testing import DatasetContract


class TestDigits(DatasetContract):
    component = "digits"
