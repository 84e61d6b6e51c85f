"""The toys keep the contracts of the test kit."""

from awnas_core.testing import ControllerContract, EvaluatorContract, SearchSpaceContract
from awnas_core.testing.toys import ToySpace


class TestToySpace(SearchSpaceContract):
    component = "toy"


class TestToySpaceOfOtherSize(SearchSpaceContract):
    component = ToySpace
    cfg = {"num_decisions": 9, "num_choices": 2}


class TestToyController(ControllerContract):
    component = "toy"


class TestToyEvaluator(EvaluatorContract):
    component = "toy"
    cfg = {"noise": 0.1, "fail_every": 4}
