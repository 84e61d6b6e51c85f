"""The table of NAS-Bench-101 from its published file, ``nasbench_full.tfrecord`` or ``nasbench_only108.tfrecord``."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from awnas_benchmarks.convert.protobuf import fields
from awnas_benchmarks.convert.tfrecord import read_records
from awnas_benchmarks.tables.columns import Column
from awnas_benchmarks.tables.metrics import column_named, compact
from awnas_benchmarks.tables.table import Source, TableInfo, write_table
from awnas_core.errors import DataError
from awnas_spaces.nasbench101 import HASH_LABELS, OPERATIONS
from awnas_spaces.nasbench101_graph import graph_hash

RUNS = 3
SECONDS = "train_seconds"
METRICS = {2: SECONDS, 3: "train_accuracy", 4: "valid_accuracy", 5: "test_accuracy"}
"""Field of ``EvaluationData`` → metric."""
CHECKED = 500
"""Cells whose hash is worked out again, to see that our hash and the file's are the same."""
IMAGES = 10_000  # of which each accuracy is a share; the file rounds to float32


@dataclass(frozen=True, slots=True)
class Training:
    """One record: one training of one cell.

    Args:
        hash: The cell's hash.
        epochs: Length of the training.
        adjacency: The matrix, row by row, as 0 and 1.
        operations: Names, input and output included.
        params: Trainable parameters.
        metrics: Metric → (half-way value, final value).
    """

    hash: str
    epochs: int
    adjacency: str
    operations: tuple[str, ...]
    params: int
    metrics: dict[str, tuple[float, float]]


class _Budget:
    """All trainings of one length, by row; room grows as cells come."""

    def __init__(self) -> None:
        self._counts = np.zeros(1024, dtype=np.int64)
        self._values = np.full((1024, RUNS, len(METRICS), 2), np.nan, dtype=np.float32)

    def add(self, row: int, metrics: Mapping[str, tuple[float, float]]) -> None:
        if row >= len(self._counts):
            self._counts = np.concatenate([self._counts, np.zeros_like(self._counts)])
            self._values = np.concatenate([self._values, np.full_like(self._values, np.nan)])
        if self._counts[row] == RUNS:
            raise ValueError(f"a cell has more than {RUNS} trainings of one length")
        self._values[row, self._counts[row]] = [metrics[name] for name in METRICS.values()]
        self._counts[row] += 1

    def values(self, metric: str, size: int) -> npt.NDArray[np.float64]:
        """Return a metric of all rows, shape ``(size, runs, 2)``: half-way and at the end."""
        place = list(METRICS.values()).index(metric)
        return self._values[:size, :, place].astype(np.float64)


def convert(source: Path, target: Path) -> None:
    """Write the table.

    Raises: DataError naming the record at fault.
    """
    rows: dict[str, int] = {}
    params: list[int] = []
    budgets: dict[int, _Budget] = {}
    for number, content in enumerate(read_records(source)):
        try:
            training = parse_record(content)
            row = rows.setdefault(training.hash, len(rows))
            if row == len(params):
                params.append(training.params)
                if row < CHECKED:
                    _check_hash(training)
            budgets.setdefault(training.epochs, _Budget()).add(row, training.metrics)
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"'{source}', record {number}: not of NAS-Bench-101: {error}") from error
    if not rows:
        raise DataError(f"'{source}' holds no record")
    _write(target, rows, params, budgets)


def parse_record(content: bytes) -> Training:
    """Read one record: JSON of hash, epochs, adjacency, operations, and metrics as a base64 protocol buffer.

    Raises: ValueError saying what is wrong.
    """
    record = json.loads(content)
    if not isinstance(record, list) or [type(part) for part in record] != [str, int, str, str, str]:
        raise ValueError("expected [hash, epochs, adjacency, operations, metrics]")
    cell_hash, epochs, adjacency, operations, raw = record
    params, evaluations = 0, []
    for number, value in fields(base64.b64decode(raw, validate=True)):
        if number == 1 and isinstance(value, bytes):
            evaluations.append(dict(fields(value)))
        elif number == 2:
            params = int(value)
    if len(evaluations) != 3:
        raise ValueError(
            f"expected evaluations at the start, half-way and at the end, got {len(evaluations)}"
        )
    _, half, end = evaluations
    metrics = {name: (float(half[field]), float(end[field])) for field, name in METRICS.items()}
    return Training(cell_hash, epochs, adjacency, tuple(operations.split(",")), params, metrics)


def _check_hash(training: Training) -> None:
    size = len(training.operations)
    if len(training.adjacency) != size**2 or set(training.adjacency) - set("01"):
        raise ValueError(f"{size} operations need {size**2} entries of the matrix, each 0 or 1")
    matrix = np.array([entry == "1" for entry in training.adjacency]).reshape(size, size)
    labels = [HASH_LABELS[OPERATIONS.index(name)] for name in training.operations[1:-1]]
    if graph_hash(matrix, [-1, *labels, -2]) != training.hash:
        raise ValueError("the cell does not have the hash that stands with it; the file is damaged")


def _write(target: Path, rows: Mapping[str, int], params: list[int], budgets: Mapping[int, _Budget]) -> None:
    column, stored = compact(column_named("cifar10/params"), np.array(params, dtype=np.float64))
    columns, values = [column], {column.name: stored}
    for epochs, budget in sorted(budgets.items()):
        for metric in METRICS.values():
            found = budget.values(metric, len(rows))
            if metric.endswith("accuracy"):
                found = np.rint(found * IMAGES) / IMAGES
            column, values_of = compact(_column(metric, epochs), found)
            columns.append(column)
            values[column.name] = values_of
    keys = np.array([int(cell_hash[:16], 16) for cell_hash in rows], dtype=np.uint64)
    write_table(target, _info(len(rows), sorted(budgets)), columns, values, keys)


def _column(metric: str, epochs: int) -> Column:
    return replace(
        column_named(f"cifar10/{metric}@{epochs}"),
        runs=tuple(range(RUNS)),
        curve=(epochs // 2, epochs),
        cost=None if metric == SECONDS else f"cifar10/{SECONDS}@{epochs}",
    )


def _info(size: int, budgets: list[int]) -> TableInfo:
    return TableInfo(
        name="nasbench-101",
        space="nasbench-101",
        summary=f"{size:,} cells on CIFAR-10, trained for {', '.join(map(str, budgets))} epochs.",
        signal=f"cifar10/valid_accuracy@{budgets[-1]}",
        report=f"cifar10/test_accuracy@{budgets[-1]}",
        sources=(
            Source(
                what="All values",
                origin="github.com/google-research/nasbench",
                licence="Apache-2.0",
                citation="Ying et al., NAS-Bench-101: Towards Reproducible Neural Architecture Search, ICML 2019",
            ),
        ),
    )
