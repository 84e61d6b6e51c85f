"""A recurrent cell: its weights, and the way that one architecture takes through them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from awnas_core.errors import ConfigError, did_you_mean

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "identity": lambda values: values,
}
NONE = "none"
"""The primitive of an edge that contributes nothing."""
INIT_RANGE = 0.04


class Edge(NamedTuple):
    """An operation from one node of a cell to a later one.

    Args:
        source: 0 for the node that joins input and last hidden state, else an inner node.
        target: An inner node.
        primitive: The activation.
        weight: Place of its weight among the flattened weights of a mixture ``(E, P)``; None where it just counts.
    """

    source: int
    target: int
    primitive: str
    weight: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CellSettings:
    """What cells of a network have in common.

    Args:
        share_primitive_weights: One matrix for all activations of an edge.
        share_from_weights: One matrix for everything that a node reads.
        batchnorm_step: Normalise every inner node.
        batchnorm_edge: Normalise what every matrix returns.
        batchnorm_out: Normalise the hidden state.
    """

    share_primitive_weights: bool = False
    share_from_weights: bool = False
    batchnorm_step: bool = False
    batchnorm_edge: bool = False
    batchnorm_out: bool = True

    def matrix_of(self, edge: Edge) -> str:
        """Return the name of the matrix that an edge multiplies with."""
        if self.share_from_weights:
            return f"to_{edge.target}"
        between = f"{edge.source}_to_{edge.target}"
        return between if self.share_primitive_weights else f"{between}_{edge.primitive}"


class RecurrentCell(nn.Module):
    """The weights of one cell, for all edges that there may be.

    Args:
        in_features: Features of the input, I.
        features: Features of the hidden state, H.
        edges: All of them.
        num_steps: Inner nodes.
        settings: What matrices and normalisations there are.

    Raises: ConfigError for a primitive that is no activation.

    Source: Pham et al., "Efficient Neural Architecture Search via Parameter Sharing", ICML 2018, section 2.1, with
    highway connections (Zilly et al., "Recurrent Highway Networks", ICML 2017); initialised as by Liu et al., "DARTS:
    Differentiable Architecture Search", ICLR 2019.
    """

    def __init__(
        self, in_features: int, features: int, edges: Iterable[Edge], num_steps: int, settings: CellSettings
    ) -> None:
        super().__init__()
        self.in_features, self.features, self.settings = in_features, features, settings
        self.joint = _uniform(in_features + features, 2 * features)
        names = {settings.matrix_of(edge): None for edge in edges if _checked(edge).primitive != NONE}
        self.matrices = nn.ParameterDict({name: _uniform(features, 2 * features) for name in names})
        by_edge = [*names, "joint"] if settings.batchnorm_edge else []
        self.edge_norms = nn.ModuleDict({name: _norm(2 * features) for name in by_edge})
        steps = range(1, num_steps + 1) if settings.batchnorm_step else ()
        self.step_norms = nn.ModuleDict({str(node): _norm(features) for node in steps})
        self.out_norm = nn.BatchNorm1d(features) if settings.batchnorm_out else None


def _checked(edge: Edge) -> Edge:
    if edge.primitive not in (*ACTIVATIONS, NONE):
        known = (*ACTIVATIONS, NONE)
        hint = did_you_mean(edge.primitive, known) or f"; there are {', '.join(known)}"
        raise ConfigError(f"no activation '{edge.primitive}' for a recurrent cell{hint}")
    return edge


def _uniform(rows: int, columns: int) -> nn.Parameter:
    return nn.Parameter(torch.empty(rows, columns).uniform_(-INIT_RANGE, INIT_RANGE))


def _norm(features: int) -> nn.BatchNorm1d:
    return nn.BatchNorm1d(features, affine=False)


class _Group(NamedTuple):
    """Operations of one activation on one node."""

    primitive: str
    columns: slice | list[int]  # among the matrices of the node
    targets: tuple[int, ...]
    weights: list[int] | None


class CellWalk(nn.Module):
    """The way of one architecture through a cell; it borrows the weights it uses and no others.

    What a node gives to others takes one matrix product, whatever the number of its readers.

    Args:
        cell: Whose weights.
        edges: Of the architecture, perhaps several between two nodes.
        outputs: Inner nodes whose mean is the hidden state.
    """

    def __init__(self, cell: RecurrentCell, edges: Iterable[Edge], outputs: Sequence[int]) -> None:
        super().__init__()
        settings = cell.settings
        used = sorted((edge for edge in edges if edge.primitive != NONE), key=_order)
        self.names = {
            source: list(dict.fromkeys(settings.matrix_of(edge) for edge in used if edge.source == source))
            for source in dict.fromkeys(edge.source for edge in used)
        }
        self._groups = {
            source: _groups_of(used, source, names, settings) for source, names in self.names.items()
        }
        self._outputs = tuple(outputs)
        self._last = max([*outputs, *(edge.target for edge in used)])
        names = dict.fromkeys(name for of_source in self.names.values() for name in of_source)
        self.joint, self.out_norm = cell.joint, cell.out_norm
        self.matrices = nn.ParameterDict({name: cell.matrices[name] for name in names})
        self.edge_norms = nn.ModuleDict(
            {name: cell.edge_norms[name] for name in ("joint", *names) if name in cell.edge_norms}
        )
        self.step_norms = cell.step_norms
        self.in_features, self.features = cell.in_features, cell.features

    def forward(
        self,
        inputs: Tensor,
        hidden: Tensor,
        *,
        input_mask: Tensor | None = None,
        hidden_mask: Tensor | None = None,
        weights: Tensor | None = None,
    ) -> Tensor:
        """Return the hidden states ``(T, B, H)``.

        Args:
            inputs: Shape ``(T, B, I)``.
            hidden: State before the first step, ``(B, H)``.
            input_mask: Dropout of the inputs, ``(B, I)``, the same at every step.
            hidden_mask: Dropout of every node that a matrix multiplies, ``(B, H)``.
            weights: Weights of the mixture, ``(E·P,)``, or ``(E·P, B)`` where they differ between texts.
        """
        inputs = inputs if input_mask is None else inputs * input_mask
        # The part of the input does not depend on the state, so that one product does for all steps.
        from_inputs = inputs @ self.joint[: self.in_features]
        from_hidden = self.joint[self.in_features :]
        matrices = {
            source: torch.cat([self.matrices[name] for name in names], 1)
            for source, names in self.names.items()
        }
        shares = {
            source: [_share(group, weights) for group in groups] for source, groups in self._groups.items()
        }
        states = []
        for from_input in from_inputs.unbind():
            joined = from_input + _masked(hidden, hidden_mask) @ from_hidden
            gate, value = self._normalised("joint", joined).chunk(2, -1)
            nodes = {0: hidden + torch.sigmoid(gate) * (torch.tanh(value) - hidden)}
            hidden = self._step(nodes, matrices, shares, hidden_mask)
            states.append(hidden)
        return torch.stack(states)

    def _step(
        self,
        nodes: dict[int, Tensor],
        matrices: dict[int, Tensor],
        shares: dict[int, list[Tensor | None]],
        mask: Tensor | None,
    ) -> Tensor:
        """Run all inner nodes of one time step, given node 0; return the hidden state."""
        empty = torch.zeros_like(nodes[0])
        for node in range(self._last + 1):
            state = nodes.setdefault(node, empty)
            if node and str(node) in self.step_norms:
                state = nodes[node] = self.step_norms[str(node)](state)
            if node not in matrices:
                continue
            gates, values = self._read(node, _masked(state, mask) @ matrices[node])
            state = state[:, None]
            given: dict[tuple[int, ...], Tensor] = {}
            for group, share in zip(self._groups[node], shares[node], strict=True):
                activated = ACTIVATIONS[group.primitive](values[:, group.columns])
                part = state + gates[:, group.columns] * (activated - state)  # (B, readers, H)
                part = part if share is None else part * share
                given[group.targets] = given[group.targets] + part if group.targets in given else part
            for targets, parts in given.items():
                for target, part in zip(targets, parts.unbind(1), strict=True):
                    nodes[target] = nodes[target] + part if target in nodes else part
        out = torch.stack([nodes[node] for node in self._outputs]).mean(0)
        return out if self.out_norm is None else self.out_norm(out)

    def _read(self, node: int, products: Tensor) -> tuple[Tensor, Tensor]:
        """Return gates and values ``(B, matrices, H)`` of what the matrices of a node return."""
        if self.edge_norms:
            parts = products.split(2 * self.features, 1)
            named = zip(self.names[node], parts, strict=True)
            products = torch.cat([self._normalised(name, part) for name, part in named], 1)
        gates, values = products.view(len(products), -1, 2, self.features).unbind(2)
        return torch.sigmoid(gates), values

    def _normalised(self, name: str, values: Tensor) -> Tensor:
        return self.edge_norms[name](values) if name in self.edge_norms else values


def _order(edge: Edge) -> tuple[int, str, int]:
    return edge.source, edge.primitive, edge.target


def _groups_of(
    edges: Sequence[Edge], source: int, names: Sequence[str], settings: CellSettings
) -> list[_Group]:
    groups = []
    for primitive in dict.fromkeys(edge.primitive for edge in edges if edge.source == source):
        mine = [edge for edge in edges if (edge.source, edge.primitive) == (source, primitive)]
        columns = [names.index(settings.matrix_of(edge)) for edge in mine]
        is_span = columns == list(range(columns[0], columns[0] + len(columns)))
        weights = [edge.weight for edge in mine if edge.weight is not None]
        groups.append(
            _Group(
                primitive,
                slice(columns[0], columns[0] + len(columns)) if is_span else columns,
                tuple(edge.target for edge in mine),
                weights or None,
            )
        )
    return groups


def _share(group: _Group, weights: Tensor | None) -> Tensor | None:
    """Return the weights of a group's operations, ``(readers, 1)`` or ``(B, readers, 1)``."""
    if weights is None or group.weights is None:
        return None
    of_group = weights[group.weights]
    return of_group.t().unsqueeze(-1) if of_group.dim() == 2 else of_group.unsqueeze(-1)


def _masked(state: Tensor, mask: Tensor | None) -> Tensor:
    return state if mask is None else state * mask
