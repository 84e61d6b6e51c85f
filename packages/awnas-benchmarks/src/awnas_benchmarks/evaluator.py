"""Evaluation by looking architectures up in a table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from awnas_benchmarks.tables.catalogue import table_for
from awnas_benchmarks.tables.lookup import Lookup
from awnas_core.errors import ConfigError
from awnas_core.metrics import Constraint, Goal
from awnas_core.options import PositiveInt
from awnas_core.roles.evaluator import Evaluator
from awnas_core.rollout import Evaluation, Purpose, Rollout, broken_constraints
from awnas_spaces.benchmark import BenchmarkSpace


class TableEvaluator(Evaluator):
    """Answers from a table of architectures that were trained once.

    While it searches, a controller sees the ``signal``, the metrics that goals and constraints name, and those of
    ``measure``. The ``report``, a test accuracy say, is told of the final choice only. What the table lacks is
    infeasible and costs nothing. Relaxed architectures are looked up as the discrete ones they stand for.

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
        self._epochs = self._ask.signal.epochs or 0
        self._fidelity = {
            "table": self.table.info.name,
            "signal": self.signal,
            "run": run,
            "epochs": self._epochs,
        }
        self.evaluations, self.epochs, self.seconds = 0, 0, 0.0

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
        reports = self._ask_report(keys, self.rng).values[self.report].tolist()
        columns = {name: values.tolist() for name, values in answer.values.items()}
        seconds = answer.seconds.tolist()
        seeds = [None] * len(rollouts) if answer.seeds is None else answer.seeds.tolist()
        is_paid = purpose is not Purpose.DERIVE
        for i, rollout in enumerate(rollouts):
            perf = {name: values[i] for name, values in columns.items()}
            report = {self.report: reports[i]}
            evaluation = self._refusal(perf, report) or self._evaluation(
                perf if is_paid else perf | report, seconds[i], seeds[i]
            )
            if is_paid and evaluation.fidelity:
                self._pay(seconds[i])
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

    def _refusal(self, perf: Mapping[str, float], report: Mapping[str, float]) -> Evaluation | None:
        """Return why an architecture is not trained at all: the table lacks it, or it costs too much to be wanted."""
        for name, value in (*perf.items(), *report.items()):
            if math.isnan(value):
                what = f"table '{self.table.info.name}' has no '{name}' of this architecture"
                return Evaluation(status="infeasible", error=what)
        costs = {name: perf[name] for name in self._free}
        if broken := broken_constraints(self.constraints, costs):
            return Evaluation(perf=costs, status="infeasible", error="; ".join(broken))
        return None

    def _evaluation(self, perf: Mapping[str, float], seconds: float, seed: int | None) -> Evaluation:
        broken = broken_constraints(self.constraints, perf)
        return Evaluation(
            perf={"reward": self._reward(perf), **perf},
            status="infeasible" if broken else "ok",
            fidelity=self._fidelity if math.isnan(seconds) else {**self._fidelity, "seconds": seconds},
            seed=seed,
            error="; ".join(broken) or None,
        )

    def _reward(self, perf: Mapping[str, float]) -> float:
        goals = [goal for goal in self.goals if goal.metric in perf] or [self._signal_goal]
        return sum(goal.coefficient * goal.gain(perf[goal.metric]) for goal in goals)

    def _pay(self, seconds: float) -> None:
        self.evaluations += 1
        self.epochs += self._epochs
        self.seconds += 0.0 if math.isnan(seconds) else seconds
