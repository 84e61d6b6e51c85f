"""The scripts of benchmarks/ run, and what they compare is the same thing twice."""

import importlib.util
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(autouse=True)
def beside_the_scripts(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)


def script(name):
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", BENCHMARKS / f"{name}.py")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_candidates_compute_what_a_plain_network_does(capsys):
    supernet = script("supernet")
    times, difference = supernet.measure(rounds=5, size=8)
    assert difference["double"] <= supernet.TOLERANCE
    assert difference["single"] <= 10 * supernet.TOLERANCE
    supernet.report(times, difference)
    assert "candidate / plain" in capsys.readouterr().out


@pytest.mark.parametrize("case", ["DARTS", "PC-DARTS", "final"])
def test_relaxed_candidates_and_final_models_compute_what_plain_networks_do(case):
    benchmark = script("diff_supernet")
    _, difference = benchmark.measure(case, rounds=0, size=8)
    assert difference <= benchmark.TOLERANCE


def test_architectures_that_nobody_keeps_cost_no_memory():
    spaces = script("spaces")
    for name in ("cnn", "nb301"):
        before, after = spaces.memory_over(spaces.SPACES[name], 100_000)  # some 150 MB, were they kept
        assert after - before < 5
