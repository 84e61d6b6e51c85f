"""What every objective promises."""

# ruff: noqa: D102 - the names of tests are sentences

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, ClassVar

from awnas_core.roles.objective import Batch, Objective
from awnas_core.testing.component import ComponentContract


class ObjectiveContract(ComponentContract):
    """Tests that every objective passes; state :meth:`batches`."""

    kind: ClassVar[str] = "objective"

    def batches(self) -> Sequence[Batch]:
        """Return at least two batches, not all of one size, the same each time."""
        raise NotImplementedError("return batches as an evaluator would make them")

    def use(self, component: Objective) -> Any:
        """Measure all batches."""
        return self.measured(component, self.batches())

    def measured(self, objective: Objective, batches: Sequence[Batch]) -> dict[str, float]:
        """Return what the accumulators make of batches."""
        accumulators = objective.accumulators()
        for batch in batches:
            for accumulator in accumulators.values():
                accumulator.update(batch)
        return {name: accumulator.compute() for name, accumulator in accumulators.items()}

    def test_metrics_have_different_names(self) -> None:
        names = [metric.name for metric in self.made().metrics()]
        assert names
        assert len(set(names)) == len(names)

    def test_there_is_an_accumulator_for_every_metric_on_data(self) -> None:
        objective = self.made()
        on_data = {metric.name for metric in objective.metrics() if metric.scope == "data"}
        assert set(objective.accumulators()) == on_data

    def test_goals_are_among_the_metrics(self) -> None:
        objective = self.made()
        directions = {metric.name: metric.direction for metric in objective.metrics()}
        for goal in objective.goals():
            assert directions[goal.metric] == goal.direction

    def test_parts_merge_into_the_value_over_everything(self) -> None:
        objective, batches = self.made(), self.batches()
        whole, merged = self.measured(objective, batches), objective.accumulators()
        for batch in batches:
            part = objective.accumulators()
            for name, accumulator in part.items():
                accumulator.update(batch)
                merged[name].merge(json.loads(json.dumps(accumulator.state())))
        for name, accumulator in merged.items():
            assert math.isclose(accumulator.compute(), whole[name], rel_tol=1e-6, abs_tol=1e-9)

    def test_nothing_measured_is_not_a_number(self) -> None:
        for accumulator in self.made().accumulators().values():
            assert math.isnan(accumulator.compute())

    def test_a_better_metric_gives_a_larger_reward(self) -> None:
        objective = self.made()
        perf = self.measured(objective, self.batches())
        for goal in objective.goals():
            if goal.metric in perf:
                better = perf | {goal.metric: perf[goal.metric] + (0.1 if goal.direction == "max" else -0.1)}
                assert objective.reward(better) > objective.reward(perf)

    def test_the_loss_is_one_number_or_none(self) -> None:
        objective = self.made()
        for batch in self.batches():
            loss = objective.get_loss(batch.inputs, batch.outputs, batch.targets)
            assert loss is None or math.isfinite(float(loss))
