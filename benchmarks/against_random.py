"""What a search finds, against the best of as many random architectures picked by the same evaluator.

    python benchmarks/against_random.py                       # enas-digits, five seeds
    python benchmarks/against_random.py --search my.yaml --final my-final.yaml --seeds 0 1 2

For every seed: search; draw as many random architectures as were derived and measure them with the evaluator that the
search has trained; train the winner of either side from scratch with that seed; test both. Prints a table in Markdown
with the paired difference and its 95 % interval (Student's t). What is finished is kept under ``--folder`` and not
computed again.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from scipy import stats

from awnas_core import Purpose, Rollout, api, total_cost
from awnas_core.run.options import RunOptions
from awnas_core.session import Session, open_session

SIDES = ("found", "random")


def winners(session: Session) -> dict[str, Any]:
    """Search, and return the best of either side with what the search cost in processor time."""
    start = time.process_time()
    derived = api.search(session)
    seconds = time.process_time() - start
    best = {"found": derived[0], "random": max(measured_at_random(session, len(derived)), key=_reward)}
    return {
        "search_seconds": seconds,
        "candidates": len(derived),
        **{side: {"genotype": str(r.genotype), "shared_reward": r.reward} for side, r in best.items()},
    }


def measured_at_random(session: Session, n: int) -> list[Rollout]:
    """Return ``n`` random architectures that keep the constraints, measured by the evaluator."""
    kept: list[Rollout] = []
    while len(kept) < n:
        measured = session.get("evaluator").evaluate_rollouts(drawn(session, n), Purpose.DERIVE)
        kept += [rollout for rollout in measured if rollout.status != "infeasible"]
    return kept[:n]


def drawn(session: Session, n: int) -> list[Rollout]:
    """Return ``n`` architectures at random; where weights are discretised, by the same rule: of random weights."""
    if session.get("controller").wants_gradient is None:
        return api.random_sample(session, n)
    space, rng = session.get("search_space"), session.assembly.streams.get("random-sample")
    relaxed = [{mixture.name: rng.random(mixture.shape) for mixture in space.mixtures} for _ in range(n)]
    return [Rollout(space, space.discretize(weights)) for weights in relaxed]


def _reward(rollout: Rollout) -> float:
    return float("-inf") if rollout.reward is None else rollout.reward


def trained(final: str, overrides: Sequence[str], seed: int, genotype: str, folder: Path) -> dict[str, float]:
    """Train a genotype from scratch, and return test accuracy, parameters and seconds of processor time."""
    texts = [f"final_model_cfg.genotypes={json.dumps(genotype)}", *overrides]
    start = time.process_time()
    session = open_session(final, "final", overrides=texts, seed=seed)
    model = api.train(session, RunOptions(train_dir=folder, overwrite=True))
    seconds = time.process_time() - start
    accuracy = session.get("final_trainer").evaluate_split("test")["acc"]
    return {"acc": accuracy, "params": total_cost(model.layers()).params, "train_seconds": seconds}


def results(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what every seed gave, computing what is not there yet."""
    for seed in args.seeds:
        folder = args.folder / f"seed-{seed}"
        file = folder / "result.json"
        if not file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            found = winners(open_session(args.search, "search", overrides=args.set, seed=seed))
            for side in SIDES:
                genotype = found[side]["genotype"]
                found[side] |= trained(args.final, args.set_final, seed, genotype, folder / side)
            file.write_text(json.dumps({"seed": seed, **found}, indent=2) + "\n")
        yield json.loads(file.read_text())


def table(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield the lines of the table and what follows from it."""
    yield "| seed | search s | found: shared | test | params | random: shared | test | params | difference |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for row in rows:
        sides = [f"{s['shared_reward']:.3f} | {s['acc']:.4f} | {s['params']:,}" for s in map(row.get, SIDES)]
        difference = row["found"]["acc"] - row["random"]["acc"]
        yield f"| {row['seed']} | {row['search_seconds']:.0f} | {' | '.join(sides)} | {difference:+.4f} |"
    yield ""
    for side in SIDES:
        accuracies = [row[side]["acc"] for row in rows]
        yield f"{side}: test accuracy {statistics.mean(accuracies):.4f} on average, {min(accuracies):.4f} at least"
    differences = [row["found"]["acc"] - row["random"]["acc"] for row in rows]
    yield f"found − random: {interval(differences)}"


def interval(values: Sequence[float]) -> str:
    """Return mean and 95 % interval of paired differences."""
    if len(values) < 2:
        return f"{values[0]:+.4f}, of one seed"
    mean, error = statistics.mean(values), stats.sem(values)
    half = float(stats.t.ppf(0.975, len(values) - 1) * error)
    return f"{mean:+.4f}, 95 % interval {mean - half:+.4f} … {mean + half:+.4f} ({len(values)} seeds)"


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--search", default="enas-digits", help="config or preset of the search")
    parser.add_argument("--final", default="enas-digits-final", help="config or preset of the training")
    parser.add_argument("--seeds", type=int, nargs="+", default=range(5))
    parser.add_argument("--set", nargs="*", default=[], metavar="A.B=C", help="changes to the search")
    parser.add_argument("--set-final", nargs="*", default=[], metavar="A.B=C", help="changes to the training")
    parser.add_argument("--folder", type=Path, help="runs/against-random/<search> by default")
    args = parser.parse_args()
    args.folder = args.folder or Path("runs/against-random") / Path(args.search).stem
    return args


def main() -> None:
    """Measure and print."""
    print("\n".join(table(list(results(arguments())))))


if __name__ == "__main__":
    main()
