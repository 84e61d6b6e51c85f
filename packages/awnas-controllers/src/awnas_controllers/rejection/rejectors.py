"""What decides whether an architecture is worth proposing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

from awnas_core.components import Component
from awnas_core.errors import CheckpointError, GenotypeError
from awnas_core.roles.search_space import SearchSpace
from awnas_core.rollout import Arch, Rollout


class Rejector(Component, ABC):
    """Accepts or rejects architectures, one after another."""

    @abstractmethod
    def accepts(self, rollout: Rollout) -> bool:
        """Tell whether to propose an architecture; whoever is accepted may be remembered."""


class CanonicalTable(Rejector):
    """Lets one architecture stand for all that are isomorphic to it: the first that is seen.

    Args:
        accept_repeats: The same architecture is accepted again and again, only others that are isomorphic to it are
            not. When false every one is accepted once.
    """

    def __init__(self, search_space: SearchSpace, *, accept_repeats: bool = True) -> None:
        self.search_space = search_space
        self.accept_repeats = accept_repeats
        self._table: dict[Hashable, Arch] = {}

    def __len__(self) -> int:
        return len(self._table)

    def accepts(self, rollout: Rollout) -> bool:
        """Tell whether an architecture is the one that stands for its kind, or the first of it."""
        key = self.search_space.key(rollout.arch)
        if key not in self._table:
            self._table[key] = rollout.arch
            return True
        return self.accept_repeats and self._table[key] == rollout.arch

    def state(self) -> dict[str, Any]:
        """Return the architectures that stand for others."""
        return {"archs": np.array(list(self._table.values()), dtype=np.int64)}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there.

        Raises: CheckpointError when it is of another search space.
        """
        archs = state["archs"]
        try:
            if len(archs):
                self.search_space.decisions.check_codes(archs)
        except GenotypeError as error:
            raise CheckpointError(f"the table is of another search space: {error}") from error
        self._table = {self.search_space.key(arch): arch for arch in map(tuple, archs.tolist())}
