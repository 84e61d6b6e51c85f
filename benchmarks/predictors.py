"""Kendall's tau of predictors on NAS-Bench-201: half of a table to train from, half to test on, paired splits.

    python benchmarks/predictors.py nb201_cifar10_200epochs.csv.gz --sizes 78 390 781 --seeds 5

The table is a gzipped CSV with the columns ``arch_str`` and ``mean_acc``.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.stats import kendalltau, rankdata

from awnas_predictors.encoding import encode
from awnas_predictors.forest import BoostingPredictor, ForestPredictor
from awnas_predictors.gates import Gates
from awnas_predictors.graphs import CellGraphs
from awnas_predictors.pointwise import PointwisePredictor
from awnas_spaces.nasbench201 import NasBench201Space

Floats = npt.NDArray[np.floating]
STEPS = 2_000  # of training, whatever the number of architectures


class Predictor(Protocol):
    """Fitted on graphs, asked about graphs."""

    def fit(self, graphs: CellGraphs, targets: Floats) -> None:
        """Train."""

    def predict(self, graphs: CellGraphs) -> Floats:
        """Return a score for each architecture."""
        ...


class RankAverage:
    """Averages the ranks that its members give."""

    def __init__(self, *members: Predictor) -> None:
        self.members = members

    def fit(self, graphs: CellGraphs, targets: Floats) -> None:
        """Train every member."""
        for member in self.members:
            member.fit(graphs, targets)

    def predict(self, graphs: CellGraphs) -> Floats:
        """Return mean ranks."""
        return np.mean([rankdata(member.predict(graphs)) for member in self.members], axis=0)


def gates(seed: int, graphs: CellGraphs, rows: int, steps: int = 1) -> PointwisePredictor:
    """Return GATES, or TA-GATES of more steps."""
    rng = np.random.default_rng(seed)
    epochs = max(1, STEPS // -(-rows // 128))
    return PointwisePredictor(Gates(graphs, rng, steps=steps), rng, epochs=min(epochs, 200))


PREDICTORS: dict[str, Callable[[int, CellGraphs, int], Predictor]] = {
    "forest-one-hot": lambda seed, _, __: ForestPredictor(seed, features=CellGraphs.one_hot),
    "boosting-one-hot": lambda seed, _, __: BoostingPredictor(seed, features=CellGraphs.one_hot),
    "forest-graph": lambda seed, _, __: ForestPredictor(seed),
    "boosting-graph": lambda seed, _, __: BoostingPredictor(seed),
    "gates": gates,
    "ta-gates": lambda seed, graphs, rows: gates(seed, graphs, rows, steps=2),
    "ranks": lambda seed, graphs, rows: RankAverage(
        gates(seed, graphs, rows), ForestPredictor(seed), BoostingPredictor(seed)
    ),
}


def read(path: Path) -> tuple[CellGraphs, Floats, list[str]]:
    """Return the graphs of a table, their accuracies, and the keys of their pruned cells."""
    with gzip.open(path, "rt") as file:
        rows = list(csv.DictReader(file))
    space = NasBench201Space(canonical="full")
    archs = [space.parse(row["arch_str"]) for row in rows]
    accuracies = np.array([float(row["mean_acc"]) for row in rows])
    return encode(space, np.array(archs)), accuracies, [space.key(arch) for arch in archs]


def split(keys: list[str], seed: int, *, apart: bool) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return rows to train from and to test on; with ``apart``, cells of one key are in the same half."""
    rng = np.random.default_rng(seed)
    units = np.unique(keys, return_inverse=True)[1] if apart else np.arange(len(keys))
    order = rng.permutation(units.max() + 1)[units]
    training = order < (units.max() + 1) / 2
    return rng.permutation(np.flatnonzero(training)), np.flatnonzero(~training)


def main() -> None:
    """Print a line for each predictor, size and seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[78, 390, 781, 3900, 10**6])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--predictors", nargs="+", choices=PREDICTORS, default=list(PREDICTORS))
    parser.add_argument("--apart", action="store_true", help="keep duplicates of a pruned cell in one half")
    options = parser.parse_args()
    graphs, accuracies, keys = read(options.table)
    print("predictor,size,seed,tau,seconds")
    for size in options.sizes:
        for seed in range(options.seeds):
            training, test = split(keys, seed, apart=options.apart)
            training = training[:size]
            for name in options.predictors:
                started = time.perf_counter()
                predictor = PREDICTORS[name](seed, graphs, len(training))
                predictor.fit(graphs[training], accuracies[training])
                tau = kendalltau(predictor.predict(graphs[test]), accuracies[test]).statistic
                print(
                    f"{name},{len(training)},{seed},{tau:.4f},{time.perf_counter() - started:.1f}", flush=True
                )


if __name__ == "__main__":
    main()
