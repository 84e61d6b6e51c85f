"""Measuring: what is timed, what is written, and how an interrupted measurement goes on."""

from __future__ import annotations

import time

import numpy as np
import pytest
from torch import nn

from awnas_core.errors import ConfigError, DataError
from awnas_hardware.measure import Conditions, Stopwatch, Summary
from awnas_hardware.records import Measurement, RecordFile, read_records, sample_of

HEADER = {"machine": {"processor": "toy"}, "conditions": {"threads": 1}}


class Sleeper(nn.Module):
    def __init__(self, seconds):
        super().__init__()
        self.seconds = seconds

    def forward(self, inputs):
        time.sleep(self.seconds)
        return inputs


def stopwatch(**conditions):
    given = Conditions(**{"passes": 5, "warm_up": 1, **conditions})
    return Stopwatch((3, 8, 8), given, np.random.default_rng(0))


def test_a_network_takes_as_long_as_it_sleeps():
    slow, fast = stopwatch().measure([Sleeper(0.02), Sleeper(0.004)])
    assert slow.whole.median >= 20
    assert 4 <= fast.whole.median < slow.whole.median


def test_the_clock_of_the_thread_does_not_see_it_wait():
    (timing,) = stopwatch(clock="cpu").measure([Sleeper(0.02)])
    assert timing.whole.median < 10


def test_every_layer_is_timed_inside_its_network():
    shared = nn.ReLU()
    network = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), shared, Sleeper(0.01), shared)
    (timing,) = stopwatch().measure([network])
    parts = {name: (runs, spent) for name, runs, spent in timing.parts}
    assert {name: runs for name, (runs, _) in parts.items()} == {
        "conv2d(3x8x8->4x8x8,k=3)": 1,
        "relu(4x8x8)": 2,
        "sleeper(4x8x8)": 1,
    }
    assert parts["sleeper(4x8x8)"][1] >= 10
    assert all(spent > 0 for _, spent in parts.values())
    assert not network[0]._forward_hooks


def test_measuring_stops_when_the_median_is_known():
    (sure,) = stopwatch(passes=60, precision=10.0).measure([Sleeper(0.001)])
    (unsure,) = stopwatch(passes=20, precision=0.0).measure([Sleeper(0.001)])
    assert (sure.whole.passes, unsure.whole.passes) == (10, 20)


def test_the_interval_of_a_median_holds_it_nineteen_times_in_twenty():
    rng = np.random.default_rng(0)
    summaries = [Summary.of(rng.exponential(1.0, 60).tolist()) for _ in range(2000)]
    held = np.mean([s.low <= np.log(2) <= s.high for s in summaries])
    assert 0.94 <= held <= 0.98


@pytest.mark.parametrize("wrong", [{"threads": 0}, {"batch_size": 0}, {"clock": "cpu", "threads": 2}])
def test_impossible_conditions_are_refused(wrong):
    with pytest.raises(ConfigError):
        Conditions(**wrong)


def measurement(genotype, cost, parts=(("a(8)", 2.0, 1.0),)):
    return Measurement(genotype, {"latency_ms": cost}, tuple(parts))


def test_a_file_goes_on_after_a_kill_without_its_last_half_line(tmp_path):
    path = tmp_path / "r.jsonl"
    RecordFile(path, HEADER).append([measurement("x", 1.0), measurement("y", 2.0)])
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"last line .* is cut"):
        read_records(path)
    file = RecordFile(path, HEADER)
    assert [m.genotype for m in file.measured] == ["x"]
    file.append([measurement("y", 2.0)])
    assert read_records(path)[1] == [measurement("x", 1.0), measurement("y", 2.0)]


def test_measurements_under_other_conditions_are_not_mixed(tmp_path):
    RecordFile(tmp_path / "r.jsonl", HEADER)
    with pytest.raises(DataError, match=r"conditions \{'threads': 1\} there, \{'threads': 2\} here"):
        RecordFile(tmp_path / "r.jsonl", HEADER | {"conditions": {"threads": 2}})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "holds no measurements"),
        ("{}\n", "holds no measurements"),
        ("[]\n", "line 1: expected an object"),
        ('{"format": "awnas-measurements", "version": 9}\n', "is of version 9"),
        ('{"format": "awnas-measurements", "version": 1}\n{"genotype": "x"}\n', "line 2: no measurement"),
        (
            '{"format": "awnas-measurements", "version": 1}\n{"genotype": "x", "costs": {"ms": -1}, "parts": []}\n',
            "above 0 and finite",
        ),
        ('{"format": "awnas-measurements", "version": 1}\nnot json\n', "line 2: no JSON"),
    ],
)
def test_what_is_no_measurement_is_refused(tmp_path, content, message):
    (tmp_path / "r.jsonl").write_text(content)
    with pytest.raises(DataError, match=message):
        read_records(tmp_path / "r.jsonl")


def test_several_measurements_of_a_network_are_averaged():
    vocabulary, sample = sample_of(
        [
            measurement("x", 1.0, [("a(8)", 2.0, 1.0)]),
            measurement("y", 5.0, [("b(8)", 1.0, None)]),
            measurement("x", 2.0, [("a(8)", 2.0, 3.0)]),
        ],
        "latency_ms",
    )
    assert vocabulary.names == ("a(8)", "b(8)")
    assert sample.costs.tolist() == [1.5, 5.0]
    assert sample.counts.tolist() == [[2, 0], [0, 1]]
    assert sample.parts[0] == 1.0  # the median of .5 and 1.5
    assert np.isnan(sample.parts[1])


def test_a_cost_that_was_not_measured_is_refused():
    with pytest.raises(DataError, match="'energy_mj' was not measured, only latency_ms"):
        sample_of([measurement("x", 1.0)], "energy_mj")
