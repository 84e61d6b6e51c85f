"""What every evaluator promises."""

# ruff: noqa: D102 - the names of tests are sentences

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from awnas_core.roles.evaluator import Evaluator
from awnas_core.roles.search_space import SearchSpace
from awnas_core.rollout import Purpose, Rollout
from awnas_core.testing.component import ComponentContract
from awnas_core.testing.toys import ToyController, ToySpace


class EvaluatorContract(ComponentContract):
    """Tests that every evaluator of discrete architectures passes; on a toy space unless told otherwise."""

    kind: ClassVar[str] = "evaluator"

    def space(self) -> SearchSpace:
        """Return the search space of the tests; the one among :meth:`collaborators` has to be equal."""
        return ToySpace()

    def collaborators(self) -> Mapping[str, Any]:
        """Return the search space."""
        return {"search_space": self.space()}

    def rollouts(self, n: int) -> list[Rollout]:
        """Return fresh architectures, the same each time."""
        return self.space().random_samples(n, np.random.default_rng(11))

    def use(self, component: Evaluator) -> Any:
        """Train on random architectures, then measure some."""
        component.update_evaluator(ToyController(self.space(), np.random.default_rng(2)))
        return [dict(rollout.perf) for rollout in component.evaluate_rollouts(self.rollouts(2))]

    def test_every_rollout_gets_its_evaluation_in_order(self) -> None:
        evaluator = self.made()
        for purpose in (Purpose.PROPOSE, Purpose.DERIVE):
            rollouts = self.rollouts(3)
            measured = evaluator.evaluate_rollouts(rollouts, purpose, steps=1)
            assert [id(rollout) for rollout in measured] == [id(rollout) for rollout in rollouts]
            assert [rollout.arch for rollout in measured] == [rollout.arch for rollout in self.rollouts(3)]
            ids = {rollout.evaluation.id for rollout in measured if rollout.evaluation is not None}
            assert len(ids) == 3

    def test_what_went_well_has_a_finite_reward_and_plain_numbers(self) -> None:
        evaluated = self.made().evaluate_rollouts(self.rollouts(3))
        assert any(rollout.status == "ok" for rollout in evaluated)
        for rollout in evaluated:
            assert all(isinstance(value, float) for value in rollout.perf.values())
            if rollout.status == "ok":
                assert rollout.reward is not None
                assert math.isfinite(rollout.reward)
            else:
                assert rollout.evaluation is not None
                assert rollout.evaluation.error

    def test_an_evaluation_is_not_overwritten(self) -> None:
        evaluator = self.made()
        (rollout,) = evaluator.evaluate_rollouts(self.rollouts(1))
        evaluation = rollout.evaluation
        with contextlib.suppress(ValueError):  # it may refuse as well
            evaluator.evaluate_rollouts([rollout])
        assert rollout.evaluation is evaluation

    def test_its_own_training_reports_numbers(self) -> None:
        controller = ToyController(self.space(), np.random.default_rng(2))
        stats = self.made().update_evaluator(controller)
        for name, value in stats.items():
            assert isinstance(name, str)
            assert isinstance(float(value), float)  # a tensor still on its device is one

    def test_suggested_numbers_of_steps_are_positive_or_none(self) -> None:
        evaluator = self.made()
        for steps in (evaluator.suggested_controller_steps(), evaluator.suggested_evaluator_steps()):
            assert steps is None or (isinstance(steps, int) and steps > 0)

    def test_the_indices_of_its_queues_are_numbers_without_repetition(self) -> None:
        for indices in self.made().queue_indices().values():
            assert len(set(indices)) == len(indices)
            assert all(type(index) is int for index in indices)
