"""Zero-cost proxies of NAS-Bench-201 cells: their order beside that of published scores, and beside accuracy.

    python benchmarks/proxies.py score proxies.jsonl nb201_cifar10_proxies.csv.gz --cells 1000 --proxies synflow nwot
    python benchmarks/proxies.py report proxies.jsonl nb201_cifar10_proxies.csv.gz nb201_cifar10_200epochs.csv.gz

The first draws cells out of the published table (the columns ``arch_str`` and one for each proxy) and scores each at
initialisation on one batch of images, the same for all; it writes a line for each score and, run again, goes on where
it was. The second compares; its other table has ``arch_str`` and ``mean_acc``.
"""

from __future__ import annotations

import argparse
import csv
import functools
import gzip
import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor

from awnas_core import Device
from awnas_networks.benchmarks.nasbench201 import NasBench201FinalModel
from awnas_spaces.nasbench201 import NasBench201Space
from awnas_torch.proxies import PROXIES, score, vote
from awnas_torch.seeding import seeded
from awnas_training.datasets.arrays import SignDigits

BATCH = 16
PUBLISHED = {"jacob_cov": "jacov", "operations": "flops"}
"""Columns of the published table that have another name than the proxy."""
VOTERS = ("synflow", "jacob_cov", "snip")


def batch() -> tuple[Tensor, Tensor]:
    """Return real 32×32 colour images and their classes."""
    images = SignDigits().splits()["train_testTransform"]
    with seeded(0):
        chosen = torch.randperm(len(images))[:BATCH].tolist()
    examples = [images[i] for i in chosen]
    return torch.stack([image for image, _ in examples]), torch.tensor([int(label) for _, label in examples])


def score_cells(out: Path, cells: list[str], names: list[str]) -> None:
    """Append ``{"cell", "proxy", "score", "seconds"}`` for every cell and proxy that is not there yet."""
    done = {(row["cell"], row["proxy"]) for row in read_scores(out)}
    space, (inputs, targets) = NasBench201Space(), batch()
    with out.open("a") as file:
        for number, cell in enumerate(cells):
            todo = [name for name in names if (cell, name) not in done]
            if not todo:
                continue
            rng = np.random.default_rng(number)
            model = NasBench201FinalModel(space, Device(), rng, 10, (3, 32, 32), genotypes=cell)
            for name in todo:
                started = time.process_time()
                found = score(model.network, inputs, targets, [name], seed=number)[name]
                seconds = round(time.process_time() - started, 4)
                row = {"cell": cell, "proxy": name, "score": found, "seconds": seconds}
                print(json.dumps(row), file=file, flush=True)


def report(out: Path, published: dict[str, dict[str, str]], accuracies: dict[str, dict[str, str]]) -> None:
    """Print a line for each proxy: agreement with its published scores, and with the accuracy beside theirs."""
    scores: dict[str, dict[str, float]] = {}
    seconds: dict[str, list[float]] = {}
    for row in read_scores(out):
        scores.setdefault(row["proxy"], {})[row["cell"]] = row["score"]
        seconds.setdefault(row["proxy"], []).append(row["seconds"])
    if all(name in scores for name in VOTERS):
        cells = [cell for cell in scores[VOTERS[0]] if all(cell in scores[name] for name in VOTERS)]
        voters = np.array([[scores[name][cell] for name in VOTERS] for cell in cells])
        scores["vote"] = dict(zip(cells, vote(voters, voters).tolist(), strict=True))
    if "flops" in scores:
        scores["operations"] = {cell: operations(*sorted_operations(cell)) for cell in scores["flops"]}
    print(
        "| proxy | cells | with the published scores | with accuracy | theirs with accuracy | seconds each |"
    )
    print("|---|---|---|---|---|---|")
    for name, own in scores.items():
        reference = {
            cell: float(row[column])
            for cell, row in published.items()
            if (column := PUBLISHED.get(name, name)) in row
        }
        accuracy = {cell: float(row["mean_acc"]) for cell, row in accuracies.items() if cell in own}
        theirs = {cell: value for cell, value in reference.items() if cell in own}
        pairs = ((own, reference), (own, accuracy), (theirs, accuracy))
        figures = " | ".join(agreement(*pair) for pair in pairs)
        each = f"{np.mean(seconds[name]):.3f}" if name in seconds else ""
        print(f"| {name} | {len(own)} | {figures} | {each} |")


def sorted_operations(cell: str) -> list[str]:
    """Return the operations of a cell; where they stand makes no difference to what they cost."""
    space = NasBench201Space()
    return sorted(space.operations[code] for code in space.parse(cell))


@functools.cache
def operations(*names: str) -> float:
    """Return multiply-adds, and the operations of normalisations, ReLUs and pools, which the published FLOPs count."""
    space = NasBench201Space()
    cell = space.genotype(tuple(map(space.operations.index, names)))
    with torch.device("meta"):
        model = NasBench201FinalModel(
            space, Device("meta"), np.random.default_rng(0), 10, (3, 32, 32), genotypes=cell
        )
    total = 0
    for layer in model.layers():
        outputs = math.prod(layer.output_shape)
        size = dict(layer.attributes).get("kernel_size", 1)
        kernel = size if isinstance(size, int) else size[0]
        total += {"norm": 2 * outputs, "relu": outputs, "pool": kernel**2 * outputs}.get(layer.op, layer.macs)
    return float(total)


def agreement(first: dict[str, float], second: dict[str, float]) -> str:
    """Return Spearman's rank correlation over the cells that both know, nothing where there are none."""
    common = [cell for cell in first if cell in second]
    if not common:
        return ""
    found = spearmanr([first[cell] for cell in common], [second[cell] for cell in common])
    return f"{found.statistic:.3f}"


def read_scores(out: Path) -> list[dict[str, Any]]:
    """Return the lines of a file of scores; none where there is no file."""
    return [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []


def read_table(path: Path) -> dict[str, dict[str, str]]:
    """Return cell → its row in a gzipped CSV."""
    with gzip.open(path, "rt") as file:
        return {row["arch_str"]: row for row in csv.DictReader(file)}


def main() -> None:
    """Score, or report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for command, tables in (("score", ["published"]), ("report", ["published", "accuracies"])):
        own = commands.add_parser(command)
        own.add_argument("scores", type=Path)
        for table in tables:
            own.add_argument(table, type=Path)
        if command == "score":
            own.add_argument("--cells", type=int, default=1000)
            own.add_argument("--seed", type=int, default=0)
            own.add_argument("--proxies", nargs="+", choices=PROXIES, default=list(PROXIES))
    options = parser.parse_args()
    published = read_table(options.published)
    if options.command == "report":
        report(options.scores, published, read_table(options.accuracies))
        return
    torch.set_num_threads(1)
    cells = np.random.default_rng(options.seed).permutation(sorted(published))[: options.cells]
    score_cells(options.scores, cells.tolist(), options.proxies)


if __name__ == "__main__":
    main()
