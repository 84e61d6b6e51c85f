"""A search small enough to know the answer: a space, an evaluator and a controller without data or weights."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from awnas_core.decisions import Decision, Decisions
from awnas_core.errors import GenotypeError
from awnas_core.metrics import Constraint, Goal
from awnas_core.options import NonNegativeFloat, PositiveInt
from awnas_core.relaxation import Mixture
from awnas_core.roles.controller import Controller
from awnas_core.roles.evaluator import Evaluator
from awnas_core.roles.search_space import SearchSpace
from awnas_core.rollout import (
    Arch,
    Evaluation,
    Purpose,
    RelaxedRollout,
    Rollout,
    as_numpy,
    broken_constraints,
)

_TEXT = re.compile(r"\s*toy\(\s*(\d+(?:\s*,\s*\d+)*)\s*,?\s*\)\s*")


class ToySpace(SearchSpace):
    """A few independent decisions with a known best architecture.

    Args:
        num_decisions: Decisions ``d0``, ``d1``, ….
        num_choices: Choices ``c0``, ``c1``, … of each.
    """

    def __init__(self, *, num_decisions: PositiveInt = 4, num_choices: PositiveInt = 3) -> None:
        names = tuple(f"c{code}" for code in range(num_choices))
        self._decisions = Decisions([Decision(f"d{i}", names) for i in range(num_decisions)])
        self.optimum: Arch = tuple(i % num_choices for i in range(num_decisions))

    @property
    def decisions(self) -> Decisions:
        """The decisions; any combination of choices is an architecture."""
        return self._decisions

    def genotype(self, arch: Arch) -> str:
        """Return text such as ``toy(0, 2, 1, 1)``."""
        return f"toy({', '.join(map(str, arch))})"

    def parse(self, text: str) -> Arch:
        """Read what :meth:`genotype` wrote."""
        if (match := _TEXT.fullmatch(text)) is None:
            raise GenotypeError(f"expected text such as '{self.genotype(self.optimum)}', got '{text}'")
        return self.check_arch([int(code) for code in match[1].split(",")])

    @cached_property
    def mixtures(self) -> tuple[Mixture, ...]:
        """A mixture of one edge for each decision."""
        return tuple(Mixture(d.name, d.choices, (0,)) for d in self._decisions)

    def discretize(self, relaxed: Mapping[str, npt.NDArray[np.floating[Any]]]) -> Arch:
        """Return the strongest choice of every decision."""
        weights = [relaxed[mixture.name] for mixture in self.mixtures]
        return tuple(int((w.mean(1) if w.ndim == 3 else w)[0].argmax()) for w in weights)

    def accuracy(self, arch: Arch) -> float:
        """Return the fraction of decisions in which ``arch`` is the optimum; 1 for the optimum alone."""
        return float(np.mean(np.equal(arch, self.optimum)))

    def cost(self, arch: Arch) -> float:
        """Return the sum of all codes; 0 for the cheapest architecture, which the optimum is not."""
        return float(sum(arch))


class ToyEvaluator(Evaluator):
    """Reads ``accuracy`` (larger is better) and ``cost`` (smaller is better) off a :class:`ToySpace`.

    The reward is the accuracy, or the weighted gain of the goals when there are any. An architecture whose cost
    breaks a constraint is infeasible and its accuracy is never paid for.

    Args:
        noise: Standard deviation of what is added to each accuracy.
        fail_every: Every so many evaluations one fails; None for never.
        steps: Controller steps of an epoch that it suggests.
    """

    def __init__(
        self,
        search_space: ToySpace,
        rng: np.random.Generator,
        goals: tuple[Goal, ...] = (),
        constraints: tuple[Constraint, ...] = (),
        *,
        noise: NonNegativeFloat = 0.0,
        fail_every: PositiveInt | None = None,
        steps: PositiveInt = 5,
    ) -> None:
        self.search_space = search_space
        self.rng = rng
        self.goals = goals
        self.constraints = constraints
        self.noise = noise
        self.fail_every = fail_every
        self.steps = steps
        self.evaluations = 0

    def evaluate_rollouts(
        self,
        rollouts: Sequence[Rollout],
        purpose: Purpose = Purpose.PROPOSE,
        *,
        gradient: Literal["first", "second"] | None = None,
        steps: int | None = None,
    ) -> list[Rollout]:
        """Record an evaluation on each; ``steps`` mean nothing here.

        The gradient is that of a loss which is the negative expected accuracy under the relaxed decisions, of
        whichever order.
        """
        for rollout in rollouts:
            rollout.record(self._evaluate(rollout))
            if gradient is not None and isinstance(rollout, RelaxedRollout):
                rollout.gradient = self._gradient(rollout)
        return list(rollouts)

    def suggested_controller_steps(self) -> int:
        """Return the number given."""
        return self.steps

    def state(self) -> dict[str, Any]:
        """Return the number of evaluations, on which the next failure depends."""
        return {"evaluations": self.evaluations}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on counting."""
        self.evaluations = int(state["evaluations"])

    def _gradient(self, rollout: RelaxedRollout) -> dict[str, npt.NDArray[np.floating[Any]]]:
        gradient = {}
        for mixture, best in zip(self.search_space.mixtures, self.search_space.optimum, strict=True):
            of_mixture = np.zeros_like(as_numpy(rollout.relaxed[mixture.name]))
            of_mixture[..., best] = -mixture.shape[1] / of_mixture.size / len(self.search_space.mixtures)
            gradient[mixture.name] = of_mixture
        return gradient

    def _evaluate(self, rollout: Rollout) -> Evaluation:
        self.evaluations += 1
        if self.fail_every and self.evaluations % self.fail_every == 0:
            return Evaluation(status="failed", error=f"evaluation {self.evaluations} fails on purpose")
        perf = {"cost": self.search_space.cost(rollout.arch)}
        if broken := broken_constraints(self.constraints, perf):
            return Evaluation(perf=perf, status="infeasible", error="; ".join(broken))
        perf["accuracy"] = self.search_space.accuracy(rollout.arch) + self.noise * self.rng.standard_normal()
        gains = [
            goal.coefficient * goal.gain(perf[goal.metric]) for goal in self.goals if goal.metric in perf
        ]
        return Evaluation(perf=perf | {"reward": sum(gains) if gains else perf["accuracy"]})


