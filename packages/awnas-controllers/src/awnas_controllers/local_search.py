"""Local search: climb to the best neighbour until there is none, and begin anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from awnas_controllers.comparing import SingleGoal
from awnas_controllers.results import Result, packed, score, unpacked
from awnas_core.metrics import Constraint
from awnas_core.options import PositiveInt
from awnas_core.roles.search_space import SearchSpace
from awnas_core.rollout import Arch, Rollout


class LocalSearchController(SingleGoal):
    """Tries every neighbour of an architecture once, and moves to the first that is better.

    Neighbours differ in one decision; they are tried in random order. Of the results of one step the best counts, so
    that a step over the whole neighbourhood is steepest ascent. Where no neighbour is better the search begins anew,
    from the best of a few random architectures.

    >>> from awnas_core import Evaluation, Purpose
    >>> from awnas_core.testing.toys import ToySpace
    >>> space = ToySpace(num_decisions=6)
    >>> controller = LocalSearchController(space, np.random.default_rng(0))
    >>> for _ in range(100):
    ...     (rollout,) = controller.sample(1)
    ...     _ = rollout.record(Evaluation(perf={"reward": space.accuracy(rollout.arch)}))
    ...     _ = controller.step([rollout])
    >>> controller.sample(1, Purpose.DERIVE)[0].genotype
    'toy(0, 1, 2, 0, 1, 2)'

    Args:
        init_samples: Random architectures of which the best is where a climb starts.

    Source: White et al., "Exploring the Loss Landscape in Neural Architecture Search", UAI 2021; "query until lower".
    """

    def __init__(
        self,
        search_space: SearchSpace,
        rng: np.random.Generator,
        constraints: tuple[Constraint, ...] = (),
        *,
        init_samples: PositiveInt = 10,
    ) -> None:
        super().__init__(search_space, rng, constraints=constraints)
        self.init_samples = init_samples
        self.current: Result | None = None
        self.num_climbs = 0
        self._starts: list[Result] = []  # results from which the next climb will start
        self._has_moved = False  # since neighbours were listed
        self._untried: list[Arch] = []  # neighbours of the current architecture
        self._tried: dict[Arch, None] = {}  # in this climb

    def propose(self, n: int) -> list[Rollout]:
        """Return neighbours that were not tried yet, and random architectures where there are too few."""
        if self._has_moved and self.current is not None:
            self._untried = self._around(self.current.arch)
            self._has_moved = False
        if not self._untried:
            self.current = None  # nothing around is better
        neighbours = [self._untried.pop() for _ in range(min(n, len(self._untried)))]
        self._tried.update(dict.fromkeys(neighbours))
        random = self.search_space.random_samples(n - len(neighbours), self.rng)
        return [*map(self.search_space.rollout, neighbours), *random]

    def learn(self, results: list[Result]) -> None:
        """Move to the best of the results if it is better; without a place to start from, gather some."""
        super().learn(results)
        best = max(results, key=score)
        if self.current is not None:
            if score(best) > score(self.current):
                self._move(best)
            return
        self._starts += results
        if len(self._starts) >= self.init_samples:
            self._tried = dict.fromkeys(result.arch for result in self._starts)
            self._move(max(self._starts, key=score))
            self._starts = []
            self.num_climbs += 1

    def statistics(self) -> dict[str, float]:
        """Return the number of climbs so far."""
        return {"climbs": float(self.num_climbs)}

    def state(self) -> dict[str, Any]:
        """Return where the climb stands, what is to be tried, and the best ever seen."""
        return super().state() | {
            "current": packed([self.current] if self.current else []),
            "num_climbs": self.num_climbs,
            "has_moved": self._has_moved,
            "starts": packed(self._starts),
            "untried": np.array(self._untried, dtype=np.int64),
            "tried": np.array(list(self._tried), dtype=np.int64),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there.

        Raises: CheckpointError when it is of another search space.
        """
        super().load_state(state)
        self.current = next(iter(unpacked(state["current"], self.search_space, 1)), None)
        self.num_climbs = int(state["num_climbs"])
        self._has_moved = bool(state["has_moved"])
        self._starts = unpacked(state["starts"], self.search_space, 1)
        self._untried = list(map(tuple, state["untried"].tolist()))
        self._tried = dict.fromkeys(map(tuple, state["tried"].tolist()))

    def _move(self, result: Result) -> None:
        self.current = result
        self._has_moved = True

    def _around(self, arch: Arch) -> list[Arch]:
        """Return the neighbours that were not tried in this climb, in random order."""
        around = self.search_space.neighbour_codes(np.array(arch, dtype=np.int64), self.rng)
        archs = map(tuple, self.rng.permutation(around).tolist())
        return [arch for arch in archs if arch not in self._tried]
