"""What controllers have in common that learn from how evaluated architectures compare."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from awnas_controllers.hall_of_fame import HallOfFame
from awnas_controllers.results import Result, packed, results_of, unpacked
from awnas_core.metrics import Constraint, Goal
from awnas_core.roles.controller import Controller
from awnas_core.roles.search_space import SearchSpace
from awnas_core.rollout import Arch, Purpose, Rollout

REWARD = Goal(metric="reward")


class ComparingController(Controller):
    """A controller that proposes by itself and learns from results, whoever brings them, in any order.

    Subclasses say what to propose, what to learn and what to choose in the end.

    Args:
        search_space: Whose decisions to make.
        rng: Where every draw comes from.
        goals: What to improve; the reward when empty.
        constraints: What makes an architecture infeasible.
    """

    def __init__(
        self,
        search_space: SearchSpace,
        rng: np.random.Generator,
        goals: tuple[Goal, ...] = (),
        constraints: tuple[Constraint, ...] = (),
    ) -> None:
        self.search_space = search_space
        self.rng = rng
        self.goals = goals or (REWARD,)
        self.constraints = constraints

    def sample(self, n: int, purpose: Purpose = Purpose.PROPOSE) -> list[Rollout]:
        """Return ``n`` architectures; of the best known there may be fewer, then random ones fill up."""
        if purpose is Purpose.PROPOSE:
            return self.propose(n)
        if purpose is Purpose.TRAIN_WEIGHTS:
            return self.for_weights(n)
        chosen = [self.search_space.rollout(arch) for arch in self.choice(n)]
        return chosen + self.search_space.random_samples(max(n - len(chosen), 0), self.rng)

    def step(self, rollouts: Sequence[Rollout]) -> dict[str, float]:
        """Learn from all that went well or are infeasible; failed ones are passed over.

        Raises: ValueError when one is not evaluated; ConfigError when a goal or constraint was not measured.
        """
        results = results_of(rollouts, self.goals, self.constraints)
        if results:
            self.learn(results)
        return self.statistics()

    def for_weights(self, n: int) -> list[Rollout]:
        """Return ``n`` architectures to train shared weights on: random ones, so that none is favoured."""
        return self.search_space.random_samples(n, self.rng)

    @abstractmethod
    def propose(self, n: int) -> list[Rollout]:
        """Return ``n`` architectures to learn from."""

    def learn(self, results: list[Result]) -> None:
        """Learn from at least one result; nothing by default."""

    @abstractmethod
    def choice(self, n: int) -> list[Arch]:
        """Return the best known, best first, at most ``n`` unless the whole front is wanted."""

    def statistics(self) -> dict[str, float]:
        """Return what is worth logging after a step."""
        return {}


class SingleGoal(ComparingController):
    """Improves one perf, the one that the trainer names, and remembers the best architectures ever seen."""

    @cached_property
    def hall(self) -> HallOfFame:
        """The best ever seen."""
        return HallOfFame()

    def configure_optimizer(
        self,
        optimizer: Mapping[str, Any] | None,
        scheduler: Mapping[str, Any] | None = None,
        *,
        perf_name: str = "reward",
    ) -> None:
        """Learn from ``perf_name``; there is nothing to optimize by gradients."""
        self.goals = (Goal(metric=perf_name),)

    def learn(self, results: list[Result]) -> None:
        """Remember results."""
        super().learn(results)
        self.hall.add(results)

    def choice(self, n: int) -> list[Arch]:
        """Return the ``n`` best ever seen."""
        return [result.arch for result in self.hall.best(n)]

    def state(self) -> dict[str, Any]:
        """Return the best ever seen."""
        return super().state() | {"hall": packed(self.hall.results.values())}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there.

        Raises: CheckpointError when it is of another search space.
        """
        super().load_state(state)
        self.hall.results = {r.arch: r for r in unpacked(state["hall"], self.search_space, 1)}
