"""The search space: which architectures exist, how they are written, varied and compared."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from awnas_core.components import Component
from awnas_core.decisions import Codes, Decisions
from awnas_core.errors import ConfigError, GenotypeError
from awnas_core.layers import LayerSpec
from awnas_core.relaxation import Mixture
from awnas_core.rollout import Arch, Rollout


class SearchSpace(Component, ABC):
    """All architectures that a search may find.

    A concrete space states its :attr:`decisions` and how an architecture reads (:meth:`genotype`, :meth:`parse`);
    sampling, mutation, crossover, enumeration, distance and size follow.
    """

    rollout_class: type[Rollout] = Rollout

    @property
    @abstractmethod
    def decisions(self) -> Decisions:
        """The named categorical decisions and the rules between them."""

    @abstractmethod
    def genotype(self, arch: Arch) -> Any:
        """Return the readable form of ``arch``: hashable, ``str()`` of it is the genotype text."""

    @abstractmethod
    def parse(self, text: str) -> Arch:
        """Return the architecture that a genotype text describes, by a grammar, never by evaluation.

        Raises: GenotypeError saying what is wrong, and where.
        """

    @cached_property
    def fingerprint(self) -> str:
        """A digest that is equal for spaces with equal decisions: architectures of one are those of the other."""
        return hashlib.sha256(f"{type(self).__name__}:{self.decisions!r}".encode()).hexdigest()[:16]

    def check_arch(self, arch: Sequence[int]) -> Arch:
        """Return ``arch`` as a tuple of codes.

        Raises: GenotypeError when it is not an architecture of this space.
        """
        try:
            codes = np.asarray(arch, dtype=np.int64)[None]
        except (TypeError, ValueError, OverflowError) as error:
            raise GenotypeError(f"an architecture is a list of integer codes, got {arch!r}") from error
        self.decisions.check_codes(codes)
        return tuple(codes[0].tolist())

    @property
    def mixtures(self) -> tuple[Mixture, ...]:
        """The decisions as gradient-based search relaxes them; empty where a space cannot be relaxed."""
        return ()

    def discretize(self, relaxed: Mapping[str, npt.NDArray[np.floating[Any]]]) -> Arch:
        """Return the most likely architecture under relaxed decisions.

        Args:
            relaxed: Mixture name → weights ``(E, P)`` or ``(E, B, P)``, and perhaps ``<name>.edges`` → ``(E,)``.

        Raises: ConfigError when the space has no mixtures.
        """
        raise ConfigError(
            f"{type(self).__name__} has no relaxed decisions; use a controller of discrete ones"
        )

    def key(self, arch: Arch) -> Hashable:
        """Return a canonical key, equal for isomorphic architectures. By default the architecture itself."""
        return arch

    def rollout(self, arch: Arch, info: dict[str, Any] | None = None) -> Rollout:
        """Return ``arch`` as a rollout."""
        return self.rollout_class(self, arch, info)

    def rollouts(self, codes: Codes) -> list[Rollout]:
        """Return one rollout for each row of ``codes``, shape ``(n, D)``."""
        make = self.rollout_class
        return [make(self, tuple(row)) for row in codes.tolist()]

    def encode_codes(self, rollouts: Sequence[Rollout]) -> Codes:
        """Return the codes of ``rollouts``, shape ``(n, D)``."""
        return np.array([r.arch for r in rollouts], dtype=np.int64).reshape(
            len(rollouts), len(self.decisions)
        )

    def sample_codes(self, n: int, rng: np.random.Generator) -> Codes:
        """Draw ``n`` architectures uniformly over each decision; shape ``(n, D)``."""
        return self.decisions.sample(n, rng)

    def mutate_codes(self, codes: Codes, rng: np.random.Generator) -> Codes:
        """Return a copy in which every row differs from its parent by one mutation."""
        return self.decisions.mutate(codes, rng)

    def neighbour_codes(self, code: Codes, rng: np.random.Generator) -> Codes:
        """Return every architecture at one mutation from one, shape ``(D,)``; those have shape ``(k, D)``."""
        return self.decisions.neighbours(code, rng)

    def crossover_codes(self, a: Codes, b: Codes, rng: np.random.Generator) -> Codes:
        """Return children that take each decision from ``a`` or ``b``, all of shape ``(n, D)``."""
        return self.decisions.crossover(a, b, rng)

    def random_sample(self, rng: np.random.Generator) -> Rollout:
        """Draw one architecture."""
        return self.random_samples(1, rng)[0]

    def random_samples(self, n: int, rng: np.random.Generator) -> list[Rollout]:
        """Draw ``n`` architectures."""
        return self.rollouts(self.sample_codes(n, rng))

    def mutate(self, rollout: Rollout, rng: np.random.Generator) -> Rollout:
        """Return a neighbour of ``rollout``."""
        return self.rollouts(self.mutate_codes(self.encode_codes([rollout]), rng))[0]

    def crossover(self, a: Rollout, b: Rollout, rng: np.random.Generator) -> Rollout:
        """Return a child of ``a`` and ``b``."""
        return self.rollouts(self.crossover_codes(self.encode_codes([a]), self.encode_codes([b]), rng))[0]

    def distance(self, a: Rollout, b: Rollout) -> int:
        """Return the number of decisions in which ``a`` and ``b`` differ."""
        return int(self.decisions.distance(self.encode_codes([a]), self.encode_codes([b]))[0])

    def size(self) -> int:
        """Return the number of architectures, exactly.

        Raises: ValueError when rules between decisions make it too large to count.
        """
        return self.decisions.size()

    def enumerate(self) -> Iterator[Rollout]:
        """Yield every architecture once, in a fixed order."""
        for codes in self.decisions.enumerate():
            yield from self.rollouts(codes)

    def layers(self, rollout: Rollout) -> list[LayerSpec]:
        """Return the layers of ``rollout`` where the space alone fixes them; empty where a network decides them."""
        return []

    def plot(self, rollout: Rollout, path: Path) -> list[Path]:
        """Draw ``rollout`` into files named after ``path`` and return them; nothing when there is no drawing."""
        return []
