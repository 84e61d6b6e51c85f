"""A stack of cells between a stem and a classifier."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

Inputs = Sequence[tuple[int, int]]
"""(channels, how many times finer than the latest) of the two inputs of a cell."""


class Network(nn.Module):
    """Cells that each read the outputs of the two before.

    Args:
        build_cell: Group, inputs, channels, stride → cell.
        layout: Group of each cell, 1 for reductions.
        channels: Of the first cell; the stem has three times as many.
        nodes: Nodes that make up the output of a cell, each with the cell's channels.
    """

    def __init__(
        self,
        build_cell: Callable[[int, Inputs, int, int], nn.Module],
        layout: Sequence[int],
        channels: int,
        nodes: int,
        *,
        classes: int = 10,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        c, stem = channels, 3 * channels
        self.stem = nn.Sequential(nn.Conv2d(3, stem, 3, padding=1, bias=False), nn.BatchNorm2d(stem))
        self.layout = tuple(layout)
        self.cells = nn.ModuleList()
        states = [(stem, 1), (stem, 1)]  # channels and total stride of the last two outputs
        for group in layout:
            stride = 2 if group == 1 else 1
            c *= stride
            inputs = [(channels, states[-1][1] // total) for channels, total in states]
            self.cells.append(build_cell(group, inputs, c, stride))
            states = [states[-1], (c * nodes, states[-1][1] * stride)]
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(states[-1][0], classes)

    def forward(self, images: Tensor, of_groups: Sequence[Sequence[Any]] = ((), ())) -> Tensor:
        """Return logits; cells of a group get what ``of_groups`` has for it."""
        older = newer = self.stem(images)
        for cell, group in zip(self.cells, self.layout, strict=True):
            older, newer = newer, cell(older, newer, *of_groups[group])
        logits: Tensor = self.classifier(self.dropout(newer.mean((2, 3))))
        return logits


def same_values(source: Iterable[Tensor], target: Iterable[Tensor]) -> None:
    """Copy the values of parameters, listed in the same order."""
    with torch.no_grad():
        for value, copy in zip(source, target, strict=True):
            assert value.shape == copy.shape
            copy.copy_(value)
