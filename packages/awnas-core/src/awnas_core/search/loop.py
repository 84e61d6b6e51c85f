"""The simple search loop: train the evaluator, let the controller learn, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from awnas_core.errors import ConfigError
from awnas_core.options import NonNegativeInt, OptimizerCfg, PositiveInt, SchedulerCfg
from awnas_core.roles.controller import Controller
from awnas_core.roles.evaluator import Evaluator
from awnas_core.roles.trainer import Trainer
from awnas_core.rollout import Arch, Evaluation, Purpose, Rollout
from awnas_core.run.run import Run
from awnas_core.search.averages import Averages

ADAM: OptimizerCfg = {"type": "Adam", "lr": 0.001}


class SimpleTrainer(Trainer):
    """Alternates phases of evaluator steps and controller steps.

    Args:
        epochs: Number of epochs.
        test_every: Derive and measure the controller's choice every so many epochs; None for never.
        controller_optimizer: ``{"type": …}`` handed to the controller; those without parameters ignore it.
        controller_scheduler: ``{"type": …}`` likewise.
        controller_samples: Rollouts in one controller step.
        derive_samples: Rollouts in the final choice, and in each test.
        evaluator_steps: Evaluator steps in an epoch; None takes the evaluator's suggestion, 0 leaves them out.
        controller_steps: Controller steps in an epoch; None takes the evaluator's suggestion, 0 leaves them out.
        controller_train_begin: First epoch in which the controller learns.
        controller_train_every: From then on it learns in epochs divisible by this.
        addi_controller_train_epochs: Epochs in which it learns besides, from ``controller_train_begin`` on.
        interleave_controller_every: Instead of two phases, one controller step after every so many evaluator steps.
        perf_name: The perf that the controller learns from; larger is better.

    Source: the alternation of Pham et al., "Efficient Neural Architecture Search via Parameter Sharing", ICML 2018,
    section 2.2; interleaved as in Liu et al., "DARTS", ICLR 2019, Algorithm 1.
    """

    schedulable = ("controller_samples", "derive_samples")

    def __init__(
        self,
        controller: Controller,
        evaluator: Evaluator,
        *,
        epochs: PositiveInt = 200,
        test_every: PositiveInt | None = 10,
        controller_optimizer: OptimizerCfg | None = ADAM,
        controller_scheduler: SchedulerCfg | None = None,
        controller_samples: PositiveInt = 1,
        derive_samples: PositiveInt = 8,
        evaluator_steps: NonNegativeInt | None = None,
        controller_steps: NonNegativeInt | None = None,
        controller_train_begin: PositiveInt = 1,
        controller_train_every: PositiveInt = 1,
        addi_controller_train_epochs: tuple[int, ...] = (),
        interleave_controller_every: PositiveInt | None = None,
        perf_name: str = "reward",
    ) -> None:
        self.controller = controller
        self.evaluator = evaluator
        self.epochs = epochs
        self.test_every = test_every
        self.controller_samples = controller_samples
        self.derive_samples = derive_samples
        self.evaluator_steps = evaluator_steps
        self.controller_steps = controller_steps
        self.controller_train_begin = controller_train_begin
        self.controller_train_every = controller_train_every
        self.addi_controller_train_epochs = addi_controller_train_epochs
        self.interleave_controller_every = interleave_controller_every
        self.best: dict[str, Any] | None = None
        controller.configure_optimizer(controller_optimizer, controller_scheduler, perf_name=perf_name)

    @classmethod
    def check_options(cls, options: Mapping[str, Any]) -> None:
        """Refuse step counts that contradict the interleaving."""
        every, steps, evaluator_steps = (
            options[name] for name in ("interleave_controller_every", "controller_steps", "evaluator_steps")
        )
        if every and steps is not None and evaluator_steps is not None and evaluator_steps != steps * every:
            raise ConfigError(
                f"evaluator_steps must be controller_steps × interleave_controller_every = {steps * every}, "
                f"got {evaluator_steps}; leave it out"
            )

    def train(self, run: Run) -> None:
        """Search until the last epoch, or from where ``run`` was interrupted."""
        for epoch in run.epochs(self.epochs):
            self.train_epoch(run, epoch)
            if self.test_every and epoch % self.test_every == 0:
                self.test(run, epoch)

    def derive(
        self,
        n: int | None = None,
        steps: int | None = None,
        *,
        known: Mapping[Arch, Evaluation] | None = None,
        on_result: Callable[[Rollout], None] | None = None,
    ) -> list[Rollout]:
        """Return the controller's choice of ``n``, measured with care, best first; failed ones last."""
        rollouts = self.controller.sample(n or self.derive_samples, Purpose.DERIVE)
        if on_result is None and not known:
            self.evaluator.evaluate_rollouts(rollouts, Purpose.DERIVE, steps=steps)
        else:
            self._derive_one_by_one(rollouts, steps, known or {}, on_result)
        return sorted(rollouts, key=_rank, reverse=True)

    def _derive_one_by_one(
        self,
        rollouts: list[Rollout],
        steps: int | None,
        known: Mapping[Arch, Evaluation],
        on_result: Callable[[Rollout], None] | None,
    ) -> None:
        for rollout in rollouts:
            if rollout.arch in known:
                rollout.record(known[rollout.arch])
            else:
                self.evaluator.evaluate_rollouts([rollout], Purpose.DERIVE, steps=steps)
            if on_result is not None:
                on_result(rollout)

    def state(self) -> dict[str, Any]:
        """Return the best architecture of all tests so far."""
        return {"best": self.best}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take up the best architecture of the tests so far."""
        self.best = state["best"]

    def steps_per_epoch(self) -> tuple[int, int]:
        """Return (evaluator steps, controller steps) of an epoch in which both learn.

        Raises: ConfigError when neither the config nor the evaluator gives a number.
        """
        controller_steps = self.controller_steps
        if controller_steps is None:
            controller_steps = self._suggested_controller_steps()
        if self.interleave_controller_every:
            return controller_steps * self.interleave_controller_every, controller_steps
        evaluator_steps = self.evaluator_steps
        if evaluator_steps is None:
            evaluator_steps = self.evaluator.suggested_evaluator_steps() or 0
        return evaluator_steps, controller_steps

    def _suggested_controller_steps(self) -> int:
        steps = self.evaluator.suggested_controller_steps()
        if steps is None:
            evaluator = type(self.evaluator).__name__
            raise ConfigError(f"trainer_cfg.controller_steps: needed, because {evaluator} suggests no number")
        return steps

    def _controller_learns(self, epoch: int) -> bool:
        if epoch < self.controller_train_begin:
            return False
        return epoch % self.controller_train_every == 0 or epoch in self.addi_controller_train_epochs

    def train_epoch(self, run: Run, epoch: int) -> None:
        """Run the steps of one epoch and report their means."""
        evaluator_steps, controller_steps = self.steps_per_epoch()
        if not self._controller_learns(epoch):
            controller_steps = 0
        every = self.interleave_controller_every or evaluator_steps
        evaluator_stats, controller_stats = Averages(), Averages()
        taught = 0
        for step in range(1, evaluator_steps + 1):
            evaluator_stats.add(self.evaluator.update_evaluator(self.controller))
            run.step_finished("evaluator", step, evaluator_steps)
            if self.interleave_controller_every and step % every == 0 and taught < controller_steps:
                taught += 1
                controller_stats.add(self._teach(run))
        for step in range(taught + 1, controller_steps + 1):
            controller_stats.add(self._teach(run))
            run.step_finished("controller", step, controller_steps)
        run.report(epoch, evaluator_stats.means(), phase="evaluator")
        run.report(epoch, controller_stats.means(), phase="controller")

    def _teach(self, run: Run) -> dict[str, float]:
        """One controller step; return its statistics and the mean of each perf."""
        rollouts = self.controller.sample(self.controller_samples, Purpose.PROPOSE)
        summary = self.controller.summary(rollouts)
        self.evaluator.evaluate_rollouts(rollouts, Purpose.PROPOSE, gradient=self.controller.wants_gradient)
        run.evaluated(rollouts, Purpose.PROPOSE)
        self.evaluator.observe(rollouts)
        perfs = Averages()
        for rollout in rollouts:
            perfs.add(rollout.perf)
        return {**perfs.means(), **summary, **self.controller.step(rollouts)}

    def test(self, run: Run, epoch: int) -> None:
        """Measure what would be derived now, and remember the best so far."""
        rollouts = self.derive()
        run.evaluated(rollouts, Purpose.DERIVE)
        best = rollouts[0]
        if best.reward is None:
            self.logger.warning(
                "epoch %d: no derived architecture could be measured: %s", epoch, best.evaluation
            )
            return
        if self.best is None or best.reward > self.best["reward"]:
            self.best = {"epoch": epoch, "reward": best.reward, "genotype": str(best.genotype)}
        perfs = Averages()
        for rollout in rollouts:
            perfs.add(rollout.perf)
        run.report(epoch, {f"best_{name}": value for name, value in best.perf.items()}, phase="derived")
        run.report(epoch, perfs.means(), phase="derived")


def _rank(rollout: Rollout) -> tuple[bool, float]:
    reward = rollout.reward if rollout.status == "ok" else None
    return (reward is not None and not math.isnan(reward), reward if reward is not None else -math.inf)
