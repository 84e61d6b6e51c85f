"""Operations on the edges of a cell, arranged so that what several edges have in common is computed once per node."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from awnas_networks.primitives.average_pool import AveragePool
from awnas_networks.primitives.dilated import DilatedConv2d
from awnas_networks.primitives.plain import Identity, ShiftedConvolutions, Zero
from awnas_networks.primitives.table import PrimitiveTable

T = TypeVar("T")

PURE = (nn.Identity, Identity, AveragePool, nn.AvgPool2d, nn.MaxPool2d, nn.BatchNorm2d, nn.Sequential)
"""Without parameters these are functions of their input alone: edges that leave one node can share the result."""

PREPARING = (DilatedConv2d, ShiftedConvolutions)
"""What these make of their input before they use weights can be shared by edges that leave one node."""

Term = tuple[Tensor, Tensor | None]
"""What an edge adds to a node: (value, the scalar or ``(N, 1, 1, 1)`` that it is still to be multiplied by)."""


class NodeState:
    """The value of a node, and what edges make of it, each computed once and only when an edge asks for it.

    Args:
        value: The value, ``(N, C, H, W)``.
        seen: The part of it that operations see; all by default.
        rest: What goes round the operations.
    """

    __slots__ = ("_made", "rest", "seen", "value")

    def __init__(self, value: Tensor, seen: Tensor | None = None, rest: Tensor | None = None) -> None:
        self.value = value
        self.seen = value if seen is None else seen
        self.rest = rest
        self._made: dict[Hashable, Any] = {}

    @property
    def rectified(self) -> Tensor:
        """What operations see, after a ReLU."""
        return self.once("relu", lambda: torch.relu(self.seen))

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what is known under ``key``; it is made when first asked for."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]  # type: ignore[no-any-return]


class Operation(nn.Module):
    """A primitive on an edge.

    A leading ReLU, and the way some convolutions rearrange their input, are left to the node. A batch normalisation
    without weights at the end multiplies by the weight of the operation, which saves a pass over the data.

    Args:
        primitive: What the edge computes.
    """

    def __init__(self, primitive: nn.Module) -> None:
        super().__init__()
        self.is_zero = isinstance(primitive, Zero)
        self.is_identity = isinstance(primitive, Identity)
        self.is_shared = is_pure(primitive)
        self.layers = nn.ModuleList(primitive if type(primitive) is nn.Sequential else [primitive])
        last = self.layers[-1]
        self._rectify = len(self.layers) > 1 and type(self.layers[0]) is nn.ReLU
        self._scales = not self.is_shared and type(last) is nn.BatchNorm2d and last.weight is None

    def forward(self, node: NodeState) -> Tensor:
        """Return the output ``(N, C, H, W)`` of the edge that leaves ``node``."""
        if self.is_shared:
            return node.once(self, lambda: self._run(self._input(node)))
        return self._run(self._input(node))

    def weighted(self, node: NodeState, weight: Tensor) -> Term:
        """Return what the edge adds to a node where the operation has a weight, a scalar or ``(N, 1, 1, 1)``."""
        if not self._scales or weight.dim():
            return self(node), weight
        return scaled(self.layers[-1], self._run(self._input(node), -1), weight), None  # type: ignore[arg-type]

    def frozen(self, node: NodeState, weight: Tensor) -> Term:
        """Return the same, letting no gradient through but that of the weight."""
        if self.is_shared:
            return self(node).detach(), weight
        inputs = self._input(node)
        with torch.no_grad():
            return self._run(inputs), weight

    def _input(self, node: NodeState) -> tuple[Any, ...]:
        """Return the arguments of the first layer."""
        value = node.rectified if self._rectify else node.seen
        first = self.layers[self._rectify]
        if not isinstance(first, PREPARING):
            return (value,)
        return value, node.once((self._rectify, first.preparation), lambda: first.prepare(value))

    def _run(self, inputs: tuple[Any, ...], stop: int | None = None) -> Tensor:
        first, *others = list(self.layers)[self._rectify : stop]
        value: Tensor = first(*inputs)
        for layer in others:
            value = layer(value)
        return value


def scaled(norm: nn.BatchNorm2d, inputs: Tensor, factor: Tensor) -> Tensor:
    """Return ``norm(inputs) * factor`` for a normalisation without weights and a scalar, in the same two passes.

    The scalar takes the place of the weights for the time of the call.
    """
    parameters = norm._parameters
    # Contiguous, because the backward pass on CPUs reads an expanded scalar as if it were as many numbers (torch 2.14).
    parameters["weight"] = factor.expand(norm.num_features).contiguous()  # type: ignore[assignment]
    try:
        return norm(inputs)  # type: ignore[no-any-return]
    finally:
        parameters["weight"] = None


def is_pure(module: nn.Module) -> bool:
    """Tell whether a module has no parameters, draws nothing, and so gives equal edges equal results."""
    return all(type(part) in PURE for part in module.modules()) and not any(True for _ in module.parameters())


def edge_operation(
    table: PrimitiveTable,
    name: str,
    channels: int,
    stride: int,
    affine: bool,
    *,
    channels_in: int | None = None,
    pool_norm: bool = True,
) -> Operation:
    """Return a primitive on a connection.

    Args:
        table: Where it comes from.
        name: Its name.
        channels: Channels of the output.
        stride: Its stride.
        affine: Whether batch normalisations have weights.
        channels_in: Channels of the input; as many by default.
        pool_norm: Whether batch normalisation follows pools.
    """
    op = table.build(name, channels_in or channels, channels, stride, affine)
    if pool_norm and "pool" in name and not any(True for _ in op.parameters()):
        op = nn.Sequential(op, nn.BatchNorm2d(channels, affine=affine))
    return Operation(op)


def total(parts: Iterable[Tensor]) -> Tensor:
    """Return the sum of one or more tensors, which are left as they are."""
    return weighted_total((part, None) for part in parts)


def weighted_total(terms: Iterable[Term]) -> Tensor:
    """Return the sum of one or more terms, which are left as they are."""
    terms = iter(terms)
    value, weight = next(terms)
    result = value if weight is None else value * weight
    is_own = weight is not None
    for value, weight in terms:
        if weight is None:
            result = result.add_(value) if is_own else result + value
        else:
            result = result.addcmul_(value, weight) if is_own else result.addcmul(value, weight)
        is_own = True  # the sum is nobody else's: it grows in place
    return result
