"""The DARTS space as NAS-Bench-301 takes it: the inputs of a node are different nodes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from awnas_core.decisions import Codes, Decision
from awnas_core.errors import GenotypeError
from awnas_core.options import Fraction, PositiveInt
from awnas_core.rollout import Arch
from awnas_spaces.cnn import CnnSpace
from awnas_spaces.encoding import CellCodes, CellEncoding, Column, Input

NB301_PRIMITIVES = (
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
)


class PairEncoding(CellEncoding):
    """Codes of cells whose nodes have two different inputs: per node, which pair it reads, then the two operations.

    The first operation is that on the lower node of the pair, so that each cell is written in one way only and any
    combination of codes is a cell.
    """

    def cells(self, arch: Arch) -> tuple[CellCodes, ...]:
        """Return the cells of an architecture."""
        codes = iter(arch)
        cells = []
        for steps in self.num_steps:
            nodes: tuple[int, ...] = ()
            ops: tuple[int, ...] = ()
            for step in range(steps):
                nodes += self._pairs(step)[next(codes)]
                ops += (next(codes), next(codes))
            cells.append((nodes, ops))
        return tuple(cells)

    def _from_decisions(self, group: int, step: int) -> Iterator[tuple[Column, Decision]]:
        yield Column(group, step, 0, 0), Decision(f"{self._name(group, step)}.from", self._pairs(step))

    def _node_codes(self, inputs: Sequence[Input]) -> list[int]:
        (low, low_op), (high, high_op) = sorted(inputs)
        if low == high:
            raise GenotypeError(f"the inputs of a node must be different nodes, got node {low} twice")
        return [high * (high - 1) // 2 + low, low_op, high_op]

    def _pairs(self, step: int) -> tuple[tuple[int, int], ...]:
        """Pairs of nodes before an inner node, in the order of their codes; the same code for every inner node."""
        return tuple((low, high) for high in range(self.num_inputs + step) for low in range(high))

    def _change(self, codes: Codes, columns: Codes, rng: np.random.Generator) -> None:
        """Change an operation, or one node of a pair to one that is not in it; its operation stays with each node."""
        is_op = self._columns[columns, 2] == 1
        changed_ops = codes[is_op]
        super()._change(changed_ops, columns[is_op], rng)
        codes[is_op] = changed_ops
        for column in np.unique(columns[~is_op]):
            rows = np.flatnonzero(columns == column)
            neighbours = self._neighbours[self._columns[column, 1]]
            drawn = rng.integers(neighbours.shape[1], size=len(rows))
            pair, swapped = neighbours[codes[rows, column], drawn].T
            ops = codes[rows[:, None], column + 1 + np.stack([swapped, 1 - swapped], axis=1)]
            codes[rows, column] = pair
            codes[rows[:, None], [column + 1, column + 2]] = ops

    @cached_property
    def _neighbours(self) -> list[npt.NDArray[np.int64]]:
        """For each step the pairs with one node in common, ``(pairs, neighbours, 2)``: (code, whether order turns)."""
        return [
            np.array([self._neighbours_of(pair, pairs) for pair in pairs], dtype=np.int64)
            for pairs in map(self._pairs, range(max(self.num_steps)))
        ]

    def _neighbours_of(
        self, pair: tuple[int, int], pairs: Sequence[tuple[int, int]]
    ) -> list[tuple[int, bool]]:
        found = []
        for code, other in enumerate(pairs):
            if len(common := set(pair) & set(other)) == 1:
                (node,) = common
                found.append((code, pair.index(node) != other.index(node)))
        return found


class Nb301Space(CnnSpace):
    """Normal and reduction cells of four inner nodes, each of which reads two different nodes; no operation ``none``.

    Holds 1.04·10⁹ cells, 1.08·10¹⁸ pairs of them.

    Args:
        num_layers: Cells in the network; those at one and two thirds are reduction cells.
        shared_primitives: Operations to choose from.
        node_mutate_prob: Probability that a mutation changes where an input comes from, rather than its operation.

    Source: Siems et al., "NAS-Bench-301 and the Case for Surrogate Benchmarks for Neural Architecture Search", 2020;
    the space is that of Liu et al., "DARTS: Differentiable Architecture Search", ICLR 2019.
    """

    encoding_class = PairEncoding

    def __init__(
        self,
        *,
        num_layers: PositiveInt = 8,
        shared_primitives: tuple[str, ...] = NB301_PRIMITIVES,
        node_mutate_prob: Fraction = 0.5,
    ) -> None:
        super().__init__(
            num_layers=num_layers, shared_primitives=shared_primitives, node_mutate_prob=node_mutate_prob
        )
