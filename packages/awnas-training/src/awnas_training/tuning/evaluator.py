"""The evaluator ``tune``: every architecture is trained by itself, and only the promising ones to the end."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
import multiprocessing
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from pathlib import Path
from typing import Any, Literal

import numpy as np

from awnas_core.device import Device
from awnas_core.errors import ConfigError, RunError, did_you_mean
from awnas_core.metrics import Constraint, Goal
from awnas_core.options import NonNegativeInt, PositiveInt
from awnas_core.plugins.registry import Registry
from awnas_core.roles.evaluator import Evaluator
from awnas_core.roles.search_space import SearchSpace
from awnas_core.rollout import Evaluation, Purpose, Rollout, broken_constraints
from awnas_core.world import World
from awnas_training.tuning.schedules import asynchronous_halving, halving
from awnas_training.tuning.training import COSTS, Training, one_thread, own_randomness

Verdict = dict[str, Any]
"""What an evaluation is made of; every rollout gets an evaluation of its own."""


class TuneEvaluator(Evaluator):
    """Trains candidates from scratch, by a config as for ``awnas train``, with a seed of its own for each.

    All are trained until the first of ``rungs``; those that do best there go on to the next, and so on. What is told of
    a candidate is what held-out data gave at the last rung that it reached. A candidate that comes again goes on where
    it stopped; what is derived is trained to the end.

    Args:
        final: Path of a final-training config, or name of a preset; its search space must be the same.
        final_set: ``a.b=c`` texts, changes to it.
        rungs: Epochs after which it is decided who goes on, rising; the last are those of a whole training.
        schedule: ``halving`` judges the candidates of one step together, ``asha`` each by all that came before.
        reduction: One of so many goes on.
        folder: Where trainings are kept, for a search that is resumed to go on with them; by default they are lost with
            the process, and a resumed search trains again what goes on, with the same result.
        workers: Processes that train; 0 trains in this one.

    Source: see :mod:`awnas_training.tuning.schedules`.
    """

    def __init__(
        self,
        search_space: SearchSpace,
        registry: Registry,
        device: Device,
        rng: np.random.Generator,
        goals: tuple[Goal, ...] = (),
        constraints: tuple[Constraint, ...] = (),
        world: World = World(),
        *,
        final: str,
        final_set: tuple[str, ...] = (),
        rungs: tuple[PositiveInt, ...] = (1, 3, 9),
        schedule: Literal["halving", "asha"] = "asha",
        reduction: PositiveInt = 3,
        folder: Path | None = None,
        workers: NonNegativeInt = 0,
    ) -> None:
        if world.size > 1:
            raise ConfigError(
                "tune trains in processes of its own: use awnas search, and evaluator_cfg.workers"
            )
        self.search_space, self.goals, self.constraints = search_space, goals, constraints
        self.rungs, self.schedule, self.reduction, self.workers = rungs, schedule, reduction, workers
        self._scratch = None if folder else tempfile.TemporaryDirectory(prefix="awnas-tune-")
        self.training = Training(
            config=final,
            overrides=final_set,
            plugin_files=_files(registry),
            device=device,
            seed=int(rng.integers(2**63)),
            folder=folder or Path(self._scratch.name),  # type: ignore[union-attr]
        )
        with own_randomness():
            session = self.training.open()
            self.objective = session.get("objective")
            if session.get("search_space").fingerprint != search_space.fingerprint:
                raise ConfigError(
                    f"'{final}' trains architectures of another search space than this search looks through: give both "
                    "the same search_space_type and search_space_cfg"
                )
        self._refuse_unknown_metrics()
        self.epochs = 0
        self._measured: dict[str, list[dict[str, float]]] = {}  # genotype → what each rung gave
        self._pool: ProcessPoolExecutor | None = None

    @classmethod
    def check_options(cls, options: Mapping[str, Any]) -> None:
        """Refuse rungs that do not rise, and a reduction that reduces nothing."""
        rungs = options["rungs"]
        if not rungs or any(after <= before for before, after in itertools.pairwise(rungs)):
            raise ConfigError(f"rungs must rise, at least one, got {list(rungs)}")
        if options["reduction"] < 2:
            raise ConfigError(f"reduction must be at least 2: one of two goes on; got {options['reduction']}")

    def evaluate_rollouts(
        self,
        rollouts: Sequence[Rollout],
        purpose: Purpose = Purpose.PROPOSE,
        *,
        gradient: Literal["first", "second"] | None = None,
        steps: int | None = None,
    ) -> list[Rollout]:
        """Train and record; ``steps`` mean nothing here.

        Raises: ConfigError when a gradient is wanted: a training has none.
        """
        if gradient is not None:
            raise ConfigError("tune trains discrete architectures; take a controller that wants no gradient")
        same: dict[str, list[Rollout]] = {}
        for rollout in rollouts:
            same.setdefault(str(rollout.genotype), []).append(rollout)
        ends = {text: self._screened(text) for text in same}
        going = [text for text, end in ends.items() if end is None]
        for rung in range(len(self.rungs)):
            failures = self._climb(going, rung)
            ends |= failures
            going = [text for text in going if text not in failures]
            if purpose is not Purpose.DERIVE:
                going = self._chosen(going, rung)
        for text, of_text in same.items():
            verdict = ends[text] or self._verdict(text)
            for rollout in of_text:
                rollout.record(Evaluation(**verdict))
        return list(rollouts)

    def suggested_controller_steps(self) -> int:
        """Return 1: a step is a training already."""
        return 1

    def state(self) -> dict[str, Any]:
        """Return what every training gave; the trainings themselves stand in the folder."""
        measured = {text: [dict(perf) for perf in perfs] for text, perfs in self._measured.items()}
        return {"seed": self.training.seed, "epochs": self.epochs, "measured": measured}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.training = dataclasses.replace(self.training, seed=int(state["seed"]))
        self.epochs = int(state["epochs"])
        self._measured = {text: [dict(perf) for perf in perfs] for text, perfs in state["measured"].items()}

    def _refuse_unknown_metrics(self) -> None:
        known = ["reward", *(metric.name for metric in self.objective.metrics()), *COSTS]
        wished = [*(goal.metric for goal in self.goals), *(bound.metric for bound in self.constraints)]
        for name in wished:
            if name not in known:
                hint = did_you_mean(name, known) or f"; it reports {', '.join(known)}"
                raise ConfigError(f"'{self.training.config}' does not report '{name}'{hint}")

    def _screened(self, text: str) -> Verdict | None:
        """Return the end of a candidate whose costs break a constraint, None for one that may be trained."""
        if text in self._measured or not self.constraints:
            return None
        costs = self.training.costs(text)
        broken = broken_constraints(self.constraints, costs)
        return {"perf": costs, "status": "infeasible", "error": "; ".join(broken)} if broken else None

    def _climb(self, texts: Sequence[str], rung: int) -> dict[str, Verdict]:
        """Train those that were never on this rung up to it, and return the failures."""
        todo = [text for text in texts if len(self._measured.get(text, ())) == rung]
        epochs = self.rungs[rung]
        calls = [functools.partial(self.training.train, text, epochs) for text in todo]
        failures = {}
        for text, outcome in zip(todo, self._outcomes(calls), strict=True):
            self.epochs += epochs - (self.rungs[rung - 1] if rung else 0)
            if isinstance(outcome, Exception):
                error = f"its training failed: {type(outcome).__name__}: {outcome}"
                failures[text] = {"status": "failed", "fidelity": {"epochs": epochs}, "error": error}
            else:
                self._measured.setdefault(text, []).append(outcome)
        return failures

    def _outcomes(
        self, calls: Sequence[Callable[[], dict[str, float]]]
    ) -> Iterator[dict[str, float] | Exception]:
        """Make calls, here or in the workers, and yield what they return or raise, in order.

        Raises: AwnasError when no architecture is at fault, but a config or a worker that died.
        """
        if self.workers and self._pool is None:
            context = multiprocessing.get_context("spawn")  # a fork would inherit the threads of torch
            self._pool = ProcessPoolExecutor(self.workers, mp_context=context, initializer=one_thread)
        waiting = [call if self._pool is None else self._pool.submit(call).result for call in calls]
        for outcome in waiting:
            try:
                yield outcome()
            except BrokenExecutor as error:
                raise RunError(
                    f"a process that trains died ({error}); take fewer evaluator_cfg.workers if memory was short"
                ) from error
            except RuntimeError as error:  # what torch raises: out of memory, shapes that do not fit
                yield error

    def _chosen(self, texts: list[str], rung: int) -> list[str]:
        """Return those that go on from a rung."""
        rewards = [self._perf(self._measured[text][rung])["reward"] for text in texts]
        if self.schedule == "halving":
            goes_on = halving(rewards, self.reduction)
        else:
            others = (
                perfs for text, perfs in self._measured.items() if text not in texts and len(perfs) > rung
            )
            before = [self._perf(perfs[rung])["reward"] for perfs in others]
            goes_on = asynchronous_halving(rewards, self.reduction, before)
        return [text for text, goes in zip(texts, goes_on, strict=True) if goes]

    def _perf(self, measured: Mapping[str, float]) -> dict[str, float]:
        return {**measured, "reward": self.objective.reward(measured, self.goals or None)}

    def _verdict(self, text: str) -> Verdict:
        perfs = self._measured[text]
        perf, fidelity = self._perf(perfs[-1]), {"epochs": self.rungs[len(perfs) - 1]}
        if wrong := [name for name, value in perf.items() if not math.isfinite(value)]:
            return {"status": "failed", "fidelity": fidelity, "error": f"{', '.join(wrong)} not finite"}
        if broken := broken_constraints(self.constraints, perf):
            return {"perf": perf, "status": "infeasible", "fidelity": fidelity, "error": "; ".join(broken)}
        return {"perf": perf, "fidelity": fidelity}


def _files(registry: Registry) -> tuple[Path, ...]:
    """Return the plugins that are files, wherever they lie."""
    loaded = (record for record in registry.plugins if record.status == "loaded" and not record.version)
    return tuple(path for record in loaded if (path := Path(record.origin)).is_file())
