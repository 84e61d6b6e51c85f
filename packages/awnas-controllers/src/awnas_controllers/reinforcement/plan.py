"""The order in which a policy takes the decisions of cells, and how its actions become architectures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from awnas_core.decisions import Codes
from awnas_core.errors import ConfigError


@runtime_checkable
class CellSpace(Protocol):
    """What a policy has to know of a search space of cells.

    A cell has ``num_init_nodes`` input nodes and ``steps_of(group)`` inner nodes; each inner node has
    ``num_node_inputs`` inputs, and each of these comes from an earlier node through one of the primitives.
    """

    num_init_nodes: int
    num_node_inputs: int
    group_names: Sequence[str]

    def steps_of(self, group: int) -> int:
        """Return the number of inner nodes of a cell group."""

    def primitives_of(self, group: int) -> Sequence[str]:
        """Return the names of a cell group's primitives."""

    def cells(self, arch: Any) -> Sequence[tuple[Sequence[int], Sequence[int]]]:
        """Return (from-nodes, primitives) of each group, each of length steps × inputs: ``arch`` rearranged."""


@dataclass(frozen=True, slots=True)
class CellPlan:
    """The decisions of cells of one shape, in the order of a policy.

    For each inner node: K from-nodes, then K primitives (K = ``num_node_inputs``). Letters: n architectures, G cell
    groups, S inner nodes, T = 2·S·K decisions of a cell, P primitives in the vocabulary.

    Args:
        group_names: The G groups that the policy decides.
        num_init_nodes: Input nodes of a cell.
        num_steps: S.
        num_node_inputs: K.
        vocabulary: Primitives of all groups together, in order of first appearance.
        rows: For each group, the places of its primitives in the vocabulary.
        columns: Index among the space's decisions of each action, shape ``(G, T)``.
        chained: One hidden state runs through all groups; otherwise each group starts afresh.
    """

    group_names: tuple[str, ...]
    num_init_nodes: int
    num_steps: int
    num_node_inputs: int
    vocabulary: tuple[str, ...]
    rows: tuple[tuple[int, ...], ...]
    columns: npt.NDArray[np.int64]
    chained: bool = False

    @property
    def num_groups(self) -> int:
        """G."""
        return len(self.group_names)

    @property
    def num_decisions(self) -> int:
        """T, the decisions of one cell."""
        return 2 * self.num_steps * self.num_node_inputs

    @property
    def num_nodes(self) -> int:
        """Nodes that an inner node can read from: all but the last."""
        return self.num_init_nodes + self.num_steps - 1

    @property
    def shares_vocabulary(self) -> bool:
        """Whether every group uses every primitive of the vocabulary, in its order."""
        everything = tuple(range(len(self.vocabulary)))
        return all(row == everything for row in self.rows)

    def op_mask(self) -> npt.NDArray[np.bool_]:
        """Return which primitives of the vocabulary each group may use, shape ``(G, P)``."""
        mask = np.zeros((self.num_groups, len(self.vocabulary)), dtype=np.bool_)
        for group, row in enumerate(self.rows):
            mask[group, list(row)] = True
        return mask

    def write(self, actions: npt.NDArray[np.int64], codes: Codes) -> None:
        """Write ``actions``, shape ``(n, G, T)``, into the codes of n architectures, shape ``(n, D)``."""
        if not self.shares_vocabulary:
            actions = self._translated(actions, self._places())
        codes[:, self.columns.ravel()] = actions.reshape(len(actions), -1)

    def read(self, codes: Codes) -> npt.NDArray[np.int64]:
        """Return the actions, shape ``(n, G, T)``, that lead to architectures."""
        actions = codes[:, self.columns.ravel()].reshape(-1, self.num_groups, self.num_decisions)
        return (
            actions if self.shares_vocabulary else self._translated(actions, list(map(np.array, self.rows)))
        )

    def _places(self) -> list[npt.NDArray[np.int64]]:
        """Return for each group: place in the vocabulary → index among its primitives."""
        places = np.zeros((self.num_groups, len(self.vocabulary)), dtype=np.int64)
        for group, row in enumerate(self.rows):
            places[group, list(row)] = np.arange(len(row))
        return list(places)

    def _translated(
        self, actions: npt.NDArray[np.int64], tables: Sequence[npt.NDArray[np.int64]]
    ) -> npt.NDArray[np.int64]:
        """Return a copy of ``actions`` with the primitives of group g replaced by ``tables[g]``."""
        shape = (-1, self.num_groups, self.num_steps, 2, self.num_node_inputs)
        translated = actions.reshape(shape).copy()
        for group, table in enumerate(tables):
            translated[:, group, :, 1] = table[translated[:, group, :, 1]]
        return translated.reshape(actions.shape)


def plans_of(space: Any, *, independent: bool = False, chained: bool = False) -> tuple[CellPlan, ...]:
    """Return the plans of the policies of a space: one for all groups, or one for each when ``independent``.

    Raises: ConfigError when the space has no cells, or one policy would have to decide cells of several shapes.
    """
    if not isinstance(space, CellSpace):
        raise ConfigError(
            f"a recurrent policy decides cells (nodes, their inputs and primitives); {type(space).__name__} has none: "
            "set controller_cfg.controller_network_type: independent, or take a space such as 'cnn'"
        )
    groups = range(len(space.group_names))
    inputs = space.num_node_inputs * sum(space.steps_of(group) for group in groups)
    if len(space.decisions) != 2 * inputs:  # type: ignore[attr-defined]
        raise ConfigError(
            f"controller 'rl' decides a from-node and a primitive for each of {inputs} inputs; {type(space).__name__} "
            "decides them otherwise: take a controller for any space, such as 'random-sample' or 'evo'"
        )
    if independent:
        return tuple(_plan(space, (group,), chained) for group in groups)
    return (_plan(space, tuple(groups), chained),)


def _plan(space: CellSpace, groups: tuple[int, ...], chained: bool) -> CellPlan:
    steps = {space.steps_of(group) for group in groups}
    if len(steps) > 1:
        given = [space.steps_of(group) for group in groups]
        raise ConfigError(
            f"one policy for all cell groups needs as many inner nodes in each, the space has num_steps {given}; "
            "set controller_cfg.independent_cell_group: true"
        )
    vocabulary = tuple(dict.fromkeys(name for group in groups for name in space.primitives_of(group)))
    return CellPlan(
        group_names=tuple(space.group_names[group] for group in groups),
        num_init_nodes=space.num_init_nodes,
        num_steps=steps.pop(),
        num_node_inputs=space.num_node_inputs,
        vocabulary=vocabulary,
        rows=tuple(tuple(map(vocabulary.index, space.primitives_of(group))) for group in groups),
        columns=_columns(space, groups),
        chained=chained,
    )


def _columns(space: CellSpace, groups: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """Return which decision each action is, shape ``(G, T)``.

    ``cells`` only rearranges codes, so that codes which are their own positions show where each one goes.
    """
    positions = space.cells(tuple(range(len(space.decisions))))  # type: ignore[attr-defined]
    cells = np.array([positions[group] for group in groups])  # (G, 2, S·K)
    return cells.reshape(len(groups), 2, -1, space.num_node_inputs).swapaxes(1, 2).reshape(len(groups), -1)
