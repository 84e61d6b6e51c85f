"""Simulated annealing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from awnas_controllers.comparing import SingleGoal
from awnas_controllers.results import Result, packed, score, unpacked
from awnas_core.metrics import Constraint
from awnas_core.options import Fraction, PositiveFloat
from awnas_core.roles.search_space import SearchSpace
from awnas_core.rollout import Rollout


class SaController(SingleGoal):
    """Walks from an architecture to a mutation of it: always to a better one, less and less often to a worse one.

    Proposals are mutations of where the walk stands. Of the results of one step the best is compared with it; one that
    is worse by Δ is accepted with probability exp(−Δ/T), after which the temperature T falls. Feasible architectures
    win over infeasible ones, and those are compared by their violation alone.

    >>> from awnas_core import Evaluation, Purpose
    >>> from awnas_core.testing.toys import ToySpace
    >>> space = ToySpace(num_decisions=6)
    >>> controller = SaController(space, np.random.default_rng(0))
    >>> for _ in range(300):
    ...     (rollout,) = controller.sample(1)
    ...     _ = rollout.record(Evaluation(perf={"reward": space.accuracy(rollout.arch)}))
    ...     _ = controller.step([rollout])
    >>> controller.sample(1, Purpose.DERIVE)[0].genotype
    'toy(0, 1, 2, 0, 1, 2)'

    Args:
        temperature: T at first, in the unit of the reward: about as much as rewards of neighbours differ.
        anneal_coeff: T is multiplied by it after each step.

    Source: Kirkpatrick et al., "Optimization by Simulated Annealing", Science 1983.
    """

    def __init__(
        self,
        search_space: SearchSpace,
        rng: np.random.Generator,
        constraints: tuple[Constraint, ...] = (),
        *,
        temperature: PositiveFloat = 0.1,
        anneal_coeff: Fraction = 0.95,
    ) -> None:
        super().__init__(search_space, rng, constraints=constraints)
        self.temperature = temperature
        self.anneal_coeff = anneal_coeff
        self.current: Result | None = None

    def propose(self, n: int) -> list[Rollout]:
        """Return mutations of where the walk stands; random architectures before it has begun."""
        if self.current is None:
            return self.search_space.random_samples(n, self.rng)
        here = np.array([self.current.arch] * n, dtype=np.int64)
        return self.search_space.rollouts(self.search_space.mutate_codes(here, self.rng))

    def learn(self, results: list[Result]) -> None:
        """Go to the best of the results, or stay; and cool down."""
        super().learn(results)
        best = max(results, key=score)
        if self.current is None or self._accepts(best, self.current):
            self.current = best
        self.temperature *= self.anneal_coeff

    def statistics(self) -> dict[str, float]:
        """Return the temperature."""
        return {"temperature": self.temperature}

    def state(self) -> dict[str, Any]:
        """Return where the walk stands, the temperature, and the best ever seen."""
        here = packed([self.current] if self.current else [])
        return super().state() | {"temperature": self.temperature, "current": here}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there.

        Raises: CheckpointError when it is of another search space.
        """
        super().load_state(state)
        self.temperature = float(state["temperature"])
        self.current = next(iter(unpacked(state["current"], self.search_space, 1)), None)

    def _accepts(self, candidate: Result, current: Result) -> bool:
        if candidate.violation > 0 or current.violation > 0:
            return score(candidate) >= score(current)
        gain = candidate.gains[0] - current.gains[0]
        return gain >= -self.temperature * self.rng.standard_exponential()  # with probability exp(gain/T)
