"""Operations on the edges of a cell, arranged so that what several edges have in common is computed once per node."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext

import torch
from torch import Tensor, nn

from awnas_networks.primitives.plain import Identity, Zero
from awnas_networks.primitives.table import PrimitiveTable

PURE = (nn.Identity, nn.AvgPool2d, nn.MaxPool2d, nn.BatchNorm2d, nn.Sequential)
"""Without parameters these are functions of their input alone: edges that leave one node can share the result."""

_RELU = nn.ReLU()


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
        self._made: dict[nn.Module, Tensor] = {}

    @property
    def rectified(self) -> Tensor:
        """What operations see, after a ReLU."""
        return self.through(_RELU)

    def through(self, module: nn.Module) -> Tensor:
        """Return what ``module`` makes of what operations see; it runs when first asked for."""
        if module not in self._made:
            self._made[module] = module(self.seen)
        return self._made[module]


class Operation(nn.Module):
    """A primitive on an edge.

    Args:
        primitive: What the edge computes. A leading ReLU is left to the node.
    """

    def __init__(self, primitive: nn.Module) -> None:
        super().__init__()
        self.is_zero = isinstance(primitive, Zero)
        self.is_identity = isinstance(primitive, Identity)
        self.is_shared = is_pure(primitive)
        self._rectify = type(primitive) is nn.Sequential and type(primitive[0]) is nn.ReLU
        self.body = primitive[1:] if self._rectify else primitive  # type: ignore[index]

    def forward(self, node: NodeState, weight: Tensor | None = None, *, frozen: bool = False) -> Tensor:
        """Return the output ``(N, C, H, W)`` of the edge, times ``weight``.

        Args:
            node: Where the edge comes from.
            weight: A scalar, or ``(N, 1, 1, 1)``; None for 1.
            frozen: Let no gradient through the operation itself, only to ``weight``.
        """
        if self.is_shared:
            output = node.through(self.body)
        else:
            inputs = node.rectified if self._rectify else node.seen
            with torch.no_grad() if frozen else nullcontext():
                output = self.body(inputs)
        if frozen:
            output = output.detach()
        return output if weight is None else output * weight


def is_pure(module: nn.Module) -> bool:
    """Tell whether a module has no parameters, draws nothing, and so gives equal edges equal results."""
    return all(type(part) in (*PURE, Identity) for part in module.modules()) and not any(
        True for _ in module.parameters()
    )


def edge_operation(
    table: PrimitiveTable, name: str, channels: int, stride: int, affine: bool, *, pool_norm: bool = True
) -> Operation:
    """Return a primitive on a connection; pools are followed by batch normalisation when ``pool_norm``."""
    op = table.build(name, channels, channels, stride, affine)
    if pool_norm and "pool" in name:
        op = nn.Sequential(op, nn.BatchNorm2d(channels, affine=affine))
    return Operation(op)


def total(parts: Iterable[Tensor]) -> Tensor:
    """Return the sum of one or more tensors, which are left as they are."""
    parts = iter(parts)
    result = next(parts)
    for second in parts:
        result = result + second
        break
    for part in parts:
        result += part  # in place: the sum is nobody else's
    return result
