"""Measuring architectures with the shared weights of a supernet, and training those weights."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from torch import nn

from awnas_core.device import Device
from awnas_core.errors import ConfigError
from awnas_core.metrics import Constraint, Goal
from awnas_core.options import NonNegativeInt, OptimizerCfg, PositiveFloat, PositiveInt, SchedulerCfg
from awnas_core.pairs import takes_pairs
from awnas_core.roles.controller import Controller
from awnas_core.roles.dataset import Dataset
from awnas_core.roles.evaluator import Evaluator
from awnas_core.roles.objective import Objective
from awnas_core.roles.weights_manager import WeightsManager
from awnas_core.rollout import Purpose, Rollout
from awnas_core.world import World
from awnas_torch.device import resolve
from awnas_torch.distributed import average_values
from awnas_torch.recalibrate import batch_statistics, evaluation_mode
from awnas_torch.seeding import seeded
from awnas_torch.sequences import state_after
from awnas_training.evaluators.agreement import agreed, refuse_disagreement
from awnas_training.evaluators.compiling import compile_candidate
from awnas_training.evaluators.gradient_pass import GradientPass, Order
from awnas_training.evaluators.losses import CandidateLoss
from awnas_training.evaluators.measuring import Measurer, Trial
from awnas_training.evaluators.queues import FixedPass, Memory, QueueSettings, build_queues
from awnas_training.evaluators.surrogate import StepCount, Surrogate, SurrogateTraining
from awnas_training.evaluators.weights_optimizer import WeightsOptimizer

SGD: OptimizerCfg = {"type": "SGD", "lr": 0.01, "momentum": 0.9, "weight_decay": 1e-4}
COSINE: SchedulerCfg = {"type": "CosineWithRestarts", "t_0": 10, "eta_min": 1e-4, "factor": 2.0}


class SharedWeightsEvaluator(Evaluator):
    """One-shot evaluation of discrete and of relaxed architectures.

    Training takes one batch and architectures from the controller; a parameter's gradient is averaged over the
    architectures in which it was active. Proposals of one call are all measured on the same single batch, the final
    choice on the whole derive queue. Measuring changes neither weights, nor running statistics, nor modes.

    Of relaxed architectures the gradient of the decisions is taken in the same pass, as in training: with the
    statistics of the batch, and dropout. A second-order gradient looks ahead along the next step of the weights, on the
    batch that they will be trained on next.

    Args:
        batch_size: Examples in a batch, for each process; of a text, the columns that are read in parallel.
        eval_optimizer: Optimizer of the shared weights.
        eval_scheduler: Its learning-rate scheduler, stepped after every epoch.
        eval_samples: Architectures that share one training step.
        data_portion: What the queues of weights, controller and, perhaps, derive get; with surrogate steps theirs comes
            first.
        shuffle_data_before_split: Permute examples before dividing them.
        shuffle_data_before_split_seed: Seed of that permutation.
        shuffle_indice_file: YAML file that holds the permutation, or gets it.
        workers_per_queue: Processes that prepare the batches of a queue.
        schedule_every_batch: Step the scheduler after every training step instead.
        switch_epochs: Epochs at whose start optimizer and scheduler begin anew, as when a supernet has grown (CLOSE).
        lr_factor: The learning rate is divided by this from the first of them on.
        evaluate_with_whole_queue: Measure proposals on the whole controller queue.
        update_evaluator_report_perfs: Report metrics of training batches, not only the loss.
        bn_mode: Statistics of batch normalisation while measuring: those of the batch, or the running ones.
        surrogate: Train every candidate for some steps first, on weights of its own.
        bptt_steps: Steps of a text in a batch, through which gradients flow; the hidden state is carried on.
        torch_compile: Let ``torch.compile`` make mixtures of all operations faster; the first steps take minutes.

    Source: Pham et al., "Efficient Neural Architecture Search via Parameter Sharing", ICML 2018, section 2.2; of the
    gradients, Liu et al., "DARTS: Differentiable Architecture Search", ICLR 2019, section 2.3.
    """

    schedulable = ("eval_samples", "controller_surrogate_steps", "weights_surrogate_steps")

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
        batch_size: PositiveInt = 128,
        eval_optimizer: OptimizerCfg = SGD,
        eval_scheduler: SchedulerCfg | None = COSINE,
        eval_samples: PositiveInt = 1,
        data_portion: tuple[Any, ...] = (0.5, 0.5),
        shuffle_data_before_split: bool = False,
        shuffle_data_before_split_seed: int | None = None,
        shuffle_indice_file: str | None = None,
        workers_per_queue: NonNegativeInt = 2,
        schedule_every_batch: bool = False,
        switch_epochs: tuple[PositiveInt, ...] = (),
        lr_factor: PositiveFloat = 1.0,
        evaluate_with_whole_queue: bool = False,
        update_evaluator_report_perfs: bool = True,
        bn_mode: Literal["batch", "running"] = "batch",
        surrogate: Surrogate = Surrogate(),
        bptt_steps: PositiveInt = 35,
        torch_compile: bool = False,
    ) -> None:
        assert isinstance(weights_manager, nn.Module), "shared weights live in a module"
        self.weights_manager = weights_manager
        self.objective = objective
        self.rng = rng
        self.world = world
        self.eval_samples = eval_samples
        self.evaluate_with_whole_queue = evaluate_with_whole_queue
        self.update_evaluator_report_perfs = update_evaluator_report_perfs
        self.torch_compile = torch_compile
        self.controller_surrogate_steps = surrogate.controller_steps
        self.weights_surrogate_steps = surrogate.weights_steps
        self.derive_surrogate_steps = surrogate.derive_steps
        self._switch_epochs, self._lr_factor = switch_epochs, lr_factor
        self._mode = batch_statistics if bn_mode == "batch" else evaluation_mode
        self._device = resolve(device)
        self._measurer = Measurer(objective, goals, constraints, world)
        self._loss = CandidateLoss(objective, self._device, world)
        settings = QueueSettings(
            batch_size=batch_size,
            data_portion=data_portion,
            shuffle_before_split=shuffle_data_before_split,
            shuffle_seed=shuffle_data_before_split_seed,
            shuffle_file=Path(shuffle_indice_file) if shuffle_indice_file else None,
            workers=workers_per_queue,
            bptt_steps=bptt_steps,
        )
        self._memory = Memory()
        self.queues = build_queues(_queue_names(surrogate), dataset, settings, rng, world)
        self._weights_optimizer = WeightsOptimizer(
            weights_manager, eval_optimizer, eval_scheduler, every_batch=schedule_every_batch, world=world
        )
        next_lesson = functools.partial(self._next, "surrogate" if surrogate.own_queue else "weights")
        self._surrogate = SurrogateTraining(
            surrogate, weights_manager.parameters(), self._loss, next_lesson, rng, world
        )

    @classmethod
    def check_options(cls, options: Mapping[str, Any]) -> None:
        """Refuse a wrong number of portions, and a permutation without a source."""
        names = _queue_names(options["surrogate"])
        if len(options["data_portion"]) not in (len(names), len(names) + 1):
            raise ConfigError(
                f"data_portion must have {len(names)} parts ({', '.join(names)}) or {len(names) + 1} (and derive), "
                f"got {len(options['data_portion'])}"
            )
        source = options["shuffle_data_before_split_seed"] is not None or options["shuffle_indice_file"]
        if options["shuffle_data_before_split"] and not source:
            raise ConfigError(
                "shuffle_data_before_split needs shuffle_data_before_split_seed or shuffle_indice_file"
            )

    def update_evaluator(self, controller: Controller) -> dict[str, Any]:
        """Train the shared weights one step; the statistics may be tensors still on their device."""
        rollouts = agreed(controller.sample(self.eval_samples, Purpose.TRAIN_WEIGHTS), self.world)
        lessons = self._surrogate.lessons(self.weights_surrogate_steps, len(rollouts))
        batch = self._next("weights")
        stats: dict[str, Any] = {}
        for rollout, lesson in zip(rollouts, lessons, strict=True):
            candidate = self._assemble(rollout)
            candidate.train()
            with self._surrogate.trained(candidate, rollout, lesson):
                with seeded(self.rng):
                    loss, outputs = self._loss(candidate, rollout, batch)
                self._weights_optimizer.add(candidate, loss)
            perfs = (
                self._measurer.training_perfs(batch, outputs) if self.update_evaluator_report_perfs else {}
            )
            for name, value in {**perfs, "loss": loss.detach()}.items():
                stats[name] = stats.get(name, 0.0) + value / len(rollouts)
        if rollouts:
            self._memory.keep("weights", state_after(outputs))
        stats = average_values(stats, self.world)
        self._weights_optimizer.step(stats["loss"])
        return stats

    @takes_pairs
    def evaluate_rollouts(
        self,
        rollouts: Sequence[Rollout],
        purpose: Purpose = Purpose.PROPOSE,
        *,
        gradient: Order | None = None,
        steps: int | None = None,
    ) -> list[Rollout]:
        """Measure with the shared weights; see the class for the data that is used.

        Raises: RunError when the processes of a run were given different architectures.
        """
        refuse_disagreement(rollouts, self.world)
        costs = [(rollout, self._measurer.screen(rollout)) for rollout in rollouts]
        trials = [
            Trial(rollout, self._assemble(rollout), cost)
            for rollout, cost in costs
            if rollout.status == "pending"
        ]
        if trials:
            queue = "derive" if purpose is Purpose.DERIVE else "controller"
            batches = self._batches(queue, steps)
            for part, lesson in self._parts(trials, self._steps_before(purpose)):
                with self._surrogate.trained(part[0].network, part[0].rollout, lesson):
                    left = self._measure(part, batches, gradient, {"queue": queue})
            if self._takes_turns(queue):
                self._memory.keep(queue, left)
        return list(rollouts)

    def suggested_controller_steps(self) -> int:
        """Return the number of batches in the controller queue."""
        return len(self.queues["controller"])

    def suggested_evaluator_steps(self) -> int:
        """Return the number of batches in the weights queue."""
        return len(self.queues["weights"])

    def queue_indices(self) -> dict[str, list[int]]:
        """Return the examples of every queue."""
        return {name: queue.indices.tolist() for name, queue in self.queues.items()}

    def on_epoch_start(self, epoch: int) -> None:
        """Begin the training of the weights anew, where that is due."""
        super().on_epoch_start(epoch)
        if epoch in self._switch_epochs:
            self._weights_optimizer.restart(self._lr_factor)

    def on_epoch_end(self, epoch: int) -> None:
        """Step the schedulers."""
        self._weights_optimizer.end_epoch()
        self._surrogate.end_epoch()

    def state(self) -> dict[str, Any]:
        """Return positions of the queues, and states of optimizers and schedulers; the weights are not included."""
        return {
            "queues": {name: queue.state() for name, queue in self.queues.items()},
            "weights_optimizer": self._weights_optimizer.state(),
            "surrogate": self._surrogate.state(),
            "memory": self._memory.state(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        for name, queue in self.queues.items():
            queue.load_state(state["queues"][name])
        self._weights_optimizer.load_state(state["weights_optimizer"])
        self._surrogate.load_state(state["surrogate"])
        self._memory.load_state(state["memory"], self._device)

    def _assemble(self, rollout: Rollout) -> nn.Module:
        candidate: nn.Module = self.weights_manager.assemble_candidate(rollout)
        if self.torch_compile:
            compile_candidate(candidate, rollout)
        return candidate

    def _measure(
        self,
        trials: Sequence[Trial],
        batches: Iterable[Any],
        gradient: Order | None,
        fidelity: Mapping[str, Any],
    ) -> Any:
        """Record the evaluations; return what the last network remembers."""
        if gradient is None:
            return self._measurer.measure(trials, batches, self._mode, fidelity)
        run = GradientPass(
            gradient,
            self._loss,
            self.rng,
            self.world,
            train_batch=lambda: self._on_device("weights", self.queues["weights"].peek()),
            optimizer=self._weights_optimizer.optimizer,
        )
        in_training = functools.partial(batch_statistics, training=True)
        left = self._measurer.measure(trials, batches, in_training, fidelity, run)
        run.finish()
        return left

    def _next(self, queue: str) -> Any:
        return self._on_device(queue, self.queues[queue].next())

    def _on_device(self, queue: str, batch: Any) -> Any:
        return self._memory.continued(queue, self._device.to(batch))

    def _takes_turns(self, queue: str) -> bool:
        """Whether measuring moves a queue on, instead of a pass of its own."""
        return queue == "controller" and not self.evaluate_with_whole_queue

    def _batches(self, queue: str, steps: int | None) -> Iterable[Any]:
        """Return (inputs, targets): the next batch for proposals, a whole fixed pass for the final choice."""
        if self._takes_turns(queue):
            return [self._next(queue) for _ in range(steps or 1)]
        return FixedPass(self.queues[queue], steps, self._device)

    def _parts(self, trials: list[Trial], steps: StepCount) -> Iterator[tuple[list[Trial], list[Any]]]:
        """Yield the trials that can be measured together, and the batches of the surrogate steps before that."""
        lessons = self._surrogate.lessons(steps, len(trials))
        if not any(lessons):
            yield trials, []
        else:  # each on weights of its own, which can be in place for one at a time only
            yield from (([trial], lesson) for trial, lesson in zip(trials, lessons, strict=True))

    def _steps_before(self, purpose: Purpose) -> StepCount:
        """Return the surrogate steps before measuring for ``purpose``."""
        before = self.controller_surrogate_steps
        if purpose is not Purpose.DERIVE:
            return before
        most = before if isinstance(before, int) else max(before)
        return most if self.derive_surrogate_steps is None else self.derive_surrogate_steps


def _queue_names(surrogate: Surrogate) -> tuple[str, ...]:
    return (*(["surrogate"] if surrogate.own_queue else []), "weights", "controller")
