"""The table of NAS-Bench-201 from the files of NATS-Bench (topology space) or of NAS-Bench-201 itself.

Both hold, for every cell and each of two lengths of training, every training on four sets of data: ``cifar10-valid``
(half of CIFAR-10, to validate on the other), ``cifar10``, ``cifar100`` and ``ImageNet16-120``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from awnas_benchmarks.convert.gather import Gathered
from awnas_benchmarks.convert.pickles import read_pickle, read_torch
from awnas_benchmarks.tables.table import Source, TableInfo, write_table
from awnas_core.errors import DataError, GenotypeError
from awnas_spaces.nasbench201 import NasBench201Space

LENGTHS = {"12": 12, "200": 200, "less": 12, "full": 200}
"""Key in the file → epochs; the older files say ``less`` and ``full``."""
SPLITS = {
    "cifar10-valid": ("cifar10", {"train": "partial_train", "x-valid": "valid", "ori-test": "partial_test"}),
    "cifar10": ("cifar10", {"train": "train", "ori-test": "test"}),
    "cifar100": ("cifar100", {"train": "train", "x-valid": "valid", "x-test": "test"}),
    "ImageNet16-120": ("imagenet16", {"train": "train", "x-valid": "valid", "x-test": "test"}),
}
"""Data in the file → (data set, set → what we call it). ``partial``: trained on half of the images."""
CLASSES = {"cifar10": 10, "cifar100": 100, "imagenet16": 120}
META = "meta.pickle.pbz2"

Cell = Mapping[str, Any]
"""Length of training → what is known of it."""


def convert(source: Path, target: Path, *, curves: bool = False) -> None:
    """Write the table.

    Args:
        source: ``NATS-tss-v1_0-3ffb9.pickle.pbz2``, the folder ``NATS-tss-v1_0-3ffb9-simple`` (which needs far less
            memory), or ``NAS-Bench-201-v1_*.pth``.
        target: The table to write.
        curves: Keep every epoch, not only the last one of each training.

    Raises: DataError naming the cell at fault.
    """
    texts, cells = _opened(source)
    space = NasBench201Space()
    try:
        codes = np.array([space.parse(text) for text in texts], dtype=np.int64)
    except (GenotypeError, AttributeError) as error:
        raise DataError(f"'{source}': {error}") from error
    gathered = Gathered(len(texts))
    for index, cell in cells:
        try:
            _add_cell(gathered, index, cell, curves)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise DataError(f"'{source}', cell {index}: not of NAS-Bench-201: {error!r}") from error
    columns, values = gathered.finish(_costs())
    write_table(target, _info(len(texts)), columns, values, space.benchmark_keys(codes))


def _opened(source: Path) -> tuple[list[str], Iterator[tuple[int, Cell]]]:
    """Return the texts of all cells, by number, and the cells that the file knows."""
    if source.is_dir():
        texts = _meta(read_pickle(source / META), source)
        files = ((index, source / f"{index:06d}.pickle.pbz2") for index in range(len(texts)))
        return texts, ((index, read_pickle(path)) for index, path in files if path.is_file())
    data = read_torch(source) if source.suffix == ".pth" else read_pickle(source)
    texts = _meta(data, source)
    cells = data.get("arch2infos")
    if not isinstance(cells, dict):
        raise DataError(f"'{source}' has no 'arch2infos': it is no file of NAS-Bench-201")
    return texts, iter(sorted(cells.items()))


def _meta(data: Any, source: Path) -> list[str]:
    texts = data.get("meta_archs") if isinstance(data, dict) else None
    if not isinstance(texts, list) or not texts:
        raise DataError(f"'{source}' has no 'meta_archs': it is no file of NAS-Bench-201")
    return texts


def _add_cell(gathered: Gathered, index: int, cell: Cell, curves: bool) -> None:
    for key, facts in cell.items():
        for (data, seed), training in facts["all_results"].items():
            dataset, sets = SPLITS[data]
            _add_training(gathered, index, dataset, sets, LENGTHS[key], int(seed), training, curves)


def _add_training(
    gathered: Gathered,
    index: int,
    dataset: str,
    sets: Mapping[str, str],
    epochs: int,
    seed: int,
    training: Mapping[str, Any],
    curves: bool,
) -> None:
    kept = tuple(range(1, epochs + 1)) if curves else (epochs,)
    curve = kept if curves else ()
    seconds = _elapsed(training["train_times"], epochs)
    for name, ours in sets.items():
        losses, accuracies, times = _of_set(training, name, epochs)
        spent = seconds + (0 if name == "train" else times)  # a validation after the last epoch trained
        for metric, series in (("accuracy", accuracies / 100), ("loss", losses), ("seconds", spent)):
            values = [series[epoch - 1] for epoch in kept]
            gathered.put_run(f"{dataset}/{ours}_{metric}@{epochs}", index, seed, values, curve)
    gathered.put(f"{dataset}/params", index, round(training["params"] * 1e6))
    gathered.put(f"{dataset}/macs", index, round(training["flop"] * 1e6) - CLASSES[dataset])
    if training.get("latency"):
        gathered.put(f"{dataset}/latency_ms/gpu", index, 1000 * float(np.mean(training["latency"])))


def _of_set(training: Mapping[str, Any], name: str, epochs: int) -> tuple[Any, Any, Any]:
    """Return losses, accuracies and seconds of a validation at each epoch, NaN where there is none."""
    if name == "train":
        return _series(training["train_losses"], epochs), _series(training["train_acc1es"], epochs), 0.0
    keys = {f"{name}@{epoch}": epoch for epoch in range(epochs)}
    parts = (training["eval_losses"], training["eval_acc1es"], training["eval_times"])
    losses, accuracies, times = (
        _series({keys[key]: value for key, value in part.items() if key in keys}, epochs) for part in parts
    )
    return losses, accuracies, times


def _series(by_epoch: Mapping[int, float], epochs: int) -> Any:
    series = np.full(epochs, np.nan)
    for epoch, value in by_epoch.items():
        series[epoch] = value
    return series


def _elapsed(times: Mapping[int, float] | None, epochs: int) -> Any:
    """Return the seconds of training up to each epoch."""
    return np.full(epochs, np.nan) if times is None else np.cumsum(_series(times, epochs))


def _costs() -> dict[str, str]:
    """Return for each column of accuracy or loss the seconds that it takes to know it."""
    return {
        f"{dataset}/{ours}_{metric}@{epochs}": f"{dataset}/{ours}_seconds@{epochs}"
        for dataset, sets in SPLITS.values()
        for ours in sets.values()
        for metric in ("accuracy", "loss")
        for epochs in (12, 200)
    }


def _info(size: int) -> TableInfo:
    return TableInfo(
        name="nasbench-201",
        space="nasbench-201",
        summary=f"{size:,} cells on three data sets, trained for 12 and for 200 epochs.",
        signal="cifar10/valid_accuracy@12",
        report="cifar10/test_accuracy@200",
        sources=(
            Source(
                what="All values",
                origin="github.com/D-X-Y/NATS-Bench",
                licence="MIT",
                citation="Dong et al., NATS-Bench: Benchmarking NAS Algorithms for Architecture Topology and Size, "
                "TPAMI 2021",
            ),
        ),
    )
