"""What evolutionary controllers have in common: members, children, and what is done about repeats."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from awnas_controllers.comparing import ComparingController
from awnas_controllers.results import Result, packed, unpacked
from awnas_core.decisions import Codes
from awnas_core.errors import ConfigError, SpaceExhaustedError, did_you_mean
from awnas_core.metrics import Constraint, Goal
from awnas_core.options import PositiveInt
from awnas_core.roles.search_space import SearchSpace
from awnas_core.rollout import Arch, Rollout

TrainWeightsOn = Literal["random", "population", "half-random"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """What is done about children that are known already.

    Args:
        avoid: Known are the members of the ``population``, or all evaluated in the whole ``history``; null accepts
            repeats.
        tries: Times that a child is bred anew.
        fallback: After as many tries the last child is returned all the same, or an error is raised.
    """

    avoid: Literal["population", "history"] | None = None
    tries: PositiveInt = 10
    fallback: Literal["return", "raise"] = "return"


class PopulationController(ComparingController):
    """Breeds from a population of distinct architectures; random ones until there are results enough.

    An architecture that is evaluated again takes its new result and counts as the youngest.

    Args:
        search_space: Whose decisions to make.
        rng: Where every draw comes from.
        goals: What to improve.
        constraints: What makes an architecture infeasible.
        population_size: Members that survive a step, and results that come in before any is bred from.
        train_weights_on: What shared weights are trained on.
        mutate_kwargs: Options of the search space's mutation.
        crossover_kwargs: Options of its crossover.
        repeats: What is done about children that are known already.
    """

    def __init__(
        self,
        search_space: SearchSpace,
        rng: np.random.Generator,
        goals: tuple[Goal, ...] = (),
        constraints: tuple[Constraint, ...] = (),
        *,
        population_size: int,
        train_weights_on: TrainWeightsOn,
        mutate_kwargs: Mapping[str, Any] | None = None,
        crossover_kwargs: Mapping[str, Any] | None = None,
        repeats: Repeats,
    ) -> None:
        super().__init__(search_space, rng, goals, constraints)
        self.population_size = population_size
        self.train_weights_on = train_weights_on
        self.mutate_kwargs = known_options(search_space.mutate_codes, mutate_kwargs, "mutate_kwargs")
        self.crossover_kwargs = known_options(
            search_space.crossover_codes, crossover_kwargs, "crossover_kwargs"
        )
        self.repeats = repeats
        self.population: dict[Arch, Result] = {}  # oldest first
        self.num_results = 0
        self._history: dict[Arch, None] = {}

    @property
    def is_founded(self) -> bool:
        """Whether there are results enough to breed from."""
        return self.num_results >= self.population_size

    def propose(self, n: int) -> list[Rollout]:
        """Return random architectures, and children once the population is founded."""
        if not self.is_founded:
            return self.search_space.random_samples(n, self.rng)
        return self.bred(n, self.offspring)

    @abstractmethod
    def offspring(self, n: int) -> Codes:
        """Return ``n`` children, whether known or not; shape ``(n, D)``."""

    def learn(self, results: list[Result]) -> None:
        """Take results into the population."""
        super().learn(results)
        self.num_results += len(results)
        for result in results:
            self.population.pop(result.arch, None)
            self.population[result.arch] = result
            if self.repeats.avoid == "history":
                self._history[result.arch] = None

    def for_weights(self, n: int) -> list[Rollout]:
        """Return random architectures, members at random, or both."""
        if self.train_weights_on == "random" or not self.population:
            return super().for_weights(n)
        if self.train_weights_on == "population":
            return self.search_space.rollouts(self.random_members(n))
        members = n // 2 + n % 2 * int(self.rng.integers(2))
        return self.search_space.rollouts(self.random_members(members)) + super().for_weights(n - members)

    def random_members(self, n: int) -> Codes:
        """Return the codes of ``n`` members in random order, none again before each had its turn."""
        members = list(self.population)
        order = [i for _ in range(0, n, len(members)) for i in self.rng.permutation(len(members)).tolist()]
        return np.array([members[i] for i in order[:n]], dtype=np.int64)

    def mutated(self, codes: Codes) -> Codes:
        """Return a mutation of each row."""
        return self.search_space.mutate_codes(codes, self.rng, **self.mutate_kwargs)

    def crossed(self, a: Codes, b: Codes) -> Codes:
        """Return a mixture of each two rows."""
        return self.search_space.crossover_codes(a, b, self.rng, **self.crossover_kwargs)

    def bred(self, n: int, offspring: Callable[[int], Codes]) -> list[Rollout]:
        """Return ``n`` children, avoiding repeats as the options say.

        Raises: SpaceExhaustedError when that is impossible and ``fallback`` is ``raise``.
        """
        children = self.search_space.rollouts(offspring(n))
        if self.repeats.avoid is None:
            return children
        known = self.population if self.repeats.avoid == "population" else self._history
        new = {child.arch: child for child in children if child.arch not in known}
        for _ in range(self.repeats.tries - 1):
            if len(new) == n:
                break
            children = self.search_space.rollouts(offspring(n - len(new)))
            new |= {child.arch: child for child in children if child.arch not in known}
        if len(new) < n and self.repeats.fallback == "raise":
            raise SpaceExhaustedError(
                f"{self.repeats.tries} tries gave {len(new)} of {n} children that are not in the "
                f"{self.repeats.avoid} of {len(known)}; raise repeats.tries or set repeats.fallback to 'return'"
            )
        return [*new.values(), *children[: n - len(new)]]

    def state(self) -> dict[str, Any]:
        """Return the members from the oldest to the youngest, and what else is remembered."""
        return super().state() | {
            "population": packed(self.population.values()),
            "num_results": self.num_results,
            "history": np.array(list(self._history), dtype=np.int64),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there.

        Raises: CheckpointError when it is of another search space or of other goals.
        """
        super().load_state(state)
        members = unpacked(state["population"], self.search_space, len(self.goals))
        self.population = {member.arch: member for member in members}
        self.num_results = int(state["num_results"])
        self._history = dict.fromkeys(map(tuple, state["history"].tolist()))


def known_options(
    operator: Callable[..., Any], given: Mapping[str, Any] | None, where: str
) -> dict[str, Any]:
    """Return the options given to a search space's operator.

    Raises: ConfigError naming one that it does not have.
    """
    parameters = inspect.signature(operator).parameters.values()
    options = [p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY]
    for name in given or ():
        if name not in options:
            space = type(getattr(operator, "__self__", operator)).__name__
            hint = did_you_mean(name, options) or f"; it has {', '.join(options) or 'none'}"
            raise ConfigError(f"{where}: {space} has no option '{name}'{hint}")
    return dict(given or {})
