"""All algorithms on the two benchmarks whose tables ship, and the tables of docs/benchmarks.md.

    python benchmarks/arena.py                        # 100 seeds, 20 for those that train a network
    python benchmarks/arena.py --folder runs/arena    # goes on where it was broken off

Prints two tables in Markdown for each benchmark: algorithms that take seconds with all seeds, and everybody with the
first of them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from awnas_benchmarks.arena.budget import Budget
from awnas_benchmarks.arena.contest import Contest, Entrant
from awnas_benchmarks.arena.outcome import Outcome

BENCHMARKS = ("nb201", "nb-macro")
QUICK = ("random", "evo", "sa", "rl", "local-search", "predictor")
TRAINING = ("bananas", "gates")


def contest(folder: Path, benchmark: str, algorithms: Sequence[str], seeds: int, processes: int) -> Outcome:
    """Run what is not done yet, and return what came of all."""
    entrants = [Entrant(f"{benchmark}-{name}", f"{benchmark}-{name}") for name in algorithms]
    budget = Budget(100)
    games = Contest(folder / benchmark, entrants, budget)
    games.enter()
    games.run(range(seeds), processes)
    return Outcome(games.trajectories(range(seeds)), budget)


def table(outcome: Outcome) -> Iterator[str]:
    """Yield the lines of a table, and the pairs that do not differ."""
    yield "| algorithm | report (%) | std | regret | mean rank |"
    yield "|---|---|---|---|---|"
    for standing in outcome.standings():
        mean = standing.report
        yield (
            f"| `{standing.algorithm}` | {100 * mean.mean:.2f} ± {100 * mean.half:.2f} | {100 * mean.deviation:.2f} "
            f"| {100 * (standing.regret or 0):.2f} | {standing.rank:.2f} |"
        )
    yield ""
    for pair in outcome.comparisons():
        yield f"{pair.first} - {pair.second}: {100 * pair.difference:.3f}, p = {pair.corrected:.2g}"


def main() -> None:
    """Run the contests."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=Path("runs/arena"))
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--training-seeds", type=int, default=20)
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args()
    for benchmark in BENCHMARKS:
        for algorithms, seeds in ((QUICK, args.seeds), (QUICK + TRAINING, args.training_seeds)):
            print(f"\n{benchmark}, {seeds} seeds\n")
            print(*table(contest(args.folder, benchmark, algorithms, seeds, args.processes)), sep="\n")


if __name__ == "__main__":
    main()
