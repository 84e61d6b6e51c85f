"""A device from ten or twenty measurements: NAS-Bench-201 latencies, each device left out in turn.

    python benchmarks/transfer.py --data FOLDER

FOLDER holds ``nb201_latency.csv.gz`` of HELP (Lee et al., NeurIPS 2021) and ``hw_cifar10.csv.gz`` of HW-NAS-Bench,
whose rows are the same architectures. A device is left out with all its batch sizes. Beside the transfer stands ridge
regression on four counts of operations, on the same number of measurements of random architectures.
"""

from __future__ import annotations

import argparse
import csv
import gzip
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from awnas_hardware.models.base import Matrix
from awnas_hardware.published import published_space
from awnas_hardware.transfer import Transfer
from awnas_hardware.vocabulary import Vocabulary

ANALYTIC = ("fpga",)
BATCHES = ("1", "32", "256")


def read(folder: Path) -> tuple[list[str], list[str], Matrix]:
    """Return genotypes, devices, and latencies ``(n, m)``."""
    with gzip.open(next(folder.rglob("hw_cifar10.csv.gz")), "rt", encoding="utf-8") as lines:
        genotypes = [row["arch_str"] for row in csv.DictReader(lines)]
    with gzip.open(next(folder.rglob("nb201_latency.csv.gz")), "rt", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    devices = [name for name in rows[0] if name != "idx"]
    return genotypes, devices, np.array([[float(row[name]) for name in devices] for row in rows])


def family(device: str) -> str:
    """Return a device without its batch size."""
    name, _, batch = device.rpartition("_")
    return name if batch in BATCHES else device


def ridge(counts: Matrix, rows: Matrix, costs: Matrix) -> Matrix:
    """Return the predictions of ridge regression for every architecture."""
    centred = counts - counts[rows].mean(0)
    gram = centred[rows].T @ centred[rows] + np.eye(counts.shape[1])
    return np.asarray(centred @ np.linalg.solve(gram, centred[rows].T @ (costs - costs.mean())))


def study(folder: Path, sizes: list[int], draws: int) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield (device, figure → Spearman's rank correlation over all architectures)."""
    genotypes, devices, latencies = read(folder)
    space = published_space("nasbench-201")
    networks = [space.primitives(genotype) for genotype in genotypes]
    vocabulary = Vocabulary.of(networks)
    parts = vocabulary.matrix(networks)
    of_kind = np.array(
        [[space.kind(name) == kind for kind in space.operations[1:]] for name in vocabulary.names]
    )
    kinds = parts @ of_kind
    for column, device in enumerate(devices):
        if device in ANALYTIC:
            continue
        costs = latencies[:, column]
        others = [i for i, name in enumerate(devices) if family(name) != family(device)]
        transfer = Transfer.of(latencies[:, others], parts, kinds)
        rng = np.random.default_rng(column)
        figures: dict[str, float] = {}
        for n in sizes:
            random = [rng.choice(len(costs), n, replace=False) for _ in range(draws)]
            figures[f"ridge {n}"] = _mean(
                spearmanr(ridge(kinds, r, costs[r]), costs).statistic for r in random
            )
            figures[f"ours {n}"] = _mean(
                spearmanr(transfer.predict(r, costs[r]), costs).statistic for r in random
            )
            chosen = transfer.choose(n)
            figures[f"chosen {n}"] = float(
                spearmanr(transfer.predict(chosen, costs[chosen]), costs).statistic
            )
        yield device, figures


def _mean(values: Iterator[float]) -> float:
    return float(np.mean(list(values)))


def main() -> None:
    """Print a row for each device, and the means."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 20])
    parser.add_argument("--draws", type=int, default=20)
    arguments = parser.parse_args()
    found = {}
    for device, figures in study(arguments.data, arguments.sizes, arguments.draws):
        found[device] = figures
        print(
            f"{device:15} " + "  ".join(f"{name} {value:.3f}" for name, value in figures.items()), flush=True
        )
    means = {
        name: np.mean([figures[name] for figures in found.values()]) for name in next(iter(found.values()))
    }
    print(f"{'mean':15} " + "  ".join(f"{name} {value:.3f}" for name, value in means.items()))


if __name__ == "__main__":
    main()
