"""What a candidate of the supernet costs beside the same network written as a plain ``nn.Module``.

    python benchmarks/supernet.py

Every round draws an architecture, assembles its candidate, and times forward, backward and optimizer step; then, or
before, the same of a plain network with the same weights. The candidate's time includes its assembly, the plain one is
ready made. One thread, whose processor time is counted, so that other work on the machine shows less; both
channels-last; 5 cells, 8 channels, batch 32 of 32×32.
"""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from plain.chosen import chosen_network
from plain.network import same_values
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from awnas_core import Device
from awnas_networks.supernet import SuperNet
from awnas_spaces.cnn import CnnSpace

ROUNDS = 40
LAYERS, CHANNELS, BATCH, SIZE, CLASSES = 5, 8, 32, 32, 10
BOUND, TOLERANCE = 1.05, 1e-6
SGD = {"lr": 0.05, "momentum": 0.9, "weight_decay": 1e-4}


def step(network: nn.Module, optimizer: torch.optim.Optimizer, images: Tensor, labels: Tensor) -> Tensor:
    """Train one step and return the logits."""
    logits: Tensor = network(images)
    cross_entropy(logits, labels).backward()
    optimizer.step()
    network.zero_grad(set_to_none=True)
    return logits.detach()


def seconds(call: Callable[[], Tensor]) -> tuple[float, Tensor]:
    """Return the processor time of a call, and what it returns."""
    start = time.process_time()
    result = call()
    return time.process_time() - start, result


def measure(rounds: int, size: int = SIZE) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Return the seconds of every step on either side, and by precision the largest relative difference of logits.

    The difference in double precision tells whether both compute the same; the one in single precision, of the steps
    that are timed, is rounding: the supernet pools and dilates by other kernels than the plain network.
    """
    space = CnnSpace(num_layers=LAYERS)
    options = {"init_channels": CHANNELS, "dropout_rate": 0.0}
    supernet, exact = (
        SuperNet(space, Device("cpu"), np.random.default_rng(0), CLASSES, (3, size, size), **options).to(
            dtype
        )
        for dtype in (torch.float32, torch.float64)
    )
    shared = torch.optim.SGD(supernet.parameters(), **SGD)
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(BATCH, 3, size, size, generator=generator).to(memory_format=torch.channels_last)
    labels = torch.randint(CLASSES, (BATCH,), generator=generator)
    times: dict[str, list[float]] = {"candidate": [], "plain": []}
    difference = dict.fromkeys(("double", "single"), 0.0)
    for number, rollout in enumerate(space.random_samples(1 + rounds, np.random.default_rng(1))):
        plain = chosen_network(rollout.genotype.cells, space.cell_layout, CHANNELS)
        plain.to(memory_format=torch.channels_last)
        own = torch.optim.SGD(plain.parameters(), **SGD)
        step(plain, own, images, labels)  # its memory is now there, as that of the supernet is
        same_values(supernet.assemble_candidate(rollout).parameters(), plain.parameters())
        doubled = copy.deepcopy(plain).double()
        same_values(exact.assemble_candidate(rollout).parameters(), doubled.parameters())
        with torch.no_grad():
            pair = exact.assemble_candidate(rollout)(images.double()), doubled(images.double())
        difference["double"] = max(difference["double"], apart(*pair))
        calls = {
            "candidate": lambda r=rollout: step(supernet.assemble_candidate(r), shared, images, labels),
            "plain": lambda net=plain, optimizer=own: step(net, optimizer, images, labels),
        }
        logits = {}
        for name in sorted(calls, reverse=number % 2 == 1):  # each goes first in every other round
            elapsed, logits[name] = seconds(calls[name])
            if number:  # the first round warms up
                times[name].append(elapsed)
        difference["single"] = max(difference["single"], apart(logits["candidate"], logits["plain"]))
    return times, difference


def apart(candidate: Tensor, plain: Tensor) -> float:
    """Return the largest difference of logits, relative to the largest logit."""
    return ((candidate - plain).abs().max() / plain.abs().max()).item()


def report(times: dict[str, list[float]], difference: dict[str, float]) -> None:
    """Print medians, the ratio and the differences."""
    for name, values in times.items():
        print(f"{name:<10}{statistics.median(values) * 1000:8.1f} ms a step, median of {len(values)}")
    ratio = statistics.median(a / b for a, b in zip(times["candidate"], times["plain"], strict=True))
    print(f"candidate / plain = {ratio:.3f}, median over architectures (at most {BOUND})")
    print(f"largest relative difference of logits = {difference['double']:.1e} (at most {TOLERANCE:.0e})")
    print(f"the same in single precision, rounding = {difference['single']:.1e}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    report(*measure(ROUNDS))
