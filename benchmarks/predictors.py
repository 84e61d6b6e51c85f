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
from scipy.stats import kendalltau

from awnas_predictors.embedders.base import Beside
from awnas_predictors.embedders.named import make_embedder
from awnas_predictors.encoding import encode
from awnas_predictors.ensemble import ProcessForestPredictor
from awnas_predictors.forest import BoostingPredictor, ForestPredictor
from awnas_predictors.graph_features import graph_features
from awnas_predictors.graphs import CellGraphs
from awnas_predictors.path_features import all_features
from awnas_predictors.pointwise import PointwisePredictor
from awnas_predictors.relevance_process import RelevanceProcessPredictor
from awnas_spaces.nasbench201 import NasBench201Space

Floats = npt.NDArray[np.floating]
MOST_STEPS = 400  # of training a network; 200 epochs where that is fewer
BASELINE = "forest-graph"
ON_GRAPHS = ("lstm", "gcn", "linegcn", "renas", "gates", "ta-gates")


class Predictor(Protocol):
    """Fitted on graphs, asked about graphs."""

    def fit(self, graphs: CellGraphs, targets: Floats) -> None:
        """Train."""

    def predict(self, graphs: CellGraphs) -> Floats:
        """Return a score for each architecture."""
        ...


def neural(*embedders: str) -> Callable[[int, CellGraphs], Predictor]:
    """Return what makes a perceptron on one embedding, or on several beside each other."""

    def make(seed: int, training: CellGraphs) -> Predictor:
        rng = np.random.default_rng(seed)
        members = [make_embedder(name, training, rng) for name in embedders]
        epochs = max(1, MOST_STEPS // -(-len(training) // 128))
        return PointwisePredictor(Beside(*members), rng, epochs=min(epochs, 200))

    return make


PREDICTORS: dict[str, Callable[[int, CellGraphs], Predictor]] = {
    "forest-one-hot": lambda seed, _: ForestPredictor(seed, features=CellGraphs.one_hot),
    "forest-graph": lambda seed, _: ForestPredictor(seed),
    "forest-paths": lambda seed, _: ForestPredictor(seed, features=all_features),
    "boosting-one-hot": lambda seed, _: BoostingPredictor(seed, features=CellGraphs.one_hot),
    "boosting-graph": lambda seed, _: BoostingPredictor(seed),
    "boosting-paths": lambda seed, _: BoostingPredictor(seed, features=all_features),
    "process-graph": lambda seed, _: RelevanceProcessPredictor(seed, features=graph_features),
    "process-paths": lambda seed, _: RelevanceProcessPredictor(seed),
    "process-forest": lambda seed, _: ProcessForestPredictor(seed),
    "mlp-one-hot": neural("seq"),
    "mlp-graph": neural("graph-features"),
    **{name: neural(name) for name in ON_GRAPHS},
    **{f"{name}-graph": neural(name, "graph-features") for name in ON_GRAPHS},
}
"""By what they read: one-hot edges, graph features, path features too, or a graph (and its features)."""


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


def print_table(found: dict[tuple[str, int], list[float]], names: list[str], sizes: list[int]) -> None:
    """Print mean and deviation over the splits, and by how much the baseline is beaten in the worst of them."""
    print("\n| predictor |", *(f"{size} |" for size in sizes))
    print("|---" * (1 + len(sizes)) + "|")
    for name in names:
        cells = []
        for size in sizes:
            taus = np.array(found[name, size])
            ahead = taus - np.array(found.get((BASELINE, size), taus))
            cells.append(f"{taus.mean():.3f} ± {taus.std():.3f} (≥ {ahead.min():+.3f}) |")
        print(f"| {name} |", *cells)


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
    found: dict[tuple[str, int], list[float]] = {}
    for size in options.sizes:
        for seed in range(options.seeds):
            training, test = split(keys, seed, apart=options.apart)
            training = training[:size]
            for name in options.predictors:
                started = time.perf_counter()
                predictor = PREDICTORS[name](seed, graphs[training])
                predictor.fit(graphs[training], accuracies[training])
                tau = kendalltau(predictor.predict(graphs[test]), accuracies[test]).statistic
                seconds = time.perf_counter() - started
                print(f"{name},{len(training)},{seed},{tau:.4f},{seconds:.1f}", flush=True)
                found.setdefault((name, size), []).append(tau)
    print_table(found, options.predictors, options.sizes)


if __name__ == "__main__":
    main()
