"""Measuring architectures on tasks: shared weights adapt to the examples of a task, and are tested on others."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
from torch import nn

from awnas_core.device import Device
from awnas_core.errors import ConfigError
from awnas_core.metrics import Constraint, Goal
from awnas_core.options import NonNegativeInt, OptimizerCfg, PositiveInt, SchedulerCfg
from awnas_core.roles.controller import Controller
from awnas_core.roles.dataset import Dataset
from awnas_core.roles.evaluator import Evaluator
from awnas_core.roles.objective import Objective
from awnas_core.roles.weights_manager import WeightsManager
from awnas_core.rollout import Purpose, Rollout
from awnas_core.world import World
from awnas_torch.device import resolve
from awnas_torch.optim import ScheduledOptimizer
from awnas_torch.recalibrate import batch_statistics
from awnas_training.evaluators.agreement import agreed, refuse_disagreement
from awnas_training.evaluators.losses import CandidateLoss
from awnas_training.evaluators.measuring import Measurer, Trial, forward
from awnas_training.evaluators.queues import QueueSettings, build_queues
from awnas_training.evaluators.virtual_weights import weights_replaced
from awnas_training.few_shot.episodes import Examples, Task
from awnas_training.few_shot.learning_pass import LearningPass
from awnas_training.few_shot.meta_optimizer import Gradients, MetaMethod, MetaOptimizer, meta_gradients

BASE: OptimizerCfg = {"type": "SGD", "lr": 0.01}
META: OptimizerCfg = {"type": "Adam", "lr": 0.001}
IN_TRAINING = functools.partial(batch_statistics, training=True)
"""Batches are normalised by their own statistics; the running ones never move, so that no task leaks into another."""


class FewShotSharedWeightsEvaluator(Evaluator):
    """One-shot evaluation for few-shot learning.

    A candidate is trained for some steps on the support set of a task and measured on its query set; then the shared
    weights are what they were. Training moves the weights from which candidates start, towards where they learn tasks
    quickly.

    Args:
        eval_base_optimizer: Optimizer of the steps within a task, anew for each task.
        eval_base_scheduler: Its learning-rate scheduler, stepped after every epoch.
        eval_meta_optimizer: Optimizer of the weights that tasks start from.
        eval_meta_scheduler: Its learning-rate scheduler, stepped after every epoch.
        meta_update_method: First-order MAML, or Reptile.
        base_steps: Steps within a task when weights are trained and proposals are measured.
        derive_base_steps: Steps within a task before the final choice is measured.
        data_portion: What the queues of tasks to train on and of tasks to derive by get.
        workers_per_queue: Processes that prepare tasks.

    Source: Finn et al., "Model-Agnostic Meta-Learning", ICML 2017; Lian et al., "Towards Fast Adaptation of Neural
    Architectures with Meta Learning" (T-NAS), ICLR 2020.
    """

    def __init__(
        self,
        dataset: Dataset,
        weights_manager: WeightsManager,
        objective: Objective,
        device: Device,
        rng: np.random.Generator,
        goals: tuple[Goal, ...] = (),
        constraints: tuple[Constraint, ...] = (),
        world: World = World(),
        *,
        eval_base_optimizer: OptimizerCfg = BASE,
        eval_base_scheduler: SchedulerCfg | None = None,
        eval_meta_optimizer: OptimizerCfg = META,
        eval_meta_scheduler: SchedulerCfg | None = None,
        meta_update_method: MetaMethod = "fo_maml",
        base_steps: PositiveInt = 5,
        derive_base_steps: PositiveInt = 10,
        data_portion: tuple[Any, ...] = (["train", 1.0], ["test", 1.0]),
        workers_per_queue: NonNegativeInt = 2,
    ) -> None:
        assert isinstance(weights_manager, nn.Module), "shared weights live in a module"
        self.weights_manager = weights_manager
        self.objective = objective
        self.rng = rng
        self.world = world
        self.meta_update_method: MetaMethod = meta_update_method
        self.base_steps, self.derive_base_steps = base_steps, derive_base_steps
        self._device = resolve(device)
        self._measurer = Measurer(objective, goals, constraints, world)
        self._loss = CandidateLoss(objective, self._device, world)
        settings = QueueSettings(batch_size=1, data_portion=data_portion, workers=workers_per_queue)
        self.queues = build_queues(("weights",), dataset, settings, rng, world)
        self._weights = list(weights_manager.parameters())
        self._base = ScheduledOptimizer(eval_base_optimizer, eval_base_scheduler, self._weights)
        self._meta = MetaOptimizer(self._weights, eval_meta_optimizer, eval_meta_scheduler, world)
        self._start: Gradients = {}  # within a task: what the weights were before it

    @classmethod
    def check_options(cls, options: Mapping[str, Any]) -> None:
        """Refuse a wrong number of portions, and a task without steps."""
        if len(options["data_portion"]) != 2:
            raise ConfigError(
                f"data_portion must have 2 parts (weights, derive), got {len(options['data_portion'])}"
            )
        for name in ("eval_base_optimizer", "eval_meta_optimizer"):
            if not options[name]:
                raise ConfigError(f"{name} must be given, such as {{type: SGD, lr: 0.01}}")

    def next_task(self) -> Task:
        """Return the next task to learn on, on the device."""
        return self._on_device(self.queues["weights"].next())

    def derive_tasks(self, tasks: int | None = None) -> Iterator[Task]:
        """Yield the tasks to derive by, the same each time; at most ``tasks``."""
        return map(self._on_device, self.queues["derive"].pass_over(tasks))

    @contextmanager
    def on_task(self) -> Iterator[None]:
        """Let the weights adapt within the block; afterwards they are as before."""
        self._start = {weight: weight.data for weight in self._weights}
        with weights_replaced(self._weights, [weight.data.clone() for weight in self._weights]):
            yield
        self._base.forget()
        self._start = {}

    def adapt(self, rollouts: Sequence[Rollout], support: Examples, *, gradient: bool = False) -> None:
        """Train the weights one step on a support set, by the mean gradient of the architectures.

        Args:
            rollouts: Fresh; each gets its evaluation on the support set.
            support: On the device.
            gradient: Leave the gradient of relaxed decisions on the rollouts.
        """
        run = self._pass(Purpose.TRAIN_WEIGHTS, gradient)
        self._measurer.measure(self._trials(rollouts), [support], IN_TRAINING, {"queue": "support"}, run)
        self._base_step(run.gradients)

    def examine(
        self,
        rollouts: Sequence[Rollout],
        query: Examples,
        *,
        gradient: bool = False,
        learn: MetaMethod | None = None,
    ) -> None:
        """Measure architectures on a query set, with the weights as they have adapted.

        Args:
            rollouts: Fresh; each gets its evaluation on the query set.
            query: On the device.
            gradient: Leave the gradient of relaxed decisions on the rollouts.
            learn: How to take in what the task teaches about where to start, which :meth:`meta_step` makes use of;
                None for not at all.
        """
        run = self._pass(Purpose.PROPOSE, gradient) if learn or gradient else None
        mode = batch_statistics if run is None else IN_TRAINING
        self._measurer.measure(self._trials(rollouts), [query], mode, {"queue": "query"}, run or forward)
        if learn is not None and run is not None:
            self._meta.add(meta_gradients(learn, self._start, run.gradients, self._base_rate()))

    def meta_step(self) -> None:
        """Move the weights that tasks start from, by what the tasks since the last step taught."""
        self._meta.step()

    def update_evaluator(self, controller: Controller) -> dict[str, Any]:
        """Learn from one task; return the metrics on its query set."""
        (rollout,) = agreed(controller.sample(1, Purpose.TRAIN_WEIGHTS), self.world)
        support, query = self.next_task()
        with self.on_task():
            for _ in range(self.base_steps):
                self.adapt([rollout.fresh()], support)
            self.examine([rollout], query, learn=self.meta_update_method)
        self.meta_step()
        return dict(rollout.perf)

    def evaluate_rollouts(
        self,
        rollouts: Sequence[Rollout],
        purpose: Purpose = Purpose.PROPOSE,
        *,
        gradient: Literal["first", "second"] | None = None,
        steps: int | None = None,
    ) -> list[Rollout]:
        """Measure on query sets after adapting: proposals on one task, the final choice on all tasks to derive by.

        Args:
            rollouts: Fresh rollouts.
            purpose: What they are measured for.
            gradient: Leave the gradient of relaxed decisions, of the query loss, on the rollouts.
            steps: Number of tasks.

        Raises: ConfigError for a second-order gradient; RunError when processes have different architectures.
        """
        if gradient == "second":
            raise ConfigError(
                "few-shot evaluation has no second-order gradient; set gradient_order to 'first'"
            )
        refuse_disagreement(rollouts, self.world)
        is_final = purpose is Purpose.DERIVE
        tasks = list(self.derive_tasks(steps)) if is_final else [self.next_task() for _ in range(steps or 1)]
        base_steps = self.derive_base_steps if is_final else self.base_steps
        run, mode = (self._pass(purpose, True), IN_TRAINING) if gradient else (forward, batch_statistics)
        for rollout in rollouts:
            costs = self._measurer.screen(rollout)
            if rollout.status == "pending":
                (trial,) = self._trials([rollout], costs)
                queries = self._queries(trial, tasks, base_steps)
                self._measurer.measure([trial], queries, mode, {"base_steps": base_steps}, run)
        return list(rollouts)

    def suggested_controller_steps(self) -> int:
        """Return the number of tasks to train on."""
        return len(self.queues["weights"])

    def suggested_evaluator_steps(self) -> int:
        """Return the number of tasks to train on."""
        return len(self.queues["weights"])

    def queue_indices(self) -> dict[str, list[int]]:
        """Return the tasks of every queue."""
        return {name: queue.indices.tolist() for name, queue in self.queues.items()}

    def on_epoch_end(self, epoch: int) -> None:
        """Step the schedulers."""
        self._base.schedule()
        self._meta.end_epoch()

    def state(self) -> dict[str, Any]:
        """Return positions of the queues, and states of optimizers and schedulers; the weights are not included."""
        return {
            "queues": {name: queue.state() for name, queue in self.queues.items()},
            "base": self._base.state(),
            "meta": self._meta.state(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        for name, queue in self.queues.items():
            queue.load_state(state["queues"][name])
        self._base.load_state(state["base"])
        self._meta.load_state(state["meta"])

    def _pass(self, purpose: Purpose, of_decisions: bool) -> LearningPass:
        return LearningPass(self._loss, self.rng, purpose, of_decisions=of_decisions)

    def _trials(self, rollouts: Sequence[Rollout], costs: Mapping[str, float] | None = None) -> list[Trial]:
        return [
            Trial(rollout, self.weights_manager.assemble_candidate(rollout), costs or {})
            for rollout in rollouts
        ]

    def _queries(self, trial: Trial, tasks: Iterable[Task], base_steps: int) -> Iterator[Examples]:
        """Yield the query set of each task, while the weights are adapted to it."""
        for support, query in tasks:
            with self.on_task():
                for _ in range(base_steps):
                    run = self._pass(Purpose.TRAIN_WEIGHTS, False)
                    with IN_TRAINING(trial.network):
                        run(trial, support)
                    self._base_step(run.gradients)
                yield query

    def _base_step(self, gradients: Gradients) -> None:
        for weight, slope in gradients.items():
            weight.grad = slope
        if self.weights_manager.max_grad_norm is not None:
            nn.utils.clip_grad_norm_(list(gradients), self.weights_manager.max_grad_norm)
        self._base.step()
        for weight in gradients:
            weight.grad = None

    def _base_rate(self) -> float:
        assert self._base.optimizer is not None, "the option is not optional"
        return float(self._base.optimizer.param_groups[0]["lr"])

    def _on_device(self, task: Any) -> Task:
        (support, query) = ([part[0] for part in examples] for examples in task)  # a batch of one task
        return tuple(self._device.to(support)), tuple(self._device.to(query))
