"""Decisions made continuous: weights over the choices of a set of edges, for gradient-based search."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property

from awnas_core.errors import ConfigError


@dataclass(frozen=True)
class Mixture:
    """A set of edges, each of which mixes the same choices; E edges, P choices.

    A cell has one for all its edges; a decision by itself is a mixture of a single edge.

    Args:
        name: Key of its weights in ``rollout.relaxed``; ``<name>.edges`` is the key of weights of the edges.
        choices: The P choices of every edge.
        targets: For each of the E edges the node it leads to; edges with one target compete with each other. Equal
            targets stand next to each other.

    Source: Liu et al., "DARTS: Differentiable Architecture Search", ICLR 2019, section 2.2.
    """

    name: str
    choices: tuple[Hashable, ...]
    targets: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.choices or not self.targets:
            raise ConfigError(f"mixture '{self.name}' needs at least one choice and one edge")
        if len(self.slices) != len(set(self.targets)):
            raise ConfigError(f"mixture '{self.name}': edges with the same target must stand together")

    @property
    def shape(self) -> tuple[int, int]:
        """(E, P)."""
        return len(self.targets), len(self.choices)

    @property
    def edges_key(self) -> str:
        """Key of the weights of edges."""
        return f"{self.name}.edges"

    @cached_property
    def slices(self) -> tuple[slice, ...]:
        """The edges that lead to each target, in order."""
        starts = [i for i, target in enumerate(self.targets) if i == 0 or target != self.targets[i - 1]]
        return tuple(slice(a, b) for a, b in zip(starts, [*starts[1:], len(self.targets)], strict=True))