class ToyController(Controller):
    """Proposes at random, remembers the best, and derives neighbours of it."""

    def __init__(self, search_space: SearchSpace, rng: np.random.Generator) -> None:
        self.search_space = search_space
        self.rng = rng
        self.best: Arch | None = None
        self.best_reward = -np.inf
        self.learnt = 0

    def sample(self, n: int, purpose: Purpose = Purpose.PROPOSE) -> list[Rollout]:
        """Return random architectures; to derive, the best known first and mutations of it after."""
        if purpose is not Purpose.DERIVE or self.best is None:
            return self.search_space.random_samples(n, self.rng)
        best = self.search_space.rollout(self.best)
        return [best, *(self.search_space.mutate(best, self.rng) for _ in range(n - 1))][:n]

    def step(self, rollouts: Sequence[Rollout]) -> dict[str, float]:
        """Remember the best of those that went well; the loss is the negative mean reward."""
        rewards = [(rollout.reward, rollout.arch) for rollout in rollouts if rollout.status == "ok"]
        for reward, arch in rewards:
            assert reward is not None, "an evaluation that went well has a reward"
            self.learnt += 1
            if reward > self.best_reward:
                self.best, self.best_reward = arch, reward
        return {"loss": -float(np.mean([reward for reward, _ in rewards]))} if rewards else {}

    def state(self) -> dict[str, Any]:
        """Return the best architecture and the number of lessons."""
        return {"best": self.best, "best_reward": self.best_reward, "learnt": self.learnt}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.best = None if state["best"] is None else tuple(state["best"])
        self.best_reward, self.learnt = float(state["best_reward"]), int(state["learnt"])
