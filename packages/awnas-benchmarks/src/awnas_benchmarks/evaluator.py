"""Evaluation by looking architectures up in a table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from awnas_benchmarks.tables.catalogue import table_for
from awnas_benchmarks.tables.columns import ColumnName
from awnas_benchmarks.tables.lookup import Lookup
from awnas_benchmarks.tables.table import Values
from awnas_core.errors import ConfigError
from awnas_core.metrics import Constraint, Goal
from awnas_core.options import PositiveInt
from awnas_core.pairs import takes_pairs
from awnas_core.roles.evaluator import Evaluator
from awnas_core.rollout import Evaluation, Purpose, Rollout, broken_constraints
from awnas_spaces.benchmark import BenchmarkSpace


class TableEvaluator(Evaluator):
    """Answers from a table of architectures that were trained once.

    While it searches, a controller sees the ``signal``, the metrics that goals and constraints name, and those of
    ``measure``. The ``report``, a test accuracy say, is told of the final choice only. What the table lacks is
    infeasible and costs nothing. Relaxed architectures are looked up as the discrete ones they stand for; of a pair
    both members are looked up and compared.

    Args:
        table: Name or path of a table; by default the one of the search space.
        signal: Column that the reward is, where no goals say otherwise; by default the table's choice.
        report: Column that says how good the final choice is; by default the table's choice.
        measure: More columns to see while searching, names as in ``awnas bench info``.
        run: Which training of several to believe: ``"mean"``, ``"random"`` (drawn anew for each evaluation), or the
            number of one.
        controller_steps: Controller steps of an epoch that it suggests.
    """

    def __init__(
        self,
        search_space: BenchmarkSpace,
        rng: np.random.Generator,
        goals: tuple[Goal, ...] = (),
        constraints: tuple[Constraint, ...] = (),
        *,
        table: str | None = None,
        signal: str | None = None,
        report: str | None = None,
        measure: tuple[str, ...] = (),
        run: Literal["mean", "random"] | int = "mean",
        controller_steps: PositiveInt = 100,
    ) -> None:
        self.search_space = search_space
        self.rng = rng
        self.goals = goals
        self.constraints = constraints
        self.controller_steps = controller_steps
        self.table = table_for(search_space, table)
        self.signal = signal or self.table.info.signal
        self.report = report or self.table.info.report
        wished = (
            *(goal.metric for goal in goals),
            *(bound.metric for bound in constraints),
            *measure,
        )
        seen = tuple(dict.fromkeys(name for name in wished if name not in (self.signal, "reward")))
        self._ask = Lookup(self.table, self.signal, seen, run)
        self._ask_report = Lookup(self.table, self.report)
        self._signal_goal = Goal(metric=self.signal, direction=self._ask.signal.direction)
        self._free = [name for name, column in self._ask.columns.items() if column.scope == "architecture"]
        name = ColumnName.parse(self.signal)
        self._epochs = name.epoch or name.epochs or 0
        self._fidelity = {
            "table": self.table.info.name,
            "signal": self.signal,
            "run": run,
            "epochs": self._epochs,
        }
        self.evaluations, self.epochs, self.seconds = 0, 0, 0.0

    @takes_pairs
    def evaluate_rollouts(
        self,
        rollouts: Sequence[Rollout],
        purpose: Purpose = Purpose.PROPOSE,
        *,
        gradient: Literal["first", "second"] | None = None,
        steps: int | None = None,
    ) -> list[Rollout]:
        """Record an evaluation on each; ``steps`` mean nothing here.

        Proposals are paid for: ``evaluations``, ``epochs`` and ``seconds`` add up what training them would have taken.

        Raises: ConfigError when a gradient is wanted: a table has none.
        """
        if gradient is not None:
            raise ConfigError("a table has no gradients; take a controller of discrete architectures")
        keys = self.search_space.benchmark_keys(self.search_space.encode_codes(rollouts))
        answer = self._ask(keys, self.rng)
        report = self._ask_report(keys, self.rng).values[self.report]
        is_paid = purpose is not Purpose.DERIVE
        told = answer.values if is_paid else answer.values | {self.report: report}
        outside = np.isnan(sum(answer.values.values(), report))  # NaN where any part is
        seeds = [None] * len(rollouts) if answer.seeds is None else answer.seeds.tolist()
        columns = {"reward": self._rewards(told), **told}
        values = zip(*(column.tolist() for column in columns.values()), strict=True)
        rows = zip(rollouts, values, outside.tolist(), answer.seconds.tolist(), seeds, strict=True)
        for rollout, of_one, is_outside, seconds, seed in rows:
            perf = dict(zip(columns, of_one, strict=True))
            evaluation = self._outside(perf) if is_outside else self._evaluation(perf, seconds, seed)
            if is_paid and evaluation.fidelity:
                self._pay(seconds)
            rollout.record(evaluation)
        return list(rollouts)

    def optimum(self) -> float:
        """Return the best report of all architectures that a search may find."""
        rows = np.arange(self.table.size)
        reports = self._ask_report.of_rows(rows)
        known = reports[~np.isnan(reports) & ~np.isnan(self._ask.of_rows(rows))]
        return float(known.max() if self.table.column(self.report).direction == "max" else known.min())

    def suggested_controller_steps(self) -> int:
        """Return the number given."""
        return self.controller_steps

    def state(self) -> dict[str, Any]:
        """Return what was spent."""
        return {"evaluations": self.evaluations, "epochs": self.epochs, "seconds": self.seconds}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on spending."""
        self.evaluations, self.epochs = int(state["evaluations"]), int(state["epochs"])
        self.seconds = float(state["seconds"])

    def _rewards(self, columns: Mapping[str, Values]) -> Values:
        """Return the weighted sum of the goals' gains, of the signal where there are no goals; shape ``(n,)``."""
        goals = [goal for goal in self.goals if goal.metric != "reward"] or [self._signal_goal]
        signs = {"max": 1.0, "min": -1.0}
        return np.asarray(
            sum(goal.coefficient * signs[goal.direction] * columns[goal.metric] for goal in goals)
        )

    def _evaluation(self, perf: dict[str, float], seconds: float, seed: int | None) -> Evaluation:
        """Return what was measured; of an architecture that costs too much, only what needs no training."""
        if self.constraints:
            costs = {name: perf[name] for name in self._free}
            if broken := broken_constraints(self.constraints, costs):
                return Evaluation(perf=costs, status="infeasible", error="; ".join(broken))
        broken = broken_constraints(self.constraints, perf)
        return Evaluation(
            perf=perf,
            status="infeasible" if broken else "ok",
            fidelity=self._fidelity if math.isnan(seconds) else {**self._fidelity, "seconds": seconds},
            seed=seed,
            error="; ".join(broken) or None,
        )

    def _outside(self, perf: Mapping[str, float]) -> Evaluation:
        missing = next(
            (name for name, value in perf.items() if name != "reward" and math.isnan(value)), self.report
        )
        what = f"table '{self.table.info.name}' has no '{missing}' of this architecture"
        return Evaluation(status="infeasible", error=what)

    def _pay(self, seconds: float) -> None:
        self.evaluations += 1
        self.epochs += self._epochs
        self.seconds += 0.0 if math.isnan(seconds) else seconds
