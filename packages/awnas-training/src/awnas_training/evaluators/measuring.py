"""Measuring candidates on data: metrics of several candidates over the same batches, feasibility, reward."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any, NamedTuple

import torch
from torch import nn

from awnas_core.errors import ConfigError, did_you_mean
from awnas_core.metrics import Constraint, Goal, Mean
from awnas_core.roles.objective import Batch, Objective
from awnas_core.rollout import Evaluation, Rollout, broken_constraints
from awnas_core.world import World
from awnas_torch.distributed import merge_accumulators, synchronised_batch_norm
from awnas_torch.sequences import continued, state_after

Mode = Callable[[nn.Module], AbstractContextManager[Any]]


class Trial(NamedTuple):
    """A rollout on its way to an evaluation: its network, and the costs that needed no data."""

    rollout: Rollout
    network: nn.Module
    costs: Mapping[str, float]


Run = Callable[[Trial, tuple[Any, Any]], Any]
"""Returns the outputs of a trial's network for a batch (inputs, targets)."""


def forward(trial: Trial, batch: tuple[Any, Any]) -> Any:
    """Run the network on the inputs."""
    return trial.network(batch[0])


class Reading:
    """A way to obtain outputs that lets each network go on where it ended itself.

    Args:
        run: How outputs are obtained.

    Attributes:
        state: What the network that ran last remembers.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._states: dict[int, Any] = {}
        self.state: Any = None

    def __call__(self, trial: Trial, batch: tuple[Any, Any]) -> Any:
        """Return the outputs of a trial's network for a batch that follows the last one it was given."""
        outputs = self._run(trial, continued(batch, self._states.get(id(trial))))
        self._states[id(trial)] = self.state = state_after(outputs)
        return outputs


class Measurer:
    """Turns candidates and batches into evaluations.

    Args:
        objective: Says what is measured and what the reward is.
        goals: What the reward is made of; those of the objective when empty.
        constraints: What makes an architecture infeasible.
        world: The processes whose batches belong together.

    Raises: ConfigError when a goal or constraint is on what the objective does not report.
    """

    def __init__(
        self, objective: Objective, goals: tuple[Goal, ...], constraints: tuple[Constraint, ...], world: World
    ) -> None:
        known = [metric.name for metric in objective.metrics()]
        for wished in [*(goal.metric for goal in goals), *(constraint.metric for constraint in constraints)]:
            if wished not in known:
                hint = did_you_mean(wished, known) or f"; it reports {', '.join(known)}"
                raise ConfigError(f"the objective does not report '{wished}'{hint}")
        self.objective = objective
        self.goals = goals or objective.goals()
        self.constraints = constraints
        self.world = world

    def screen(self, rollout: Rollout) -> Mapping[str, float]:
        """Return the costs that need no data; an architecture that breaks a constraint by them is recorded as such."""
        costs = self.objective.measure(rollout)
        if broken := broken_constraints(self.constraints, costs):
            rollout.record(Evaluation(perf=costs, status="infeasible", error="; ".join(broken)))
        return costs

    def measure(
        self,
        trials: Sequence[Trial],
        batches: Iterable[tuple[Any, Any]],
        mode: Mode,
        fidelity: Mapping[str, Any],
        run: Run = forward,
    ) -> Any:
        """Record an evaluation on every rollout, all over the same batches; return what the last network remembers.

        Args:
            trials: Rollouts with their networks.
            batches: (inputs, targets), on the device.
            mode: Context in which a network is measured.
            fidelity: What the evaluation says of its care.
            run: How outputs are obtained.
        """
        run = reading = Reading(run)
        gathered = [self.objective.accumulators() for _ in trials]
        failures: list[str | None] = [None] * len(trials)
        count = 0
        with torch.no_grad(), ExitStack() as modes:
            for trial in trials:
                modes.enter_context(mode(trial.network))
                modes.enter_context(synchronised_batch_norm(trial.network, self.world))
            for batch in batches:
                count += 1
                for index, trial in enumerate(trials):
                    if failures[index] is None:
                        failures[index] = self._add(trial, batch, gathered[index], run)
        for (rollout, _, costs), accumulators, failure in zip(trials, gathered, failures, strict=True):
            merge_accumulators(accumulators, self.world)
            perf = {**costs, **{name: a.compute() for name, a in accumulators.items()}}
            rollout.record(self.evaluation(perf, failure, {**fidelity, "batches": count}))
        return reading.state

    def training_perfs(self, batch: tuple[Any, Any], outputs: Any) -> dict[str, Any]:
        """Return the metrics of a batch that was trained on, besides the loss; tensors still on their device."""
        inputs, targets = batch
        perfs = {}
        for name, accumulator in self.objective.accumulators().items():
            if name != "loss":
                accumulator.update(Batch(inputs, outputs.detach(), targets, size=len(targets)))
                perfs[name] = accumulator.mean if isinstance(accumulator, Mean) else accumulator.compute()
        return perfs

    def evaluation(
        self, perf: dict[str, float], failure: str | None, fidelity: Mapping[str, Any]
    ) -> Evaluation:
        """Return the evaluation that metrics make, or a ``failure``; what is not finite is one."""
        if failure is None:
            wrong = [name for name, value in perf.items() if not math.isfinite(value)]
            failure = f"{', '.join(wrong)} not finite" if wrong else None
        if failure is not None:
            finite = {name: value for name, value in perf.items() if math.isfinite(value)}
            return Evaluation(perf=finite, status="failed", fidelity=fidelity, error=failure)
        perf = {"reward": self.objective.reward(perf, self.goals), **perf}
        if broken := broken_constraints(self.constraints, perf):
            return Evaluation(perf=perf, status="infeasible", fidelity=fidelity, error="; ".join(broken))
        return Evaluation(perf=perf, fidelity=fidelity)

    def _add(
        self, trial: Trial, batch: tuple[Any, Any], accumulators: Mapping[str, Any], run: Run
    ) -> str | None:
        """Take in one batch; return why that failed, None when it went well."""
        inputs, targets = batch
        try:
            outputs = run(trial, batch)
        except torch.OutOfMemoryError as error:
            return f"out of memory: {error}"
        for accumulator in accumulators.values():
            accumulator.update(Batch(inputs, outputs, targets, size=len(targets)))
        return None
