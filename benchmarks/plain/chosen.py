"""The network of one genotype."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from awnas_spaces.genotype import Cell
from plain.network import Inputs, Network
from plain.operations import operation, preprocess


class ChosenCell(nn.Module):
    """One cell, as one would write it for one genotype.

    Args:
        cell: Its operations.
        inputs: Channels and relative resolution of what comes in.
        c: Channels of a node.
        stride: Of the edges that leave the inputs.
        affine: Whether normalisations have weights.
        pool_norm: Whether a normalisation follows pools.
        drop_rate: Probability that a connection other than the identity is dropped for an image in training.
    """

    def __init__(
        self,
        cell: Cell,
        inputs: Inputs,
        c: int,
        stride: int,
        *,
        affine: bool = False,
        pool_norm: bool = True,
        drop_rate: float = 0.0,
    ) -> None:
        super().__init__()
        used = {source for _, source, _ in cell.connections}
        self.preprocess = nn.ModuleList(
            preprocess(c_in, c, finer, affine) if node in used else nn.Identity()
            for node, (c_in, finer) in enumerate(inputs)
        )
        distinct = list(dict.fromkeys(cell.connections))  # the same twice on one edge is one module
        self.operations = nn.ModuleList(
            operation(name, c, stride if source < 2 else 1, affine, pool_norm) for name, source, _ in distinct
        )
        steps = [
            [con for con in cell.connections if con[2] == to] for to in sorted({t for *_, t in distinct})
        ]
        self.nodes = [[(distinct.index(con), con[1]) for con in step] for step in steps]
        self.concat, self.drop_rate = cell.concat, drop_rate

    def forward(self, older: Tensor, newer: Tensor) -> Tensor:
        """Return the output of the cell for those of the two cells before."""
        states = [self.preprocess[0](older), self.preprocess[1](newer)]
        for (op_a, a), (op_b, b) in self.nodes:
            states.append(self.edge(op_a, states[a]) + self.edge(op_b, states[b]))
        return torch.cat([states[node] for node in self.concat], 1)

    def edge(self, number: int, state: Tensor) -> Tensor:
        """Return what an operation adds to a node."""
        output: Tensor = self.operations[number](state)
        if not self.training or not self.drop_rate or isinstance(self.operations[number], nn.Identity):
            return output
        kept = output.new_empty(len(output), 1, 1, 1).bernoulli_(1 - self.drop_rate)
        return output / (1 - self.drop_rate) * kept


def chosen_network(
    cells: Sequence[Cell], layout: Sequence[int], channels: int, *, dropout: float = 0.0, **options: float
) -> Network:
    """Return the stack of cells for one genotype; ``options`` are those of :class:`ChosenCell`."""
    return Network(
        lambda group, inputs, c, stride: ChosenCell(cells[group], inputs, c, stride, **options),
        layout,
        channels,
        len(cells[0].concat),
        dropout=dropout,
    )
