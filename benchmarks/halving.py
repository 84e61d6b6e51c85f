"""Successive halving and ASHA against training everything to the end: 64 small networks on the digits.

    python benchmarks/halving.py --seeds 0 1 2 3 4

The space: cells of NAS-Bench-201 with three nodes and four operations. For every seed all 64 networks are trained to
the last rung, and then evaluated as ``tune`` does under either schedule, from the same random numbers. Prints how many
epochs each takes, and whether its best network is the best of all.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from awnas_core import Rollout
from awnas_core.testing import build
from awnas_spaces.nasbench201 import NasBench201Space

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3")
FINAL = """\
search_space_type: nasbench-201
search_space_cfg: {vertices: 3, ops_choices: [none, skip_connect, nor_conv_1x1, nor_conv_3x3]}
dataset_type: digits
objective_type: classification
final_model_type: nasbench-201-final-model
final_model_cfg: {genotypes: "|skip_connect~0|+|skip_connect~0|skip_connect~1|", init_channels: 8, cells: 1}
final_trainer_type: cnn_trainer
final_trainer_cfg:
  epochs: 9
  batch_size: 32
  workers_per_queue: 0
  valid_portion: 0.3
  learning_rate: 0.05
  optimizer_scheduler: {type: CosineAnnealingLR, T_max: 9, eta_min: 1e-3}
"""


def evaluated(
    final: str, seed: int, rungs: tuple[int, ...], schedule: str, folder: Path
) -> tuple[Rollout, int]:
    """Return the best of all 64 networks, which come in a random order, and the epochs that finding it takes."""
    space = NasBench201Space(vertices=3, ops_choices=OPERATIONS)
    options = {"final": final, "rungs": list(rungs), "schedule": schedule, "folder": str(folder)}
    evaluator = build("evaluator", "tune", options, {"search_space": space}, np.random.default_rng(seed))
    order = np.random.default_rng(seed).permutation(4**3)
    rollouts = [space.rollout(tuple(int(code) // 4**i % 4 for i in range(3))) for code in order]
    evaluator.evaluate_rollouts(rollouts)
    longest = max(rollout.evaluation.fidelity["epochs"] for rollout in rollouts if rollout.evaluation)
    finalists = [r for r in rollouts if r.evaluation and r.evaluation.fidelity["epochs"] == longest]
    return max(finalists, key=lambda rollout: rollout.reward or 0.0), evaluator.epochs


def compared(seed: int, rungs: tuple[int, ...]) -> Iterator[tuple[object, ...]]:
    """Yield the rows of a seed."""
    with tempfile.TemporaryDirectory() as scratch:
        final = Path(scratch) / "final.yaml"
        final.write_text(FINAL)
        best, everything = evaluated(str(final), seed, rungs[-1:], "halving", Path(scratch) / "all")
        yield seed, "all", everything, 1, best.genotype, f"{best.reward:.4f}", ""
        for schedule in ("halving", "asha"):
            found, epochs = evaluated(str(final), seed, rungs, schedule, Path(scratch) / schedule)
            share, same = f"{epochs / everything:.2f}", "yes" if found == best else "no"
            yield seed, schedule, epochs, share, found.genotype, f"{found.reward:.4f}", same


def main() -> None:
    """Measure and print a table in Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=range(5))
    parser.add_argument("--rungs", type=int, nargs="+", default=[1, 3, 9])
    args = parser.parse_args()
    torch.set_num_threads(1)
    print(
        "| seed | schedule | epochs | share | best | its reward | best of all |\n|---|---|---|---|---|---|---|"
    )
    for seed in args.seeds:
        for row in compared(seed, tuple(args.rungs)):
            print("|", " | ".join(map(str, row)), "|", flush=True)


if __name__ == "__main__":
    main()
