"""Multi-objective evolution: non-dominated sorting and crowding, as in NSGA-II."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from awnas_controllers.evolution.front import crowding_within, front_statistics
from awnas_controllers.evolution.population import PopulationController, Repeats, TrainWeightsOn
from awnas_controllers.results import Result, columns, packed, unpacked
from awnas_core.decisions import Codes
from awnas_core.metrics import Constraint, Goal
from awnas_core.options import Fraction, PositiveInt
from awnas_core.roles.search_space import SearchSpace
from awnas_core.rollout import Arch
from awnas_core.search.pareto import ParetoArchive, crowding_distances, ranks_feasible_first


class ParetoEvoController(PopulationController):
    """Keeps what few dominate and what stands alone, and remembers everything that nothing dominates.

    Members are ordered by their front, within a front by how far off their neighbours are; the first
    ``population_size`` survive. Parents are the better of two at random. Infeasible architectures come after all
    feasible ones. The archive holds the whole front of everything ever seen.

    >>> from awnas_core import Evaluation, Purpose
    >>> from awnas_core.testing.toys import ToySpace
    >>> space = ToySpace()
    >>> goals = (Goal(metric="accuracy"), Goal(metric="cost", direction="min"))
    >>> controller = ParetoEvoController(space, np.random.default_rng(0), goals, population_size=10)
    >>> for _ in range(50):
    ...     rollouts = controller.sample(4)
    ...     for rollout in rollouts:
    ...         arch = rollout.arch
    ...         perf = {"accuracy": space.accuracy(arch), "cost": space.cost(arch)}
    ...         _ = rollout.record(Evaluation(perf=perf))
    ...     _ = controller.step(rollouts)
    >>> [rollout.genotype for rollout in controller.sample(3, Purpose.DERIVE)]
    ['toy(0, 0, 0, 0)', 'toy(0, 1, 2, 0)', 'toy(0, 1, 0, 0)']

    Args:
        population_size: Members that survive a step, and random results that come in before any is bred from.
        rank_by: Goals of this controller alone; those of the config when empty.
        parent_selection: ``tournament`` takes the better of two members, ``uniform`` any member of the first front.
        crossover_prob: Probability that a child mixes two parents before it is mutated.
        mutate_kwargs: Options of the search space's mutation.
        crossover_kwargs: Options of the search space's crossover.
        derive_from: The final choice is the whole front (``all``), whatever the number asked for, or the ``n`` best.
        train_weights_on: What shared weights are trained on: ``random`` architectures, members of the ``population``,
            or both in equal parts (``half-random``).
        repeats: What is done about children that are known already.

    Source: Deb et al., "A fast and elitist multiobjective genetic algorithm: NSGA-II", IEEE TEVC 2002; feasible first:
    Deb, "An efficient constraint handling method for genetic algorithms", CMAME 2000.
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
        parent_selection: Literal["tournament", "uniform"] = "tournament",
        crossover_prob: Fraction = 0.5,
        mutate_kwargs: dict[str, Any] | None = None,
        crossover_kwargs: dict[str, Any] | None = None,
        derive_from: Literal["all", "n"] = "all",
        train_weights_on: TrainWeightsOn = "random",
        repeats: Repeats = Repeats(),
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
        self.parent_selection = parent_selection
        self.crossover_prob = crossover_prob
        self.derive_from = derive_from
        self.archive: ParetoArchive[Arch] = ParetoArchive(len(self.goals))
        self._ranked: list[Arch] = []  # the members, best first
        self._front_size = 0  # as many of them are of the first front

    def learn(self, results: list[Result]) -> None:
        """Take results in, and let go who is dominated most, or most crowded."""
        super().learn(results)
        for result in results:
            if result.violation == 0:
                self.archive.add(result.arch, result.gains)
        self._rank()

    def offspring(self, n: int) -> Codes:
        """Return mutations of ``n`` parents, or of mixtures of two."""
        first, second = self._parents(n), self._parents(n)
        mixed = self.crossed(first, second)
        is_mixed = self.rng.random(n) < self.crossover_prob
        return self.mutated(np.where(is_mixed[:, None], mixed, first))

    def choice(self, n: int) -> list[Arch]:
        """Return the archive, the loneliest first; for ``n`` only as many, or the population after it."""
        order = np.argsort(-crowding_distances(self.archive.points), kind="stable").tolist()
        front = [self.archive.items[i] for i in order]
        if self.derive_from == "all":
            return front
        return list(dict.fromkeys([*front, *self._ranked]))[:n]

    def statistics(self) -> dict[str, float]:
        """Return the size of the archive, and its hyper-volume when every goal has a reference."""
        return front_statistics(self.archive.points, self.goals)

    def state(self) -> dict[str, Any]:
        """Return the members, the archive, and what else is remembered."""
        front = [
            Result(arch, tuple(point))
            for arch, point in zip(self.archive.items, self.archive.points.tolist(), strict=True)
        ]
        return super().state() | {"archive": packed(front)}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        super().load_state(state)
        if self.population:
            self._rank()
        self.archive = ParetoArchive(len(self.goals))
        for result in unpacked(state["archive"], self.search_space, len(self.goals)):
            self.archive.add(result.arch, result.gains)

    def _rank(self) -> None:
        """Order the members from the best to the worst, and let the last ones go."""
        members = list(self.population.values())
        points, violations = columns(members)
        ranks = ranks_feasible_first(points, violations)
        order = np.lexsort((-crowding_within(points, ranks), ranks)).tolist()
        for i in order[self.population_size :]:
            del self.population[members[i].arch]
        survivors = order[: self.population_size]
        self._ranked = [members[i].arch for i in survivors]
        self._front_size = int((ranks[survivors] == 0).sum())

    def _parents(self, n: int) -> Codes:
        """Return ``n`` parents; of two members the one that is ranked before the other is the better."""
        if self.parent_selection == "uniform":
            places = self.rng.integers(self._front_size, size=n)
        else:
            places = self.rng.integers(len(self._ranked), size=(2, n)).min(0)
        return np.array([self._ranked[i] for i in places.tolist()], dtype=np.int64)
