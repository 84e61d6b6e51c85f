"""A network whose choices are weights over their values, for gradient-based search."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from awnas_core.errors import ConfigError
from awnas_core.rollout import as_numpy
from awnas_germ.choices import Choices, Expression
from awnas_germ.resolve import Resolver

Shares = list[tuple[Any, Tensor]]
"""Every value that an expression can take, with its weight, a scalar; the weights sum to 1."""


class Weights:
    """The weights of all choices while a relaxed network runs.

    Args:
        names: Choice → name of its decision.
        given: Decision → weights ``(1, P)`` of the rollout.
    """

    def __init__(self, names: Mapping[Choices, str], given: Mapping[str, Any]) -> None:
        self._names = names
        self.given = given
        self._zero = {name: set((as_numpy(given[name])[0] == 0).nonzero()[0]) for name in names.values()}
        self.now: Mapping[str, Any] = given

    def of(self, choice: Choices) -> Tensor:
        """Return the weights of a choice, shape ``(P,)``."""
        return torch.as_tensor(self.now[self._names[choice]])[0]

    def used(self, choice: Choices) -> list[int]:
        """Return the codes that have to be computed: all for a gradient, else those whose weight is not exactly 0."""
        codes = range(len(choice.choices))
        if self.now is not self.given:
            return list(codes)
        return [code for code in codes if code not in self._zero[self._names[choice]]]

    def shares(self, value: Any) -> Shares:
        """Return the values of an expression with their weights; a plain value has weight 1."""
        if not isinstance(value, Expression):
            return [(value, torch.ones(()))]
        found: dict[Any, Tensor] = {}
        for codes in itertools.product(*(self.used(leaf) for leaf in value.leaves)):
            pairs = list(zip(value.leaves, codes, strict=True))
            share = math.prod((self.of(leaf)[code] for leaf, code in pairs), start=torch.ones(()))
            of_value = value.value({leaf: leaf.choices[code] for leaf, code in pairs})
            found[of_value] = found[of_value] + share if of_value in found else share
        return list(found.items())

    def mask(self, value: Any, size: int) -> Tensor:
        """Return for each of ``size`` places the weight of the values that reach it, shape ``(size,)``."""
        mask = torch.zeros(size)
        for count, share in self.shares(value):
            mask = mask + share * (torch.arange(size) < count)
        return mask


class Relaxer(Resolver):
    """Makes a network in which every searchable module mixes the outputs of all values of its choices.

    Attributes that hold expressions get their largest value, the sizes that the mixing modules work with.

    Args:
        names: Choice → name of its decision.
        weights: The weights to mix with.
    """

    def __init__(self, names: Mapping[Choices, str], weights: Weights) -> None:
        super().__init__({choice: _largest(choice) for choice in names})
        self.weights = weights

    def replace(self, module: Any) -> nn.Module:
        """Return the mixing form of a searchable module."""
        relaxed: nn.Module = module.relaxed(self)
        return relaxed


class RelaxedCandidate(nn.Module):
    """The network of a relaxed architecture, with borrowed weights.

    Args:
        network: The network that :class:`Relaxer` made.
        weights: The weights it mixes with.
    """

    def __init__(self, network: nn.Module, weights: Weights) -> None:
        super().__init__()
        self.network = network
        self._weights = weights

    def forward(self, inputs: Tensor, relaxed: Mapping[str, Tensor] | None = None) -> Any:
        """Return what the network returns.

        Args:
            inputs: A batch.
            relaxed: Leaves to mix with, decision → ``(1, P)``, where a gradient is wanted; by default the
                rollout's own.
        """
        self._weights.now = self._weights.given if relaxed is None else relaxed
        return self.network(inputs)


def relaxed_candidate(
    network: nn.Module, names: Mapping[Choices, str], given: Mapping[str, Any]
) -> RelaxedCandidate:
    """Return the network that mixes with the weights ``given``, decision → ``(1, P)``.

    Raises: ConfigError when several samples share a batch, which networks of this kind cannot do.
    """
    if any(value.ndim != 2 for value in given.values()):
        raise ConfigError("weights manager 'germ' takes one sample at a time; set rollout_batch_size to 1")
    weights = Weights(names, given)
    return RelaxedCandidate(Relaxer(names, weights).module(network), weights)


def _largest(choice: Choices) -> Any:
    values: tuple[Any, ...] = choice.choices
    is_ordered = all(isinstance(value, (int, float)) for value in values)
    return max(values) if is_ordered else values[0]
