"""Measurements as a file of JSON lines: what was measured where, then one line for each network.

Lines are added as networks are measured, so that a measurement that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from awnas_core.errors import DataError
from awnas_core.run.files import write_atomically
from awnas_hardware.models.base import Sample
from awnas_hardware.vocabulary import Vocabulary

FORMAT = "awnas-measurements"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Measurement:
    """One network, measured once.

    Args:
        genotype: Its architecture.
        costs: Metric → value, ``{"latency_ms": 3.4}``.
        parts: (primitive, runs, cost of all these runs together); the cost is None where only the whole was measured.
        details: How sure the costs are: intervals, passes.
    """

    genotype: str
    costs: dict[str, float]
    parts: tuple[tuple[str, float, float | None], ...] = ()
    details: dict[str, Any] | None = None

    @property
    def primitives(self) -> dict[str, float]:
        """Primitive → runs."""
        counts: dict[str, float] = {}
        for name, runs, _ in self.parts:
            counts[name] = counts.get(name, 0.0) + runs
        return counts

    def to_record(self) -> dict[str, Any]:
        """Return the measurement as JSON data."""
        return {"genotype": self.genotype, "costs": self.costs, "parts": self.parts, "details": self.details}

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Measurement:
        """Return the measurement that JSON data describe.

        Raises: ValueError, KeyError or TypeError when they describe something else.
        """
        costs = {str(name): float(value) for name, value in record["costs"].items()}
        if not all(np.isfinite(value) and value > 0 for value in costs.values()):
            raise ValueError(f"costs must be above 0 and finite, got {costs}")
        parts = tuple(
            (str(name), float(runs), None if cost is None else float(cost))
            for name, runs, cost in record["parts"]
        )
        return cls(str(record["genotype"]), costs, parts, record.get("details"))


class RecordFile:
    """A file of measurements that grows.

    Args:
        path: The file.
        header: What the measurements have in common: device, conditions, space.
    """

    def __init__(self, path: Path, header: dict[str, Any]) -> None:
        self.path = path
        self.measured: list[Measurement] = []
        if path.exists():
            _mend(path)
            found, self.measured = read_records(path)
            differing = [name for name in header if found.get(name) != header[name]]
            if differing:
                what = ", ".join(f"{name} {found.get(name)} there, {header[name]} here" for name in differing)
                raise DataError(f"'{path}' holds other measurements: {what}; take another file")
            return
        first = {"format": FORMAT, "version": VERSION, **header}
        write_atomically(path, (json.dumps(first) + "\n").encode())

    def append(self, measurements: Iterable[Measurement]) -> None:
        """Add measurements; they are on the disk when this returns."""
        added = list(measurements)
        with self.path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(measurement.to_record()) + "\n" for measurement in added)
            file.flush()
            os.fsync(file.fileno())
        self.measured += added


def read_records(path: Path) -> tuple[dict[str, Any], list[Measurement]]:
    """Return the header of a file of measurements, and the measurements.

    Raises: DataError when it is missing, cut, of a newer version, or something else; the line is named.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read the measurements '{path}': {error}") from error
    lines = text.splitlines()
    header = _line(path, 1, lines[0]) if lines else {}
    if header.get("format") != FORMAT:
        raise DataError(f"'{path}' holds no measurements; awnas hw measure writes them")
    if header.get("version") != VERSION:
        raise DataError(
            f"'{path}' is of version {header.get('version')}, this awnas-hardware reads version {VERSION}"
        )
    if not text.endswith("\n"):
        raise DataError(
            f"the last line of '{path}' is cut; the command that wrote it goes on from there when it is run again"
        )
    measurements = []
    for number, line in enumerate(lines[1:], 2):
        try:
            measurements.append(Measurement.from_record(_line(path, number, line)))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DataError(f"'{path}', line {number}: no measurement: {error}") from error
    return header, measurements


def sample_of(measurements: Sequence[Measurement], metric: str) -> tuple[Vocabulary, Sample]:
    """Return networks as a sample to fit a model on; several measurements of one network become their mean.

    Raises: DataError when there is none, or one lacks the metric or its primitives.
    """
    if not measurements:
        raise DataError("there are no measurements to fit a model on; awnas hw measure makes them")
    for measurement in measurements:
        if metric not in measurement.costs:
            known = ", ".join(measurement.costs)
            raise DataError(f"{measurement.genotype}: '{metric}' was not measured, only {known}")
        if not measurement.parts:
            raise DataError(f"{measurement.genotype}: the measurement does not say which primitives it has")
    networks: dict[str, list[Measurement]] = {}
    for measurement in measurements:
        networks.setdefault(measurement.genotype, []).append(measurement)
    counts = [group[0].primitives for group in networks.values()]
    vocabulary = Vocabulary.of(counts)
    costs = np.array([np.mean([m.costs[metric] for m in group]) for group in networks.values()])
    parts = _parts(measurements, vocabulary)
    return vocabulary, Sample.of(vocabulary, counts, costs, parts=parts)


def _parts(measurements: Iterable[Measurement], vocabulary: Vocabulary) -> Any:
    """Return the median cost of one run of every primitive, NaN where it was never measured by itself."""
    seen: dict[str, list[float]] = {}
    for measurement in measurements:
        for name, runs, cost in measurement.parts:
            if cost is not None:
                seen.setdefault(name, []).append(cost / runs)
    return np.array([np.median(seen[name]) if name in seen else np.nan for name in vocabulary.names])


def _mend(path: Path) -> None:
    """Take away a last line that was cut when its writer was killed."""
    content = path.read_bytes()
    if content and not content.endswith(b"\n"):
        write_atomically(path, content[: content.rfind(b"\n") + 1])


def _line(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise DataError(f"'{path}', line {number}: no JSON: {error}") from error
    if not isinstance(record, dict):
        raise DataError(f"'{path}', line {number}: expected an object, got {type(record).__name__}")
    return record
