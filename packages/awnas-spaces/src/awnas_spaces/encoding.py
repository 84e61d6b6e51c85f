"""How cells are written as codes, and how these are mutated and crossed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from awnas_core.decisions import Codes, Decision, Decisions
from awnas_core.errors import ConfigError
from awnas_core.rollout import Arch

Input = tuple[int, int]
"""An input of an inner node: (node it comes from, code of the operation on it)."""
CellCodes = tuple[tuple[int, ...], tuple[int, ...]]
"""(from-nodes, codes of operations) of a cell, both of length steps · inputs, node by node."""


class Column(NamedTuple):
    """What a code decides: in which group, for which inner node, whether operation or from-node, of which input."""

    group: int
    step: int
    is_op: int
    connection: int


class CellEncoding:
    """Codes of cells: per group and inner node, where each of its inputs comes from, then the operation on each.

    Args:
        group_names: Names of the cell groups.
        num_inputs: Inputs of a cell; inner nodes are numbered after them.
        num_steps: Inner nodes of each group.
        num_node_inputs: Inputs of an inner node.
        primitives: Operations of each group.
    """

    def __init__(
        self,
        group_names: Sequence[str],
        num_inputs: int,
        num_steps: Sequence[int],
        num_node_inputs: int,
        primitives: Sequence[Sequence[str]],
    ) -> None:
        self.group_names = tuple(group_names)
        self.num_inputs = num_inputs
        self.num_steps = tuple(num_steps)
        self.num_node_inputs = num_node_inputs
        self.primitives = tuple(tuple(names) for names in primitives)
        described = [
            item
            for group, steps in enumerate(self.num_steps)
            for step in range(steps)
            for item in (*self._from_decisions(group, step), *self._op_decisions(group, step))
        ]
        self.decisions = Decisions([decision for _, decision in described])
        self._columns: npt.NDArray[np.int64] = np.array([column for column, _ in described])  # (D, 4)

    def cells(self, arch: Arch) -> tuple[CellCodes, ...]:
        """Return the cells of an architecture."""
        k = self.num_node_inputs
        cells = []
        for start, steps in zip(self._starts, self.num_steps, strict=True):
            nodes: tuple[int, ...] = ()
            ops: tuple[int, ...] = ()
            for at in range(start, start + 2 * k * steps, 2 * k):
                nodes += arch[at : at + k]
                ops += arch[at + k : at + 2 * k]
            cells.append((nodes, ops))
        return tuple(cells)

    def encode(self, cells: Sequence[Sequence[Sequence[Input]]]) -> Arch:
        """Return the architecture with the given inputs, for each group and inner node."""
        return tuple(code for steps in cells for inputs in steps for code in self._node_codes(inputs))

    def mutate(self, codes: Codes, rng: np.random.Generator, node_prob: float) -> Codes:
        """Return a copy with one entry of every row changed.

        The group is drawn, then with ``node_prob`` a from-node, else an operation; then which, and to what. Where a
        group has nothing of the one kind to change, it is the other.

        Raises: ConfigError when nothing can be changed.
        """
        table, lengths = self._changeable
        rows = np.arange(len(codes))
        group = rng.integers(len(table), size=len(rows))
        kind = (rng.random(len(rows)) >= node_prob).astype(np.int64)
        kind = np.where(lengths[group, kind] > 0, kind, 1 - kind)
        place = (rng.random(len(rows)) * lengths[group, kind]).astype(np.int64)
        children = np.array(codes, dtype=np.int64)
        self._change(children, table[group, kind, place], rng)
        return children

    def mixture(
        self,
        n: int,
        rng: np.random.Generator,
        prob: float,
        *,
        group: bool,
        step: bool,
        kind: bool,
        connection: bool,
    ) -> npt.NDArray[np.bool_]:
        """Draw which codes come from the first of two parents, shape ``(n, D)``.

        Args:
            n: Number of children.
            rng: Where the mixture comes from.
            prob: Probability of the first parent.
            group: Groups are drawn each on its own, not alike.
            step: Inner nodes likewise.
            kind: From-nodes and operations likewise.
            connection: Inputs of a node likewise.
        """
        part = np.zeros(len(self._columns), dtype=np.int64)
        for number, apart in zip(self._columns.T, (group, step, kind, connection), strict=True):
            part = part * (number.max() + 1) + (number if apart else 0)
        return np.asarray((rng.random((n, part.max() + 1)) < prob)[:, part])

    def _from_decisions(self, group: int, step: int) -> Iterator[tuple[Column, Decision]]:
        earlier = tuple(range(self.num_inputs + step))
        for i in range(self.num_node_inputs):
            yield Column(group, step, 0, i), Decision(f"{self._name(group, step)}.from_{i}", earlier)

    def _op_decisions(self, group: int, step: int) -> Iterator[tuple[Column, Decision]]:
        for i in range(self.num_node_inputs):
            name = f"{self._name(group, step)}.op_{i}"
            yield Column(group, step, 1, i), Decision(name, self.primitives[group])

    def _name(self, group: int, step: int) -> str:
        return f"{self.group_names[group]}.node_{self.num_inputs + step}"

    def _node_codes(self, inputs: Sequence[Input]) -> list[int]:
        return [source for source, _ in inputs] + [op for _, op in inputs]

    def _change(self, codes: Codes, columns: Codes, rng: np.random.Generator) -> None:
        """Set in each row the code in its column to another, uniformly."""
        rows = np.arange(len(codes))
        count = self.decisions.cardinalities[columns]
        shift = 1 + (rng.random(len(codes)) * (count - 1)).astype(np.int64)
        codes[rows, columns] = (codes[rows, columns] + shift) % count

    @cached_property
    def _starts(self) -> tuple[int, ...]:
        """Place of each group's first code."""
        return tuple(np.searchsorted(self._columns[:, 0], range(len(self.num_steps))).tolist())

    @cached_property
    def _changeable(self) -> tuple[Codes, Codes]:
        """The columns with a choice, of every group that has any: (padded ``(groups, 2, longest)``, their numbers)."""
        open_columns = np.flatnonzero(self.decisions.cardinalities > 1)
        if not len(open_columns):
            raise ConfigError("nothing can be mutated: every decision has a single choice")
        groups = np.unique(self._columns[open_columns, 0])
        parts = [
            [
                open_columns[(self._columns[open_columns][:, [0, 2]] == (group, kind)).all(1)]
                for kind in (0, 1)
            ]
            for group in groups
        ]
        lengths = np.array([[len(part) for part in kinds] for kinds in parts])
        table = np.zeros((*lengths.shape, lengths.max()), dtype=np.int64)
        for g, kinds in enumerate(parts):
            for kind, part in enumerate(kinds):
                table[g, kind, : len(part)] = part
        return table, lengths
