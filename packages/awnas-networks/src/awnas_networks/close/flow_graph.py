"""The cells of an architecture as one graph of indices, for networks that read architectures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from awnas_networks.macro import CellSpace
from awnas_spaces.genotype import Cell

NOTHING = "none"
"""The primitive that carries no information."""


@dataclass(frozen=True, slots=True, eq=False)
class FlowGraph:
    """One architecture: its M connections, those of the first cell group first, between the nodes of all groups.

    Args:
        operations: ``(M,)`` places in :attr:`GraphLayout.vocabulary`.
        sources: ``(M,)`` numbers of nodes.
        targets: ``(M,)`` numbers of nodes.
        places: ``(M,)`` places of the connections among all that their cell could have.
        carriers: Numbers of the connections that carry information.
        sizes: Connections of each group.
    """

    operations: Tensor
    sources: Tensor
    targets: Tensor
    places: Tensor
    carriers: Tensor
    sizes: tuple[int, ...]


class GraphLayout:
    """How nodes and connections of a space's architectures are numbered.

    Args:
        space: The search space.

    Attributes:
        vocabulary: The primitives of all groups.
        inputs: For each node the number of the input that it is, counted over all groups, or -1.
        inner: For each group the first and the last but one of its inner nodes.
        num_places: Connections between different nodes that a cell could have, at most.
    """

    def __init__(self, space: CellSpace) -> None:
        self._num_inputs = space.num_init_nodes
        self.vocabulary: list[str] = []
        self.inputs: list[int] = []
        self.inner: list[tuple[int, int]] = []
        for group in range(space.num_cell_groups):
            first = len(self.inputs) + self._num_inputs
            self.inputs += [group * self._num_inputs + i for i in range(self._num_inputs)]
            self.inputs += [-1] * space.steps_of(group)
            self.inner.append((first, len(self.inputs)))
            self.vocabulary += [name for name in space.primitives_of(group) if name not in self.vocabulary]
        self.num_places = max(self._place(0, self._num_inputs + end - start) for start, end in self.inner)

    def graph(self, cells: Sequence[Cell], device: torch.device) -> FlowGraph:
        """Return the graph of an architecture, its tensors on ``device``."""
        rows = []
        for (first, _), cell in zip(self.inner, cells, strict=True):
            offset = first - self._num_inputs
            for name, source, to in cell.connections:
                operation = self.vocabulary.index(name)
                rows.append((operation, offset + source, offset + to, self._place(source, to)))
        carriers = [i for i, row in enumerate(rows) if self.vocabulary[row[0]] != NOTHING]
        operations, sources, targets, places = torch.tensor(rows, device=device).unbind(1)
        return FlowGraph(
            operations,
            sources,
            targets,
            places,
            torch.tensor(carriers, device=device, dtype=torch.long),
            tuple(len(cell.connections) for cell in cells),
        )

    def _place(self, source: int, to: int) -> int:
        """Return the place of a connection of a cell, ordered by destination and source."""
        return (to * (to - 1) - self._num_inputs * (self._num_inputs - 1)) // 2 + source
