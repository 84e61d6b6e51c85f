"""Latency and energy of the cells of NAS-Bench-201 from the published file, ``HW-NAS-Bench-v1_0.pickle``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from awnas_benchmarks.convert.pickles import read_pickle
from awnas_benchmarks.tables.columns import Column
from awnas_benchmarks.tables.metrics import column_named, compact
from awnas_benchmarks.tables.table import Source, TableInfo, write_table
from awnas_core.errors import DataError, GenotypeError
from awnas_spaces.nasbench201 import NasBench201Space

DATASETS = {"cifar10": "cifar10", "cifar100": "cifar100", "ImageNet16-120": "imagenet16"}
METRICS = {"latency": "latency_ms", "energy": "energy_mj"}
NOT_MEASURED = -1


def convert(source: Path, target: Path) -> None:
    """Write the table of the part about NAS-Bench-201; that about FBNet is left out.

    Raises: DataError naming the metric at fault.
    """
    data = read_pickle(source)
    cells = data.get("nasbench201") if isinstance(data, dict) else None
    if not isinstance(cells, dict) or set(DATASETS) - set(cells):
        raise DataError(
            f"'{source}' has no 'nasbench201' with {', '.join(DATASETS)}: it is no file of HW-NAS-Bench"
        )
    space = NasBench201Space()
    codes = np.array(_archs(cells["cifar10"], space, source), dtype=np.int64)
    columns: list[Column] = []
    values: dict[str, Any] = {}
    for theirs, dataset in DATASETS.items():
        for name, found in cells[theirs].items():
            device, _, metric = name.rpartition("_")
            if metric in METRICS:
                column, stored = compact(
                    column_named(f"{dataset}/{METRICS[metric]}/{device}"),
                    _values(found, len(codes), f"'{source}', {theirs}, {name}"),
                )
                columns.append(column)
                values[column.name] = stored
    write_table(target, _INFO, columns, values, space.benchmark_keys(codes))


def _archs(cells: Any, space: NasBench201Space, source: Path) -> list[tuple[int, ...]]:
    try:
        return [space.parse(config["arch_str"]) for config in cells["config"]]
    except (KeyError, TypeError, GenotypeError, AttributeError) as error:
        raise DataError(f"'{source}': the configs of its cells have no genotype text: {error!r}") from error


def _values(found: Any, size: int, place: str) -> Any:
    try:
        values = np.array(found, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{place}: expected numbers: {error}") from error
    if values.shape != (size,):
        raise DataError(f"{place}: expected {size} values, got {values.shape}")
    return np.where(values == NOT_MEASURED, np.nan, values)


_INFO = TableInfo(
    name="hw-nas-bench",
    space="nasbench-201",
    summary="Latency and energy of the cells of NAS-Bench-201 on six devices; no accuracies.",
    signal="cifar10/latency_ms/edgegpu",
    report="cifar10/latency_ms/edgegpu",
    sources=(
        Source(
            what="All values",
            origin="github.com/GATECH-EIC/HW-NAS-Bench",
            licence="MIT",
            citation="Li et al., HW-NAS-Bench: Hardware-Aware Neural Architecture Search Benchmark, ICLR 2021",
        ),
    ),
)
