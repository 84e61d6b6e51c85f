"""Architectures from a list."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from awnas_controllers.comparing import SingleGoal
from awnas_core.errors import CheckpointError, ConfigError, GenotypeError
from awnas_core.metrics import Constraint
from awnas_core.roles.search_space import SearchSpace
from awnas_core.rollout import Arch, Rollout
from awnas_core.search.genotype_file import read_genotypes


class FileSamplerController(SingleGoal):
    """Proposes the architectures of a genotype list, and no others.

    Shared weights are trained on entries drawn at random. The final choice is the best that were evaluated, then the
    others in the order of the file.

    Args:
        archs: Path of a YAML list of genotypes, texts or codes, as ``awnas random-sample`` and ``awnas derive`` write
            it; or the genotype texts themselves.
        avoid_repeat: Go through the list and begin anew at its end; otherwise each proposal is drawn on its own.
        shuffle_indexes: Go through it in another random order each time, instead of that of the file.
    """

    def __init__(
        self,
        search_space: SearchSpace,
        rng: np.random.Generator,
        constraints: tuple[Constraint, ...] = (),
        *,
        archs: str | tuple[str, ...],
        avoid_repeat: bool = True,
        shuffle_indexes: bool = True,
    ) -> None:
        super().__init__(search_space, rng, constraints=constraints)
        if not archs:
            raise ConfigError("archs is empty: give a genotype list, or genotypes")
        self.archs = (
            _read(Path(archs), search_space) if isinstance(archs, str) else _parsed(archs, search_space)
        )
        self.avoid_repeat = avoid_repeat
        self.shuffle_indexes = shuffle_indexes
        self._ahead: list[int] = []  # of this round, the next one last
        self.hall.size = len(self.archs)

    def propose(self, n: int) -> list[Rollout]:
        """Return the next entries, or random ones."""
        if not self.avoid_repeat:
            return self.for_weights(n)
        return [self.search_space.rollout(self.archs[self._next()]) for _ in range(n)]

    def for_weights(self, n: int) -> list[Rollout]:
        """Return random entries."""
        indices = self.rng.integers(len(self.archs), size=n).tolist()
        return [self.search_space.rollout(self.archs[i]) for i in indices]

    def choice(self, n: int) -> list[Arch]:
        """Return the best that were evaluated, then the others; when the file has fewer, some come twice."""
        archs = dict.fromkeys([*super().choice(n), *self.archs])
        return list(itertools.islice(itertools.cycle(archs), n))

    def state(self) -> dict[str, Any]:
        """Return what is left of this round, and the results."""
        return super().state() | {"size": len(self.archs), "ahead": list(self._ahead)}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there.

        Raises: CheckpointError when it is of a list of another length, or of another search space.
        """
        if state["size"] != len(self.archs):
            raise CheckpointError(
                f"the state is of a list of {state['size']} architectures, archs has {len(self.archs)}"
            )
        super().load_state(state)
        self._ahead = list(state["ahead"])

    def _next(self) -> int:
        if not self._ahead:
            count = len(self.archs)
            order = self.rng.permutation(count) if self.shuffle_indexes else np.arange(count)
            self._ahead = order[::-1].tolist()
        return self._ahead.pop()


def _read(path: Path, space: SearchSpace) -> list[Arch]:
    """Return the architectures of a file.

    Raises: GenotypeError naming the entry that is not of the space.
    """
    entries = read_genotypes(path)
    try:
        return _parsed(entries, space)
    except GenotypeError as error:
        raise GenotypeError(f"'{path}', {error}") from error


def _parsed(entries: Sequence[str | list[int]], space: SearchSpace) -> list[Arch]:
    archs = []
    for index, entry in enumerate(entries):
        try:
            archs.append(space.parse(entry) if isinstance(entry, str) else space.check_arch(entry))
        except GenotypeError as error:
            raise GenotypeError(f"entry {index}: {error}") from error
    return archs
