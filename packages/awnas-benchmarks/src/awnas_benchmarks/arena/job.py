"""One search of a contest: run to its budget, in this process, without a run directory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from awnas_benchmarks.arena.budget import Budget
from awnas_benchmarks.arena.trajectory import Incumbent, Trajectory
from awnas_core import api
from awnas_core.errors import RunError
from awnas_core.plugins.hooks import hookimpl
from awnas_core.plugins.registry import Registry
from awnas_core.roles.evaluator import Evaluator
from awnas_core.rollout import Purpose, Rollout
from awnas_core.run.options import RunOptions
from awnas_core.session import Session, installed_registry, open_session

ENDLESS = {"epochs": 10**9, "test_every": None}
"""Options of a trainer that end a search, or derive while it goes on: the budget decides here."""
PATIENCE = 10_000
"""Architectures in a row that are outside the table before a search counts as stuck."""


@dataclass(frozen=True, slots=True)
class Job:
    """What to run.

    Args:
        algorithm: Name in the contest.
        config: Path of a config, or name of a preset.
        overrides: ``a.b=c`` texts.
        seed: Seed of everything random.
        budget: What it may spend.
    """

    algorithm: str
    config: str
    overrides: tuple[str, ...]
    seed: int
    budget: Budget


def run_job(job: Job) -> Trajectory:
    """Search until the budget is spent.

    Raises: ConfigError when the config cannot be used; RunError when the search ends or gets stuck before.
    """
    session = _session(job)
    recorder = _Recorder(job.budget)
    try:
        api.search(session, RunOptions(observers=[recorder]))
    except _Spent:
        return _trajectory(job, session, recorder)
    except _Stuck as error:
        raise RunError(f"{job.algorithm}, seed {job.seed}: {error}") from error
    raise RunError(
        f"{job.algorithm}, seed {job.seed}: the search ended after {recorder.evaluations} evaluations, "
        f"before its budget of {job.budget}"
    )


@cache
def _registry() -> Registry:
    return installed_registry()


def _session(job: Job) -> Session:
    session = open_session(job.config, "search", overrides=job.overrides, registry=_registry(), seed=job.seed)
    trainer = session.config.components["trainer"].options
    endless = [
        f"trainer_cfg.{key}={'null' if v is None else v}" for key, v in ENDLESS.items() if key in trainer
    ]
    overrides = (*job.overrides, *endless)
    return open_session(job.config, "search", overrides=overrides, registry=_registry(), seed=job.seed)


class _Spent(BaseException):
    """Ends a search from an observer; no error, so that nothing on the way takes it for one."""


class _Stuck(BaseException):
    """Ends a search that cannot spend its budget."""


class _Recorder:
    """Follows a search: adds up its cost, keeps every incumbent, and ends it when the budget is spent."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.evaluations, self.seconds = 0, 0.0
        self.incumbents: list[tuple[int, float, Rollout]] = []
        self._in_vain = 0

    @hookimpl
    def awnas_rollouts_evaluated(self, rollouts: Sequence[Rollout], purpose: Purpose) -> None:
        """Take notice of each architecture that was paid for; what comes after the budget does not count."""
        if purpose is not Purpose.PROPOSE:
            return
        for rollout in rollouts:
            if self._pay(rollout) > self.budget.amount:
                raise _Spent
            best = self.incumbents[-1][2].reward if self.incumbents else None
            if (
                rollout.status == "ok"
                and rollout.reward is not None
                and (best is None or rollout.reward > best)
            ):
                self.incumbents.append((self.evaluations, self.seconds, rollout))
        if getattr(self, self.budget.unit) >= self.budget.amount:
            raise _Spent

    def _pay(self, rollout: Rollout) -> float:
        """Add what an evaluation costs and return what is spent in all; an architecture not trained costs nothing."""
        evaluation = rollout.evaluation
        if evaluation is None or not evaluation.fidelity:
            self._in_vain += 1
            if self._in_vain > PATIENCE:
                raise _Stuck(f"{PATIENCE} architectures in a row could not be evaluated: {evaluation}")
            return 0.0
        self._in_vain = 0
        if self.budget.unit == "seconds" and "seconds" not in evaluation.fidelity:
            raise _Stuck(
                "its evaluations do not say how many seconds they take; give a budget in evaluations"
            )
        self.evaluations += 1
        self.seconds += evaluation.fidelity.get("seconds", 0.0)
        return float(getattr(self, self.budget.unit))


def _trajectory(job: Job, session: Session, recorder: _Recorder) -> Trajectory:
    if not recorder.incumbents:
        raise RunError(f"{job.algorithm}, seed {job.seed}: nothing could be measured within {job.budget}")
    evaluator: Evaluator = session.get("evaluator")
    metric: str = getattr(evaluator, "report", "reward")
    fresh = [rollout.fresh() for _, _, rollout in recorder.incumbents]
    evaluator.evaluate_rollouts(fresh, Purpose.DERIVE)
    table, optimum = (getattr(evaluator, name, None) for name in ("table", "optimum"))
    return Trajectory(
        algorithm=job.algorithm,
        seed=job.seed,
        metric=metric,
        direction="max" if table is None else table.column(metric).direction,
        evaluations=recorder.evaluations,
        seconds=recorder.seconds,
        optimum=None if optimum is None else optimum(),
        incumbents=tuple(
            Incumbent(
                evaluations=evaluations,
                seconds=seconds,
                reward=float(rollout.perf["reward"]),
                report=float(measured.perf[metric]),
                genotype=str(rollout.genotype),
            )
            for (evaluations, seconds, rollout), measured in zip(recorder.incumbents, fresh, strict=True)
        ),
    )
