"""Logs of vendors: every form that there is, and the cases in which an outlier filter is left with nothing."""

from __future__ import annotations

import json

import pytest

from awnas_core.errors import DataError
from awnas_hardware.vendor_logs import read_log, typical

OLD = "".join(
    f"[05/10/2021-10:00:0{i}] [I] Average on 10 runs - GPU latency: {time} ms - Host latency: 9.9 ms (enqueue 9.9 ms)\n"
    for i, time in enumerate([1.25, 1.25, 1.75])
)
NEW = (
    "[01/02/2024-10:00:00] [I] Latency: min = 1.1 ms, max = 9 ms, mean = 2 ms, median = 1.6 ms, percentile(90%) = 3\n"
    "[01/02/2024-10:00:00] [I] GPU Compute Time: min = 0.9 ms, max = 8 ms, mean = 1.7 ms, median = 1.375 ms, "
    "percentile(90%) = 2 ms\n"
)
TIMES = json.dumps([{"startInMs": 0, "computeMs": time, "latencyMs": 7} for time in (1.0, 1.0, 3.0)])
PROFILE = json.dumps(
    [
        {"count": 500},
        {"name": "conv1 + relu", "averageMs": 0.75},
        {"name": "fc", "averageMs": 0.5, "percentage": 40},
    ]
)
DPU = "header\n------\nname workload mem ms mops\nconv1 1 2 0.5 9\nconv2 1 2 0.75 9\n------\ntotal\nend\n"


@pytest.mark.parametrize(
    ("kind", "text", "milliseconds"),
    [
        ("trtexec", OLD, 1.25),
        ("trtexec", NEW, 1.375),
        ("trtexec", TIMES, 1.0),
        ("trtexec", PROFILE, 1.25),
        ("dpu", DPU, 1.25),
    ],
)
def test_every_form_of_log_is_read(tmp_path, kind, text, milliseconds):
    (tmp_path / "log").write_text(text)
    assert read_log(tmp_path / "log", kind) == pytest.approx(milliseconds)


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([2.0], 2.0),
        ([2.0] * 50, 2.0),
        ([2.0, 3.0], 2.5),
        ([1.0] * 30 + [2.0] * 30, 1.5),
        ([1.0, 1.01, 0.99, 1.02, 0.98, 40.0], 1.0),
    ],
    ids=["one", "constant", "two values", "bimodal", "outlier"],
)
def test_something_is_always_left_when_outliers_are_gone(times, expected):
    assert typical(times) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("trtexec", "", "is empty"),
        ("trtexec", "&&&& FAILED TensorRT.trtexec\n", "no times are in it"),
        ("trtexec", "[{]", "is no log of trtexec"),
        ("trtexec", '[{"computeMs": -1}]', "takes -1.0 ms"),
        ("trtexec", '[{"name": "conv"}]', "is no log of trtexec"),
        ("dpu", "a\nb\nc\nd\ne\nf\n", "no layers are in it"),
        ("dpu", "1\n2\n3\nconv1 1 2 fast\n4\n5\n6\n", "is no log of dpu"),
        ("tensorrt", NEW, "no logs of 'tensorrt' are known"),
    ],
)
def test_what_holds_no_times_is_refused(tmp_path, kind, text, message):
    (tmp_path / "log").write_text(text)
    with pytest.raises(DataError, match=message):
        read_log(tmp_path / "log", kind)
