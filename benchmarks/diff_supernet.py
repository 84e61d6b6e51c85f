"""What gradient-based search and final training cost beside the same networks written plainly.

    python benchmarks/diff_supernet.py [DARTS | PC-DARTS | final …]

- DARTS: a step of the weights and a step of the architecture, beside a module that follows the paper with no regard for
  speed, in torch's own layout (NCHW).
- PC-DARTS: the same two steps, beside such a module in channels-last.
- Final training: a step of the published ENAS genotype, beside a module written for it, in channels-last.

Both sides start from the same weights, whose logits are compared, and take turns. A step of awnas is all that a search
does in it but for the data: the controller samples, the supernet assembles, the optimizers and the controller step. One
thread, whose processor time is counted, so that other work on the machine shows less; what either side adds to the peak
memory of a process of its own. Batch 32 of 32×32; supernets of 5 cells and 8 channels, final models of 20 and 16.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from plain.chosen import chosen_network
from plain.mixed import MixedNetwork
from plain.network import same_values
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from awnas_controllers.differentiable.controller import DifferentiableController
from awnas_core import Device, Evaluation, Purpose
from awnas_core.world import World
from awnas_networks.cell_network import CellGroup
from awnas_networks.diff_supernet import DiffSuperNet
from awnas_networks.final_model import CnnFinalModel
from awnas_spaces.cnn import CnnSpace
from awnas_training.evaluators.architecture_gradients import direct_gradient
from awnas_training.evaluators.weights_optimizer import WeightsOptimizer

ROUNDS = 15
BATCH, SIZE, CLASSES = 32, 32, 10
TOLERANCE = 1e-4
SGD = {"lr": 0.05, "momentum": 0.9, "weight_decay": 3e-4}
ADAM = {"lr": 3e-4, "betas": (0.5, 0.999), "weight_decay": 1e-3}
MAX_NORM = 5.0
ENAS = (
    "CNNGenotype(normal_0=(('sep_conv_5x5', 0, 2), ('skip_connect', 1, 2), ('max_pool_3x3', 2, 3), "
    "('sep_conv_3x3', 0, 3), ('skip_connect', 2, 4), ('sep_conv_3x3', 2, 4), ('sep_conv_3x3', 4, 5), "
    "('max_pool_3x3', 1, 5), ('sep_conv_3x3', 3, 6), ('sep_conv_3x3', 5, 6)), "
    "reduce_1=(('skip_connect', 0, 2), ('sep_conv_5x5', 0, 2), ('skip_connect', 1, 3), ('sep_conv_3x3', 0, 3), "
    "('sep_conv_3x3', 1, 4), ('sep_conv_5x5', 0, 4), ('skip_connect', 3, 5), ('avg_pool_3x3', 4, 5), "
    "('avg_pool_3x3', 2, 6), ('max_pool_3x3', 0, 6)))"
)
Batch = tuple[Tensor, Tensor]
Step = Callable[[Batch], None]


@dataclass(frozen=True)
class Side:
    """One of two implementations: what it computes, and the steps that it takes."""

    parameters: list[nn.Parameter]  # those of the architecture last
    logits: Callable[[Tensor], Tensor]
    steps: dict[str, Step]


@dataclass(frozen=True)
class Case:
    """What is compared: the two sides, and how many times the time of the plain one awnas may take."""

    awnas: Callable[[], Side]
    plain: Callable[[], Side]
    bound: float


def mixed_awnas(k: int, edges: bool) -> Side:
    """The supernet of awnas with one in ``k`` channels mixed, and its controller."""
    space = CnnSpace(num_layers=5)
    supernet = DiffSuperNet(
        space,
        Device("cpu"),
        np.random.default_rng(0),
        CLASSES,
        (3, SIZE, SIZE),
        init_channels=8,
        dropout_rate=0.0,
        max_grad_norm=MAX_NORM,
        cell_group_kwargs=(CellGroup(partial_channel_proportion=k),) * 2,
    )
    controller = DifferentiableController(
        space, np.random.default_rng(0), use_prob=True, use_edge_normalization=edges, entropy_coeff=None
    )
    controller.configure_optimizer({"type": "Adam", **ADAM})
    optimizer = WeightsOptimizer(supernet, {"type": "SGD", **SGD}, None, every_batch=False, world=World())

    def weight_step(batch: Batch) -> None:
        (rollout,) = controller.sample(1, Purpose.TRAIN_WEIGHTS)
        candidate = supernet.assemble_candidate(rollout)
        loss = cross_entropy(candidate(batch[0]), batch[1])
        optimizer.add(candidate, loss)
        optimizer.step(loss.detach())

    def architecture_step(batch: Batch) -> None:
        (rollout,) = controller.sample(1)
        candidate = supernet.assemble_candidate(rollout)
        leaves = {key: value.clone().requires_grad_() for key, value in rollout.relaxed.items()}

        def loss_of(relaxed: dict[str, Tensor]) -> tuple[Tensor, None]:
            return cross_entropy(candidate(batch[0], relaxed), batch[1]), None

        gradients, _ = direct_gradient(loss_of, leaves, list(candidate.parameters()))
        rollout.gradient = dict(zip(leaves, gradients, strict=True))
        controller.step([rollout.record(Evaluation(perf={"reward": 0.0}))])

    def logits(images: Tensor) -> Tensor:
        (rollout,) = controller.sample(1)
        return supernet.assemble_candidate(rollout)(images)

    parameters = [*supernet.parameters(), *controller.learnable()]
    return Side(parameters, logits, {"weights": weight_step, "architecture": architecture_step})


def mixed_plain(k: int, edges: bool, layout: torch.memory_format) -> Side:
    """The plain supernet, and the two steps as in the published code of DARTS: each computes every gradient."""
    space = CnnSpace(num_layers=5)
    net = MixedNetwork(space.primitives_of(0), space.cell_layout, 8, partial=k, edges=edges)
    net.to(memory_format=layout)
    weights = list(net.network.parameters())
    sgd, adam = torch.optim.SGD(weights, **SGD), torch.optim.Adam(net.logits, **ADAM)

    def back_propagate(batch: Batch) -> None:
        net.zero_grad()
        cross_entropy(net(batch[0].contiguous(memory_format=layout)), batch[1]).backward()

    def weight_step(batch: Batch) -> None:
        back_propagate(batch)
        nn.utils.clip_grad_norm_(weights, MAX_NORM)
        sgd.step()

    def architecture_step(batch: Batch) -> None:
        back_propagate(batch)
        adam.step()

    return Side(list(net.parameters()), net, {"weights": weight_step, "architecture": architecture_step})


def final_awnas() -> Side:
    """The final model of awnas."""
    space = CnnSpace(num_layers=20, num_steps=5)
    facts = space, Device("cpu"), np.random.default_rng(0), CLASSES, (3, SIZE, SIZE)
    return final_side(CnnFinalModel(*facts, genotypes=ENAS, init_channels=16))


def final_plain() -> Side:
    """The same network for this genotype alone."""
    space = CnnSpace(num_layers=20, num_steps=5)
    cells = space.genotype(space.parse(ENAS)).cells
    options = {"affine": True, "pool_norm": False, "drop_rate": 0.2, "dropout": 0.1}
    return final_side(chosen_network(cells, space.cell_layout, 16, **options))


def final_side(network: nn.Module) -> Side:
    """A training step as it is usually written; dropout and drop path draw the same on both sides."""
    network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(network.parameters(), **SGD)

    def logits(images: Tensor) -> Tensor:
        torch.manual_seed(0)
        output: Tensor = network(images)
        return output

    def step(batch: Batch) -> None:
        optimizer.zero_grad()
        cross_entropy(network(batch[0]), batch[1]).backward()
        nn.utils.clip_grad_norm_(network.parameters(), MAX_NORM)
        optimizer.step()

    return Side(list(network.parameters()), logits, {"training": step})


CASES = {
    "DARTS": Case(
        partial(mixed_awnas, 1, edges=False),
        partial(mixed_plain, 1, edges=False, layout=torch.contiguous_format),
        bound=1 / 2.2,
    ),
    "PC-DARTS": Case(
        partial(mixed_awnas, 4, edges=True),
        partial(mixed_plain, 4, edges=True, layout=torch.channels_last),
        bound=1.05,
    ),
    "final": Case(final_awnas, final_plain, bound=1.05),
}


def a_batch(size: int) -> Batch:
    """Return images in channels-last, as data arrives in awnas, and labels."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(BATCH, 3, size, size, generator=generator).contiguous(
        memory_format=torch.channels_last
    )
    return images, torch.randint(CLASSES, (BATCH,), generator=generator)


