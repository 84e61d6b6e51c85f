"""Regularized evolution, and its elitist variant."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from awnas_controllers.comparing import SingleGoal
from awnas_controllers.evolution.population import PopulationController, Repeats, TrainWeightsOn
from awnas_controllers.results import Result, score
from awnas_core.decisions import Codes
from awnas_core.errors import ConfigError
from awnas_core.metrics import Constraint
from awnas_core.options import PositiveInt
from awnas_core.roles.search_space import SearchSpace
from awnas_core.rollout import Arch


class EvoController(PopulationController, SingleGoal):
    """Mutates the winner of a tournament, and retires the oldest.

    Ages are counted in results: what came in first leaves first, however good it is, so that only architectures live on
    that prove themselves again and again. Feasible architectures win over infeasible ones.

    >>> from awnas_core import Evaluation, Purpose
    >>> from awnas_core.testing.toys import ToySpace
    >>> space = ToySpace(num_decisions=6)
    >>> rng = np.random.default_rng(0)
    >>> controller = EvoController(space, rng, population_size=20, parent_pool_size=5, derive_from="all")
    >>> for _ in range(100):
    ...     rollouts = controller.sample(4)
    ...     for rollout in rollouts:
    ...         _ = rollout.record(Evaluation(perf={"reward": space.accuracy(rollout.arch)}))
    ...     _ = controller.step(rollouts)
    >>> controller.sample(1, Purpose.DERIVE)[0].genotype
    'toy(0, 1, 2, 0, 1, 2)'

    Args:
        population_size: Members that survive a step, and random results that come in before any is bred from.
        parent_pool_size: Different members in a tournament; more is greedier.
        mutate_kwargs: Options of the search space's mutation.
        elimination_strategy: ``regularized`` retires the oldest, ``perf`` the worst.
        derive_from: The final choice is the best of the ``population``, or of ``all`` that were ever seen.
        train_weights_on: What shared weights are trained on: ``random`` architectures, members of the ``population``,
            or both in equal parts (``half-random``).
        repeats: What is done about children that are known already.

    Source: Real et al., "Regularized Evolution for Image Classifier Architecture Search", AAAI 2019, Algorithm 1.
    Differs in that the members of a tournament, and those of the population, are different architectures.
    """

    def __init__(
        self,
        search_space: SearchSpace,
        rng: np.random.Generator,
        constraints: tuple[Constraint, ...] = (),
        *,
        population_size: PositiveInt = 100,
        parent_pool_size: PositiveInt = 10,
        mutate_kwargs: dict[str, Any] | None = None,
        elimination_strategy: Literal["regularized", "perf"] = "regularized",
        derive_from: Literal["population", "all"] = "population",
        train_weights_on: TrainWeightsOn = "random",
        repeats: Repeats = Repeats(),
    ) -> None:
        self.check_options({"population_size": population_size, "parent_pool_size": parent_pool_size})
        super().__init__(
            search_space,
            rng,
            constraints=constraints,
            population_size=population_size,
            train_weights_on=train_weights_on,
            mutate_kwargs=mutate_kwargs,
            repeats=repeats,
        )
        self.parent_pool_size = parent_pool_size
        self.elimination_strategy = elimination_strategy
        self.derive_from = derive_from

    @classmethod
    def check_options(cls, options: Mapping[str, Any]) -> None:
        """Refuse a tournament that is larger than the population."""
        if options["parent_pool_size"] > options["population_size"]:
            raise ConfigError(
                f"parent_pool_size must be at most population_size = {options['population_size']}, "
                f"got {options['parent_pool_size']}"
            )

    def learn(self, results: list[Result]) -> None:
        """Take results in, and let as many members go as there are too many."""
        super().learn(results)
        surplus = max(len(self.population) - self.population_size, 0)
        if self.elimination_strategy == "regularized":
            leaving = list(itertools.islice(self.population, surplus))
        else:
            leaving = [r.arch for r in heapq.nsmallest(surplus, self.population.values(), key=score)]
        for arch in leaving:
            del self.population[arch]

    def offspring(self, n: int) -> Codes:
        """Return mutations of the winners of ``n`` tournaments."""
        members = list(self.population.values())
        size = min(self.parent_pool_size, len(members))
        lots = self.rng.random((n, len(members)))
        pools = np.argpartition(lots, size - 1)[:, :size].tolist()  # of each tournament, different members
        winners = [max([members[i] for i in pool], key=score).arch for pool in pools]
        return self.mutated(np.array(winners, dtype=np.int64))

    def choice(self, n: int) -> list[Arch]:
        """Return the best of the population, or of all."""
        if self.derive_from == "all":
            return super().choice(n)
        return [member.arch for member in heapq.nlargest(n, self.population.values(), key=score)]
