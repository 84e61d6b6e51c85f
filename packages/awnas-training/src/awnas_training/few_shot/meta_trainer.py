"""The trainer ``meta``: weights and architecture parameters that learn to adapt to tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from awnas_core.errors import ConfigError
from awnas_core.options import NonNegativeInt, OptimizerCfg, PositiveInt, SchedulerCfg
from awnas_core.roles.controller import Controller
from awnas_core.roles.evaluator import Evaluator
from awnas_core.rollout import Purpose, Rollout
from awnas_core.run.run import Run
from awnas_core.search.averages import Averages
from awnas_core.search.loop import SimpleTrainer
from awnas_core.world import World
from awnas_training.few_shot.episodes import Task
from awnas_training.few_shot.evaluator import BASE, META, FewShotSharedWeightsEvaluator
from awnas_training.few_shot.meta_optimizer import Gradients, MetaMethod, MetaOptimizer, meta_gradients

Style = Literal["together", "evaluator"]
"""What adapts to a task: weights and architecture parameters, or the weights alone."""


class MetaTrainer(SimpleTrainer):
    """Meta-learns shared weights and, of controllers that follow gradients, their parameters.

    For each task both start from the same place, take some steps on the support set, and are tested on the query set;
    then they are put back. After ``meta_batch_size`` tasks the start moves by the mean of what they taught. Controllers
    that follow no gradients learn from the rewards on query sets.

    Args:
        epochs: Number of epochs.
        test_every: Adapt to the tasks to derive by, and derive, every so many epochs; None for never.
        controller_base_optimizer: Optimizer of the controller's steps within a task.
        controller_base_scheduler: Its learning-rate scheduler.
        controller_meta_optimizer: Optimizer of the start; of controllers that follow no gradients, their own.
        controller_meta_scheduler: Its learning-rate scheduler.
        train_base_style: What adapts to the tasks of training.
        train_base_steps: Steps within such a task.
        test_base_style: What adapts to the tasks to derive by.
        test_base_steps: Steps within such a task.
        meta_batch_size: Tasks between two moves of the start.
        meta_update_method: First-order MAML, or Reptile.
        controller_samples: Architectures in one step within a task.
        derive_samples: Rollouts in the final choice.
        evaluator_steps: Tasks of an epoch; None takes the evaluator's suggestion.
        perf_name: The perf that the controller learns from; larger is better.

    Source: Lian et al., "Towards Fast Adaptation of Neural Architectures with Meta Learning" (T-NAS), ICLR 2020,
    Algorithm 1.
    """

    def __init__(
        self,
        controller: Controller,
        evaluator: Evaluator,
        world: World = World(),
        *,
        epochs: PositiveInt = 200,
        test_every: PositiveInt | None = 10,
        controller_base_optimizer: OptimizerCfg = BASE,
        controller_base_scheduler: SchedulerCfg | None = None,
        controller_meta_optimizer: OptimizerCfg = META,
        controller_meta_scheduler: SchedulerCfg | None = None,
        train_base_style: Style = "together",
        train_base_steps: PositiveInt = 5,
        test_base_style: Style = "together",
        test_base_steps: PositiveInt = 10,
        meta_batch_size: PositiveInt = 4,
        meta_update_method: MetaMethod = "fo_maml",
        controller_samples: PositiveInt = 1,
        derive_samples: PositiveInt = 8,
        evaluator_steps: NonNegativeInt | None = None,
        perf_name: str = "reward",
    ) -> None:
        if not isinstance(evaluator, FewShotSharedWeightsEvaluator):
            raise ConfigError(
                f"trainer 'meta' needs an evaluator of tasks, such as differentiable_few_shot_shared_weights, got "
                f"{type(evaluator).__name__}"
            )
        if controller.wants_gradient == "second":
            raise ConfigError("trainer 'meta' has no second-order gradient; set gradient_order to 'first'")
        self._follows_gradients = controller.wants_gradient is not None
        is_base = self._follows_gradients
        super().__init__(
            controller,
            evaluator,
            epochs=epochs,
            test_every=test_every,
            controller_optimizer=controller_base_optimizer if is_base else controller_meta_optimizer,
            controller_scheduler=controller_base_scheduler if is_base else controller_meta_scheduler,
            controller_samples=controller_samples,
            derive_samples=derive_samples,
            evaluator_steps=evaluator_steps,
            perf_name=perf_name,
        )
        self.tasks = evaluator
        self.train_base_style, self.train_base_steps = train_base_style, train_base_steps
        self.test_base_style, self.test_base_steps = test_base_style, test_base_steps
        self.meta_batch_size = meta_batch_size
        self.meta_update_method = meta_update_method
        self._rate = float(controller_base_optimizer["lr"])
        self._start = (
            MetaOptimizer(controller.learnable(), controller_meta_optimizer, controller_meta_scheduler, world)
            if self._follows_gradients
            else None
        )

    @classmethod
    def check_options(cls, options: Mapping[str, Any]) -> None:
        """Refuse optimizers that are left out, and a rate that Reptile would have to guess."""
        for name in ("controller_base_optimizer", "controller_meta_optimizer"):
            if not options[name]:
                raise ConfigError(f"{name} must be given, such as {{type: SGD, lr: 0.01}}")
        if "lr" not in options["controller_base_optimizer"]:
            raise ConfigError("controller_base_optimizer needs its 'lr', in which Reptile measures")

    def train_epoch(self, run: Run, epoch: int) -> None:
        """Go through the tasks, and move the start after every ``meta_batch_size`` of them."""
        tasks = (
            self.tasks.suggested_evaluator_steps() if self.evaluator_steps is None else self.evaluator_steps
        )
        stats, steps = Averages(), tasks // self.meta_batch_size
        for step in range(1, steps + 1):
            for _ in range(self.meta_batch_size):
                task = self.tasks.next_task()
                stats.add(self._perf_on(task, self.train_base_steps, self.train_base_style, learn=True))
            self.tasks.meta_step()
            if self._start is not None:
                self._start.step()
            run.step_finished("meta", step, steps)
        run.report(epoch, stats.means(), phase="query")

    def test(self, run: Run, epoch: int) -> None:
        """Adapt to each task to derive by and report the mean on the query sets; then derive."""
        stats = Averages()
        for task in self.tasks.derive_tasks():
            stats.add(self._perf_on(task, self.test_base_steps, self.test_base_style, learn=False))
        run.report(epoch, stats.means(), phase="meta_test")
        super().test(run, epoch)

    def on_epoch_end(self, epoch: int) -> None:
        """Move the learning rate of the start on."""
        super().on_epoch_end(epoch)
        if self._start is not None:
            self._start.end_epoch()

    def state(self) -> dict[str, Any]:
        """Return the best so far, and the state of the start's optimizer."""
        return {**super().state(), "start": None if self._start is None else self._start.state()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        super().load_state(state)
        if self._start is not None:
            self._start.load_state(state["start"])

    def _perf_on(self, task: Task, steps: int, style: Style, *, learn: bool) -> dict[str, float]:
        """Adapt to a task, measure on its query set, put everything back; return the mean of each perf."""
        support, query = task
        before = self.controller.state()
        start = {parameter: parameter.detach().clone() for parameter in self.controller.learnable()}
        moves = self._follows_gradients and style == "together"
        with self.tasks.on_task():
            sampled: Sequence[Rollout] = ()
            for _ in range(steps):
                if self._follows_gradients or not sampled:
                    sampled = self._sampled()
                rollouts = [rollout.fresh() for rollout in sampled]
                self.tasks.adapt(rollouts, support, gradient=moves)
                if moves:
                    self.controller.step(rollouts)
            rollouts = self._sampled()
            method = self.meta_update_method if learn else None
            self.tasks.examine(rollouts, query, gradient=learn and self._follows_gradients, learn=method)
        if learn and self._start is not None:
            self._start.add(self._taught(rollouts, start))
        if self._follows_gradients:
            self.controller.load_state(before)
        elif learn:
            self.controller.step(rollouts)
        perfs = Averages()
        for rollout in rollouts:
            perfs.add(rollout.perf)
        return perfs.means()

    def _taught(self, rollouts: Sequence[Rollout], start: Gradients) -> Gradients:
        """Return the meta-gradient of the controller's parameters, which have adapted to a task."""
        query: Gradients = {}
        if self.meta_update_method == "fo_maml":
            self.controller.step(rollouts)  # leaves the gradient of the query loss; the step itself is undone
            query = {parameter: parameter.grad.clone() for parameter in start if parameter.grad is not None}
        return meta_gradients(self.meta_update_method, start, query, self._rate)

    def _sampled(self) -> list[Rollout]:
        return self.controller.sample(self.controller_samples, Purpose.PROPOSE)
