"""Measuring the architectures of a config into a file, from where an earlier attempt stopped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from awnas_core.errors import DataError
from awnas_core.rollout import Rollout
from awnas_hardware.machine import fingerprint
from awnas_hardware.measure import Conditions, Stopwatch, Timing
from awnas_hardware.networks import Networks
from awnas_hardware.records import Measurement, RecordFile
from awnas_hardware.vendor_logs import read_log

Progress = Callable[[int, int], None]
METRIC = "latency_ms"


def measure_into(
    path: Path,
    networks: Networks,
    rollouts: Sequence[Rollout],
    conditions: Conditions,
    *,
    rounds: int = 1,
    seed: int = 0,
    progress: Progress = lambda done, total: None,
) -> RecordFile:
    """Measure every architecture ``rounds`` times, each round over all of them before the next begins.

    Args:
        path: File of the measurements. What is in it already is not measured again.
        networks: Builds the architectures.
        rollouts: The architectures.
        conditions: How they are measured.
        rounds: How often; apart in time, so that they tell how well a measurement repeats.
        seed: Of the order in which networks take turns.
        progress: Told (done, total) after each group.

    Raises: DataError when the file holds measurements under other conditions.
    """
    shape = networks.input_shape
    header = {
        "machine": fingerprint(conditions.device),
        "conditions": conditions.to_record(),
        "input_shape": list(shape),
        "space": networks.space.fingerprint,
    }
    file = RecordFile(path, header)
    done = Counter(measurement.genotype for measurement in file.measured)
    total = rounds * len(rollouts)
    progress(sum(min(rounds, done[str(rollout.genotype)]) for rollout in rollouts), total)
    stopwatch = Stopwatch(shape, conditions, np.random.default_rng(seed))
    for number in range(1, rounds + 1):
        waiting = [rollout for rollout in rollouts if done[str(rollout.genotype)] < number]
        for begin in range(0, len(waiting), conditions.group):
            group = waiting[begin : begin + conditions.group]
            timings = stopwatch.measure([networks.module(rollout) for rollout in group])
            file.append(_measurement(*pair) for pair in zip(group, timings, strict=True))
            progress((number - 1) * len(rollouts) + len(rollouts) - len(waiting) + begin + len(group), total)
    return file


def gather_logs(
    path: Path, networks: Networks, rollouts: Sequence[Rollout], logs: Path, kind: str, device: str
) -> RecordFile:
    """Write what a vendor's profiler logged of architectures as measurements, in a new file.

    Args:
        path: File of the measurements.
        networks: Knows the primitives of the architectures.
        rollouts: What was run.
        logs: A folder in which ``<number>.txt`` or ``<number>.json`` is the log of each, counted from 0.
        kind: Whose logs they are.
        device: What to call the device.

    Raises: DataError when a log is missing or holds no times, or the file is there already.
    """
    if path.exists():
        raise DataError(f"'{path}' is there already; take another file")
    costs = [read_log(_log_of(logs, number), kind) for number in range(len(rollouts))]
    file = RecordFile(path, {"machine": {"processor": device}, "space": networks.space.fingerprint})
    file.append(
        Measurement(
            str(rollout.genotype),
            {METRIC: cost},
            tuple((name, runs, None) for name, runs in networks.primitives(rollout).items()),
        )
        for rollout, cost in zip(rollouts, costs, strict=True)
    )
    return file


def _log_of(folder: Path, number: int) -> Path:
    found = [path for suffix in ("txt", "json") if (path := folder / f"{number}.{suffix}").is_file()]
    if len(found) != 1:
        raise DataError(
            f"'{folder}' must hold one log of architecture {number}, {number}.txt or {number}.json"
        )
    return found[0]


def covering(networks: Networks, candidates: Sequence[Rollout]) -> tuple[list[Rollout], dict[str, float]]:
    """Return few of ``candidates`` that together run every primitive which any of them runs, and those primitives.

    The next one taken is always the one with the most primitives not seen yet.
    """
    primitives = [set(networks.primitives(rollout)) for rollout in candidates]
    missing: set[str] = set().union(*primitives)
    everything = Counter(name for own in primitives for name in own)
    chosen: list[Rollout] = []
    while missing:
        best = max(range(len(candidates)), key=lambda index: len(primitives[index] & missing))
        chosen.append(candidates[best])
        missing -= primitives[best]
    return chosen, {name: everything[name] / len(candidates) for name in sorted(everything)}


def _measurement(rollout: Rollout, timing: Timing) -> Measurement:
    whole = timing.whole
    details = {"low": whole.low, "high": whole.high, "passes": whole.passes}
    parts = tuple((name, float(runs), spent) for name, runs, spent in timing.parts)
    return Measurement(str(rollout.genotype), {METRIC: whole.median}, parts, details)
