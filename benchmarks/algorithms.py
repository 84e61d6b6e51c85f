"""What each algorithm of the cell family finds on the digits, against random architectures picked by its evaluator.

    python benchmarks/algorithms.py                          # all of them, five seeds, two processes
    python benchmarks/algorithms.py --only darts-digits evo-digits --seeds 0 1

For every algorithm and seed as in ``against_random.py``. Prints a table in Markdown: mean test accuracy of either side,
the paired difference with its 95 % interval (Student's t), parameters, and the seconds of one core that a search took.
What is finished is kept under ``--folder`` and not computed again.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from against_random import SIDES, interval, results

ALGORITHMS = {
    "enas-digits": "ENAS",
    "darts-digits": "DARTS, first order",
    "darts2-digits": "DARTS, second order",
    "snas-digits": "SNAS",
    "gdas-digits": "GDAS",
    "pc-darts-digits": "PC-DARTS",
    "evo-digits": "regularised evolution",
    "pareto-evo-digits": "Pareto evolution",
    "cars-digits": "CARS",
    "sa-digits": "simulated annealing",
    "closenet-digits": "CLOSE",
}


def one(job: tuple[str, int, argparse.Namespace]) -> dict[str, Any]:
    """Return what one algorithm gave with one seed."""
    search, seed, args = job
    folder = args.folder / search
    settings = argparse.Namespace(
        search=search, final=args.final, seeds=[seed], set=[], set_final=args.set_final, folder=folder
    )
    return next(results(settings))


def table(found: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    """Yield the lines of the table."""
    yield "| algorithm | search s | found: test acc | params | random: test acc | params | found − random |"
    yield "|---|---|---|---|---|---|---|"
    for search, rows in found.items():
        seconds = statistics.mean(row["search_seconds"] for row in rows)
        sides = []
        for side in SIDES:
            accuracy = statistics.mean(row[side]["acc"] for row in rows)
            params = statistics.mean(row[side]["params"] for row in rows)
            sides.append(f"{accuracy:.4f} | {params:,.0f}")
        difference = interval([row["found"]["acc"] - row["random"]["acc"] for row in rows])
        yield f"| {ALGORITHMS.get(search, search)} | {seconds:.0f} | {' | '.join(sides)} | {difference} |"


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", default=list(ALGORITHMS), help="presets of searches")
    parser.add_argument("--final", default="enas-digits-final", help="config or preset of the training")
    parser.add_argument("--seeds", type=int, nargs="+", default=range(5))
    parser.add_argument("--set-final", nargs="*", default=[], metavar="A.B=C", help="changes to the training")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=Path("runs/algorithms"))
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Measure and print."""
    jobs = [(search, seed, args) for seed in args.seeds for search in args.only]
    found: dict[str, list[dict[str, Any]]] = {search: [] for search in args.only}
    pool = ProcessPoolExecutor(args.processes, mp_context=multiprocessing.get_context("spawn"))
    try:
        for (search, _, _), row in zip(jobs, pool.map(one, jobs), strict=True):
            found[search].append(row)
            difference = row["found"]["acc"] - row["random"]["acc"]
            print(f"{search}, seed {row['seed']}: {difference:+.4f}", file=sys.stderr)
    finally:
        pool.shutdown(cancel_futures=True)
    print("\n".join(table(found)))


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"  # before the processes load torch
    main(arguments())
