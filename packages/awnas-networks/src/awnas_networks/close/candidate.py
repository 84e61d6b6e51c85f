"""One architecture with the weights of a CLOSE supernet."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from awnas_networks.cell_stack import Candidate, CellStack
from awnas_networks.close.flow_graph import FlowGraph
from awnas_networks.close.gate import Choice, choose
from awnas_networks.close.glow_cell import GlowWalk


class CloseCandidate(Candidate):
    """A candidate that assigns its connections to blocks whenever it runs: by drawing in training, else the best.

    Args:
        network: Whose stem and classifier it uses.
        walks: The walk through each of its cells.
        groups: The cell group of each.
        chooser: Assigns the connections.
    """

    def __init__(
        self, network: CellStack, walks: Sequence[GlowWalk], groups: Sequence[int], chooser: Chooser
    ) -> None:
        super().__init__(network, walks)
        self.chooser = chooser
        self._groups = tuple(groups)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits ``(N, classes)`` for images ``(N, C, H, W)``."""
        choices = self.chooser()
        cells = zip(self.cells, self._groups, strict=True)
        return self._run(images, [functools.partial(walk, choice=choices[group]) for walk, group in cells])


class Chooser(nn.Module):
    """Assigns the connections of one architecture to blocks; cells of a group agree.

    Args:
        gate: Gives logits of all blocks.
        graph: The architecture.
        num_blocks: The blocks to choose from; the gate is not asked where there is only one.
        temperature: Of the drawing.
    """

    def __init__(self, gate: nn.Module, graph: FlowGraph, num_blocks: int, temperature: float) -> None:
        super().__init__()
        self.gate = gate if num_blocks > 1 else None
        self._graph, self._num_blocks, self._temperature = graph, num_blocks, temperature

    def forward(self) -> list[Choice]:
        """Return the choice of every cell group."""
        sizes = self._graph.sizes
        if self.gate is None:
            return [Choice([0] * size) for size in sizes]
        with torch.set_grad_enabled(self.training and torch.is_grad_enabled()):
            logits = self.gate(self._graph)[:, : self._num_blocks]
            return choose(logits, self._temperature, sizes, training=self.training)
