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
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from awnas_core import Device
from awnas_networks.supernet import SuperNet
from awnas_spaces.cnn import CnnSpace
from awnas_spaces.genotype import Cell

ROUNDS = 40
LAYERS, CHANNELS, BATCH, SIZE, CLASSES = 5, 8, 32, 32, 10
BOUND, TOLERANCE = 1.05, 1e-6
SGD = {"lr": 0.05, "momentum": 0.9, "weight_decay": 1e-4}


def norm(channels: int) -> nn.BatchNorm2d:
    """Batch normalisation as inside the cells."""
    return nn.BatchNorm2d(channels, affine=False)


def separable(c: int, kernel: int, stride: int, dilation: int = 1) -> list[nn.Module]:
    """ReLU, depthwise and pointwise convolution, normalisation."""
    depthwise = nn.Conv2d(
        c, c, kernel, stride, dilation * (kernel // 2), dilation, groups=c, bias=False
    )  # fmt: skip
    return [nn.ReLU(), depthwise, nn.Conv2d(c, c, 1, bias=False), norm(c)]


class Halved(nn.Module):
    """Half of the resolution: two convolutions, one shifted by a pixel."""

    def __init__(self, c_in: int, c: int) -> None:
        super().__init__()
        self.even = nn.Conv2d(c_in, c // 2, 1, 2, bias=False)
        self.odd = nn.Conv2d(c_in, c // 2, 1, 2, bias=False)
        self.norm = norm(c)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(N, C, H/2, W/2)``."""
        x = torch.relu(x)
        return self.norm(torch.cat([self.even(x), self.odd(x[:, :, 1:, 1:])], 1))


class Nothing(nn.Module):
    """Zeros."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """Return zeros."""
        return torch.zeros_like(x[:, :, :: self.stride, :: self.stride])


def operation(name: str, c: int, stride: int) -> nn.Module:
    """The operations of DARTS."""
    kernel = int(name[-1]) if name[-1].isdigit() else 0
    match name.rpartition("_")[0]:
        case "sep_conv":
            return nn.Sequential(*separable(c, kernel, stride), *separable(c, kernel, 1))
        case "dil_conv":
            return nn.Sequential(*separable(c, kernel, stride, 2))
        case "max_pool":
            return nn.Sequential(nn.MaxPool2d(3, stride, 1), norm(c))
        case "avg_pool":
            return nn.Sequential(nn.AvgPool2d(3, stride, 1, count_include_pad=False), norm(c))
    if name == "none":
        return Nothing(stride)
    return Halved(c, c) if stride == 2 else nn.Identity()


class PlainCell(nn.Module):
    """One cell, as one would write it for one genotype."""

    def __init__(self, cell: Cell, inputs: Sequence[tuple[int, int]], c: int, stride: int) -> None:
        super().__init__()
        used = {source for _, source, _ in cell.connections}
        self.preprocess = nn.ModuleList(
            nn.Identity() if node not in used else Halved(c_in, c) if finer == 2
            else nn.Sequential(nn.ReLU(), nn.Conv2d(c_in, c, 1, bias=False), norm(c))
            for node, (c_in, finer) in enumerate(inputs)
        )  # fmt: skip
        distinct = list(dict.fromkeys(cell.connections))  # the same twice on one edge is one module
        self.operations = nn.ModuleList(
            operation(name, c, stride if source < 2 else 1) for name, source, _ in distinct
        )
        steps = [
            [con for con in cell.connections if con[2] == to] for to in sorted({t for *_, t in distinct})
        ]
        self.nodes = [[(distinct.index(con), con[1]) for con in step] for step in steps]
        self.concat = cell.concat

    def forward(self, older: Tensor, newer: Tensor) -> Tensor:
        """Return the output of the cell for those of the two cells before."""
        states = [self.preprocess[0](older), self.preprocess[1](newer)]
        for (op_a, a), (op_b, b) in self.nodes:
            states.append(self.operations[op_a](states[a]) + self.operations[op_b](states[b]))
        return torch.cat([states[node] for node in self.concat], 1)


class PlainNetwork(nn.Module):
    """The stack of cells for one genotype."""

    def __init__(self, cells: Sequence[Cell], layout: Sequence[int]) -> None:
        super().__init__()
        c, stem = CHANNELS, 3 * CHANNELS
        self.stem = nn.Sequential(nn.Conv2d(3, stem, 3, padding=1, bias=False), nn.BatchNorm2d(stem))
        self.cells = nn.ModuleList()
        states = [(stem, 1), (stem, 1)]  # channels and total stride of the last two outputs
        for group in layout:
            stride = 2 if group == 1 else 1
            c *= stride
            inputs = [(channels, states[-1][1] // total) for channels, total in states]
            self.cells.append(PlainCell(cells[group], inputs, c, stride))
            states = [states[-1], (c * len(cells[group].concat), states[-1][1] * stride)]
        self.classifier = nn.Linear(states[-1][0], CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits."""
        older = newer = self.stem(images)
        for cell in self.cells:
            older, newer = newer, cell(older, newer)
        return self.classifier(newer.mean((2, 3)))


def same_weights(source: nn.Module, target: nn.Module) -> None:
    """Copy the weights; both networks hold them in the same order."""
    with torch.no_grad():
        for value, copy in zip(source.parameters(), target.parameters(), strict=True):
            copy.copy_(value)


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
        plain = PlainNetwork(rollout.genotype.cells, space.cell_layout).to(memory_format=torch.channels_last)
        own = torch.optim.SGD(plain.parameters(), **SGD)
        step(plain, own, images, labels)  # its memory is now there, as that of the supernet is
        same_weights(supernet.assemble_candidate(rollout), plain)
        doubled = copy.deepcopy(plain).double()
        same_weights(exact.assemble_candidate(rollout), doubled)
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