def relative_difference(pair: tuple[Side, Side], images: Tensor) -> float:
    """Give both sides the same weights; return the largest difference of logits, relative to the largest logit."""
    same_values(pair[0].parameters, pair[1].parameters)
    with torch.no_grad():
        ours, theirs = (side.logits(images) for side in pair)
    return ((ours - theirs).abs().max() / theirs.abs().max()).item()


def measure(case: str, rounds: int, size: int = SIZE) -> tuple[dict[str, list[tuple[float, float]]], float]:
    """Return the seconds of every step, (awnas, plain) round by round, and the relative difference of logits."""
    pair = CASES[case].awnas(), CASES[case].plain()
    batch = a_batch(size)
    difference = relative_difference(pair, batch[0])
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in pair[0].steps}
    for number in range(1 + rounds):
        for name in times:
            taken = [0.0, 0.0]
            for side in (0, 1) if number % 2 else (1, 0):  # each goes first in every other round
                taken[side] = seconds(partial(pair[side].steps[name], batch))
            if number:  # the first round warms up
                times[name].append((taken[0], taken[1]))
    return times, difference


def seconds(call: Callable[[], None]) -> float:
    """Return the processor time of a call."""
    start = time.process_time()
    call()
    return time.process_time() - start


def added_memory(case: str, side: str) -> float:
    """Return by how many MiB two rounds of steps raise the peak memory of this process, the network included."""
    before = peak_mib()
    subject: Side = getattr(CASES[case], side)()
    batch = a_batch(SIZE)
    for step in [*subject.steps.values()] * 2:
        step(batch)
    return peak_mib() - before


