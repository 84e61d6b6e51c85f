"""Continuous evolution over a supernet that learns meanwhile."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt

from awnas_controllers.evolution.front import crowding_within, front_statistics
from awnas_controllers.evolution.population import PopulationController, Repeats, TrainWeightsOn
from awnas_controllers.results import Result, columns
from awnas_core.decisions import Codes
from awnas_core.metrics import Constraint, Goal
from awnas_core.options import PositiveInt
from awnas_core.roles.search_space import SearchSpace
from awnas_core.rollout import Arch, Rollout
from awnas_core.search.pareto import non_dominated_ranks, ranks_feasible_first

RANDOM, CROSSOVER = 0.5, 0.25  # of the offspring; the rest are mutations


class CarsController(PopulationController):
    """Scores the whole population again in every generation, and protects small and large architectures alike.

    A generation is the population, whose scores are stale as soon as the shared weights have moved on, and offspring:
    half of them random, a quarter each mixtures and mutations of members. Ask for more architectures than the
    population has; with fewer at a time, those whose score is oldest take turns with offspring.

    Survivors are chosen by the first goal together with each other goal in both directions: to be better for its size
    and to be better for its smallness both count, so that accurate large networks are not displaced by small ones that
    learn faster. Of a front that does not fit as a whole the least crowded survive.

    >>> from awnas_core import Evaluation, Purpose
    >>> from awnas_core.testing.toys import ToySpace
    >>> space = ToySpace()
    >>> goals = (Goal(metric="accuracy"), Goal(metric="cost", direction="min"))
    >>> controller = CarsController(space, np.random.default_rng(0), goals, population_size=12)
    >>> for _ in range(20):
    ...     rollouts = controller.sample(24)
    ...     for rollout in rollouts:
    ...         arch = rollout.arch
    ...         perf = {"accuracy": space.accuracy(arch), "cost": space.cost(arch)}
    ...         _ = rollout.record(Evaluation(perf=perf))
    ...     _ = controller.step(rollouts)
    >>> space.rollout(space.optimum) in controller.sample(12, Purpose.DERIVE)
    True

    Args:
        population_size: Members that survive a generation.
        rank_by: Goals of this controller alone; those of the config when empty. The first is the fitness.
        mutate_kwargs: Options of the search space's mutation.
        crossover_kwargs: Options of the search space's crossover.
        train_weights_on: Shared weights are trained on members of the ``population``, in equal parts on members and on
            random architectures (``half-random``), or on ``random`` ones.
        repeats: What is done about children that are known already.

    Source: Yang et al., "CARS: Continuous Evolution for Efficient Neural Architecture Search", CVPR 2020, section 3.3.
    Differs from its pNSGA-III in the second ranking, by the other goal turned round, and in crowding distances instead
    of reference points.
    """

    def __init__(
        self,
        search_space: SearchSpace,
        rng: np.random.Generator,
        goals: tuple[Goal, ...] = (),
        constraints: tuple[Constraint, ...] = (),
        *,
        population_size: PositiveInt = 100,
        rank_by: tuple[Goal, ...] = (),
        mutate_kwargs: dict[str, Any] | None = None,
        crossover_kwargs: dict[str, Any] | None = None,
        train_weights_on: TrainWeightsOn = "population",
        repeats: Repeats = Repeats(avoid="population"),
    ) -> None:
        super().__init__(
            search_space,
            rng,
            rank_by or goals,
            constraints,
            population_size=population_size,
            train_weights_on=train_weights_on,
            mutate_kwargs=mutate_kwargs,
            crossover_kwargs=crossover_kwargs,
            repeats=repeats,
        )

    def propose(self, n: int) -> list[Rollout]:
        """Return members to be scored again, whose score is oldest, and then offspring."""
        if not self.is_founded:
            return super().propose(n)
        size = len(self.population)
        known = size if n > size else n // 2 + n % 2 * int(self.rng.integers(2))
        again = list(itertools.islice(self.population, known))
        for arch in again:  # others have their turn first
            self.population[arch] = self.population.pop(arch)
        return [*map(self.search_space.rollout, again), *super().propose(n - known)]

    def offspring(self, n: int) -> Codes:
        """Return random architectures, mixtures and mutations of members."""
        members = np.array(list(self.population), dtype=np.int64)
        first, second = members[self.rng.integers(len(members), size=(2, n))]
        lots = self.rng.random((n, 1))
        is_random, is_mixed = lots < RANDOM, lots < RANDOM + CROSSOVER
        kinds = [self.search_space.sample_codes(n, self.rng), self.crossed(first, second)]
        return np.select([is_random, is_mixed], kinds, self.mutated(first))

    def learn(self, results: list[Result]) -> None:
        """Take results in, and choose who survives when there are too many."""
        super().learn(results)
        members = list(self.population.values())
        if len(members) > self.population_size:
            points, violations = columns(members)
            stages = stages_of(points, violations)
            order = np.lexsort((-crowding_within(points, stages), stages))
            survivors = sorted(order[: self.population_size].tolist())
            self.population = {members[i].arch: members[i] for i in survivors}

    def choice(self, n: int) -> list[Arch]:
        """Return the ``n`` best members: front by front, each in the direction of the goals, the fittest first."""
        members = list(self.population.values())
        if not members:
            return []
        points, violations = columns(members)
        order = np.lexsort((-points[:, 0], ranks_feasible_first(points, violations)))
        return [members[i].arch for i in order[:n].tolist()]

    def statistics(self) -> dict[str, float]:
        """Return the size of the population's front, and its hyper-volume when every goal has a reference."""
        feasible = [member.gains for member in self.population.values() if member.violation == 0]
        points = np.array(feasible).reshape(len(feasible), len(self.goals))
        return front_statistics(points[non_dominated_ranks(points) == 0], self.goals)


def stages_of(points: npt.NDArray[np.float64], violations: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return for each point the first front that it is in: of the first goal with each other in both directions.

    Args:
        points: Gains of shape ``(n, m)``.
        violations: Shape ``(n,)``.
    """
    fitness = points[:, :1]
    others = [sign * points[:, k : k + 1] for k in range(1, points.shape[1]) for sign in (1, -1)]
    rankings = [np.hstack([fitness, other]) for other in others] or [fitness]
    return np.asarray(np.min([ranks_feasible_first(ranking, violations) for ranking in rankings], axis=0))
