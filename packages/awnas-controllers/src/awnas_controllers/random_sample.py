"""Random search."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from awnas_core.roles.controller import Controller
from awnas_core.roles.search_space import SearchSpace
from awnas_core.rollout import Purpose, Rollout


class RandomSampleController(Controller):
    """Independent samples of the search space, whatever the purpose.

    The baseline that every search has to beat: Li and Talwalkar, "Random Search and Reproducibility for Neural
    Architecture Search", UAI 2019.
    """

    def __init__(self, search_space: SearchSpace, rng: np.random.Generator) -> None:
        self.search_space = search_space
        self.rng = rng

    def sample(self, n: int, purpose: Purpose = Purpose.PROPOSE) -> list[Rollout]:
        """Return ``n`` random architectures."""
        return self.search_space.random_samples(n, self.rng)

    def step(self, rollouts: Sequence[Rollout]) -> dict[str, float]:
        """Learn nothing."""
        return {}
