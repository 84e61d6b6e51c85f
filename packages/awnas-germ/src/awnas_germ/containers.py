"""Choices of structure: how many blocks, which operation, which inputs."""

from __future__ import annotations

import functools
import operator
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn

from awnas_core.errors import ConfigError
from awnas_germ.choices import Choices, Expression, Subset
from awnas_germ.resolve import Resolver, Searchable

if TYPE_CHECKING:
    from awnas_germ.relax import Relaxer, Weights


class Branch(NamedTuple):
    """A member that is there only under some values of a choice."""

    module: nn.Module
    choice: Choices
    values: tuple[Any, ...]


class Container(Searchable):
    """A searchable module with members that an architecture may leave out."""

    @abstractmethod
    def branches(self) -> Iterator[Branch]:
        """Yield every member that may be left out, with the values under which it is there."""


class Repeat(Container):
    """The first ``depth`` of some blocks, one after another.

    Args:
        blocks: All blocks.
        depth: How many of them; at most as many as there are.
    """

    def __init__(self, blocks: Sequence[nn.Module], depth: Any) -> None:
        super().__init__()
        counts = depth.values() if isinstance(depth, Expression) else (depth,)
        if min(counts) < 0 or max(counts) > len(blocks):
            raise ConfigError(f"depth of {len(blocks)} blocks must be 0 … {len(blocks)}, got {list(counts)}")
        self.depth = depth
        self.blocks = nn.ModuleList(blocks)

    def resolved(self, resolver: Resolver) -> nn.Module:
        """Return the first blocks as a sequence."""
        depth = resolver.value(self.depth)
        return nn.Sequential(*(resolver.module(block) for block in list(self.blocks)[:depth]))

    def relaxed(self, relaxer: Relaxer) -> nn.Module:
        """Return the mixture of the outputs after every number of blocks."""
        return _MixedDepth([relaxer.module(block) for block in self.blocks], self.depth, relaxer.weights)

    def branches(self) -> Iterator[Branch]:
        """Yield block i with the depths above i."""
        for i, block in enumerate(self.blocks):
            yield from _branch(block, self.depth, functools.partial(operator.lt, i))


class MixedOp(Container):
    """One operation out of several.

    Args:
        ops: Name → operation, or a list, whose members are called by their place.
        which: The choice of a name; one of its own by default. Hand in the same to choose alike in several places.
    """

    def __init__(
        self, ops: Mapping[str, nn.Module] | Sequence[nn.Module], which: Choices | None = None
    ) -> None:
        super().__init__()
        named = ops if isinstance(ops, Mapping) else {str(i): op for i, op in enumerate(ops)}
        self.which = Choices(list(named)) if which is None else which
        if missing := [name for name in self.which.choices if name not in named]:
            raise ConfigError(f"no operation '{missing[0]}' to choose; there are {', '.join(named)}")
        self.ops = nn.ModuleDict(named)

    def resolved(self, resolver: Resolver) -> nn.Module:
        """Return the chosen operation."""
        return resolver.module(self.ops[resolver.value(self.which)])

    def relaxed(self, relaxer: Relaxer) -> nn.Module:
        """Return the mixture of the outputs of all operations."""
        ops = {name: relaxer.module(op) for name, op in self.ops.items()}
        return _MixedOps(ops, self.which, relaxer.weights)

    def branches(self) -> Iterator[Branch]:
        """Yield every operation with its name."""
        for name, op in self.ops.items():
            yield from _branch(op, self.which, functools.partial(operator.eq, name))


class Select(Searchable):
    """Some of a list of tensors.

    Args:
        inputs: Which, as tuples of places; ``Subset(range(n), k)`` for any k of n.
    """

    def __init__(self, inputs: Choices) -> None:
        super().__init__()
        self.inputs = inputs

    def resolved(self, resolver: Resolver) -> nn.Module:
        """Return a module that picks."""
        return _Pick(tuple(resolver.value(self.inputs)))

    def relaxed(self, relaxer: Relaxer) -> nn.Module:
        """Return a module that mixes, place by place, what it would pick."""
        return _MixedPick(self.inputs, relaxer.weights)


