"""How fast a table opens and answers, and what memory it takes.

    python benchmarks/tables.py

Queries are random cells of NAS-Bench-201 in batches, from codes of architectures to values; medians, one thread.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from awnas_benchmarks.evaluator import TableEvaluator
from awnas_benchmarks.tables.catalogue import open_table
from awnas_spaces.nasbench201 import NasBench201Space

BATCH = 1_000
COLUMNS = ("cifar10/valid_accuracy@12", "cifar10/test_accuracy@200", "cifar10/latency_ms/edgegpu")
RESIDENT = """
import resource
from pathlib import Path
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20
import numpy as np
from awnas_benchmarks.tables.catalogue import open_table
from awnas_spaces.nasbench201 import NasBench201Space
space = NasBench201Space()
codes = space.sample_codes(15_625, np.random.default_rng(0))
before = resident()
table = open_table("nasbench-201")
for name in table.columns:
    table.values(name, table.rows(space.benchmark_keys(codes)))
print(before, resident())
"""


def median_ms(call: Callable[[], object], seconds: float = 2.0) -> float:
    """Return the median time of a call in milliseconds."""
    call()
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


def main() -> None:
    """Measure and print a table."""
    space, rng = NasBench201Space(), np.random.default_rng(0)
    table, evaluator = open_table("nasbench-201"), TableEvaluator(space, rng)
    codes = space.sample_codes(BATCH, rng)

    def ask(name: str) -> None:
        table.values(name, table.rows(space.benchmark_keys(codes)))

    def evaluate() -> None:
        evaluator.evaluate_rollouts(space.rollouts(codes))

    print(f"{'open':46} {median_ms(lambda: open_table('nasbench-201')):12.2f} ms")
    for name in COLUMNS:
        rate = 1000 * BATCH / median_ms(partial(ask, name))
        print(f"{name + ', batches of ' + str(BATCH):46} {rate:12,.0f} queries/s")
    rate = 1000 * BATCH / median_ms(evaluate)
    print(f"{'evaluate_rollouts, batches of ' + str(BATCH):46} {rate:12,.0f} rollouts/s")
    one = space.rollouts(codes[:1])[0]
    print(
        f"{'evaluate_rollouts, one':46} {median_ms(lambda: evaluator.evaluate_rollouts([one.fresh()])):12.3f} ms"
    )
    done = subprocess.run([sys.executable, "-c", RESIDENT], capture_output=True, text=True, check=True)
    before, after = map(float, done.stdout.split())
    print(f"{'resident memory for all columns':46} {after - before:12.1f} MB (whole process {after:.0f} MB)")


if __name__ == "__main__":
    main()
