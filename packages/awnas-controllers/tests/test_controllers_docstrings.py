"""The examples in docstrings run."""

import doctest
import importlib

import pytest

MODULES = ("evolution.evo", "evolution.pareto_evo", "evolution.cars", "simulated_annealing", "local_search")


@pytest.mark.parametrize("name", MODULES)
def test_examples_run_as_written(name):
    result = doctest.testmod(importlib.import_module(f"awnas_controllers.{name}"))
    assert result.attempted > 0
    assert result.failed == 0