def peak_mib() -> float:
    """Return the largest memory of this process so far; ``ru_maxrss`` would tell that of its parent, if larger."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status).group(1)) / 1024


def memory_in_own_process(case: str, side: str) -> float:
    """Return what :func:`added_memory` says in a fresh process."""
    command = [sys.executable, __file__, "--memory", case, side]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def rows(case: str, rounds: int) -> Iterator[str]:
    """Yield the lines of the table for one case."""
    times, difference = measure(case, rounds)
    memory = [memory_in_own_process(case, side) for side in ("awnas", "plain")]
    for name, pairs in times.items():
        ours, theirs = (statistics.median(side) * 1000 for side in zip(*pairs, strict=True))
        best = [min(side) for side in zip(*pairs, strict=True)]
        ratio = statistics.median(a / b for a, b in pairs)
        yield (
            f"{case:<9}{name:<13}{ours:8.0f}{theirs:8.0f}{ratio:8.3f}{best[0] / best[1]:8.3f}{CASES[case].bound:7.3f}"
            f"{memory[0]:8.0f}{memory[1]:8.0f}   {difference:.0e}"
        )


def main() -> None:
    """Print the table."""
    print(f"{'':22}{'ms a step':>16}{'awnas / plain':>16}{'at':>7}{'peak MiB':>16}   logits")
    print(
        f"{'':22}{'awnas':>8}{'plain':>8}{'median':>8}{'minima':>8}{'most':>7}{'awnas':>8}{'plain':>8}   differ"
    )
    for case in sys.argv[1:] or CASES:
        for row in rows(case, ROUNDS):
            print(row, flush=True)
    print(f"medians of {ROUNDS} rounds; logits may differ by {TOLERANCE:.0e} of the largest")


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1:2] == ["--memory"]:
        print(added_memory(*sys.argv[2:]))
    else:
        main()