class OpOnEdge(Searchable):
    """A node that sums an operation on each of its inputs; inputs and operations are chosen.

    Args:
        num_nodes: Nodes there are to read from.
        num_inputs: How many different ones it reads.
        op: Makes a fresh set of operations, name → module; called once for every input.
    """

    def __init__(self, num_nodes: int, num_inputs: int, op: Callable[[], Mapping[str, nn.Module]]) -> None:
        super().__init__()
        self.select = Select(Subset(range(num_nodes), num_inputs))
        self.edges = nn.ModuleList(MixedOp(op()) for _ in range(num_inputs))

    def resolved(self, resolver: Resolver) -> nn.Module:
        """Return the node with its choices made."""
        return _SumOfEdges(resolver.module(self.select), [resolver.module(edge) for edge in self.edges])

    def relaxed(self, relaxer: Relaxer) -> nn.Module:
        """Return the node with its choices mixed."""
        return self.resolved(relaxer)


class OpOnNode(Searchable):
    """A node that applies one operation to the sum of its inputs; both are chosen.

    Args:
        num_nodes: Nodes there are to read from.
        num_inputs: How many different ones it reads.
        op: Makes a fresh set of operations, name → module.
    """

    def __init__(self, num_nodes: int, num_inputs: int, op: Callable[[], Mapping[str, nn.Module]]) -> None:
        super().__init__()
        self.select = Select(Subset(range(num_nodes), num_inputs))
        self.op = MixedOp(op())

    def resolved(self, resolver: Resolver) -> nn.Module:
        """Return the node with its choices made."""
        return _OpOfSum(resolver.module(self.select), resolver.module(self.op))

    def relaxed(self, relaxer: Relaxer) -> nn.Module:
        """Return the node with its choices mixed."""
        return self.resolved(relaxer)


class _MixedDepth(nn.Module):
    def __init__(self, blocks: Sequence[nn.Module], depth: Any, weights: Weights) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self._depth, self._weights = depth, weights

    def forward(self, inputs: Tensor) -> Tensor:
        shares = dict(self._weights.shares(self._depth))
        total, outputs = None, inputs
        for depth in range(max(shares) + 1):
            outputs = self.blocks[depth - 1](outputs) if depth else outputs
            if depth in shares:
                part = shares[depth].to(outputs) * outputs
                total = part if total is None else total + part
        assert total is not None, "the weights of a choice sum to 1"
        return total


class _MixedOps(nn.Module):
    def __init__(self, ops: Mapping[str, nn.Module], which: Choices, weights: Weights) -> None:
        super().__init__()
        self.ops = nn.ModuleDict(ops)
        self._which, self._weights = which, weights

    def forward(self, *inputs: Any) -> Tensor:
        parts = []
        for name, share in self._weights.shares(self._which):
            output = self.ops[name](*inputs)
            parts.append(share.to(output) * output)
        return _total(parts)


class _MixedPick(nn.Module):
    def __init__(self, inputs: Choices, weights: Weights) -> None:
        super().__init__()
        self._inputs, self._weights = inputs, weights

    def forward(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        shares = self._weights.shares(self._inputs)
        subsets: Any = self._inputs.choices
        places = range(len(subsets[0]))
        return [
            _total([share.to(tensors[0]) * tensors[picked[place]] for picked, share in shares])
            for place in places
        ]


class _Pick(nn.Module):
    def __init__(self, places: tuple[int, ...]) -> None:
        super().__init__()
        self._places = places

    def forward(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        return [tensors[place] for place in self._places]


class _SumOfEdges(nn.Module):
    def __init__(self, select: nn.Module, edges: Sequence[nn.Module]) -> None:
        super().__init__()
        self.select, self.edges = select, nn.ModuleList(edges)

    def forward(self, tensors: Sequence[Tensor]) -> Tensor:
        parts = [edge(tensor) for edge, tensor in zip(self.edges, self.select(tensors), strict=True)]
        return _total(parts)


class _OpOfSum(nn.Module):
    def __init__(self, select: nn.Module, op: nn.Module) -> None:
        super().__init__()
        self.select, self.op = select, op

    def forward(self, tensors: Sequence[Tensor]) -> Tensor:
        result: Tensor = self.op(_total(self.select(tensors)))
        return result


def _total(parts: Sequence[Tensor]) -> Tensor:
    total = parts[0]
    for part in parts[1:]:
        total = torch.add(total, part)
    return total


def _branch(module: nn.Module, expression: Any, there: Callable[[Any], bool]) -> Iterator[Branch]:
    """Yield the branch of a member, none where it always is there or hangs on several choices at once."""
    if isinstance(expression, Expression) and len(expression.leaves) == 1:
        (leaf,) = expression.leaves
        values = tuple(choice for choice in leaf.choices if there(expression.value({leaf: choice})))
        if len(values) < len(leaf.choices):
            yield Branch(module, leaf, values)
