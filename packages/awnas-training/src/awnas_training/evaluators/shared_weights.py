"""Measuring architectures with the shared weights of a supernet, and training those weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from awnas_core.device import Device
from awnas_core.errors import ConfigError, RunError
from awnas_core.metrics import Constraint, Goal, Mean
from awnas_core.options import NonNegativeInt, PositiveInt, TypedCfg
from awnas_core.pairs import takes_pairs
from awnas_core.roles.controller import Controller
from awnas_core.roles.dataset import Dataset
from awnas_core.roles.evaluator import Evaluator
from awnas_core.roles.objective import Batch, Objective
from awnas_core.roles.weights_manager import WeightsManager
from awnas_core.rollout import Purpose, Rollout
from awnas_core.world import World
from awnas_torch.device import resolve
from awnas_torch.distributed import agree_on_codes, average_gradients, synchronised_batch_norm
from awnas_torch.optim import build_optimizer, build_scheduler, scheduler_state, step_scheduler
from awnas_torch.recalibrate import batch_statistics, evaluation_mode
from awnas_torch.seeding import seeded
from awnas_training.evaluators.measuring import Measurer
from awnas_training.evaluators.queues import QueueSettings, build_queues

SGD: TypedCfg = {"type": "SGD", "lr": 0.01, "momentum": 0.9, "weight_decay": 1e-4}
COSINE: TypedCfg = {"type": "CosineWithRestarts", "t_0": 10, "eta_min": 1e-4, "factor": 2.0}


class DiscreteSharedWeightsEvaluator(Evaluator):
    """One-shot evaluation of discrete architectures.

    Training takes one batch and architectures from the controller; a parameter's gradient is averaged over the
    architectures in which it was active. Proposals of one call are all measured on the same single batch, the final
    choice on the whole derive queue. Measuring changes neither weights, nor running statistics, nor modes.

    Args:
        batch_size: Examples in a batch, for each process.
        eval_optimizer: Optimizer of the shared weights.
        eval_scheduler: Its learning-rate scheduler, stepped after every epoch.
        eval_samples: Architectures that share one training step.
        data_portion: What the queues of weights, controller and, perhaps, derive get.
        shuffle_data_before_split: Permute examples before dividing them.
        shuffle_data_before_split_seed: Seed of that permutation.
        shuffle_indice_file: YAML file that holds the permutation, or gets it.
        workers_per_queue: Processes that prepare the batches of a queue.
        schedule_every_batch: Step the scheduler after every training step instead.
        evaluate_with_whole_queue: Measure proposals on the whole controller queue.
        update_evaluator_report_perfs: Report metrics of training batches, not only the loss.
        bn_mode: Statistics of batch normalisation while measuring: those of the batch, or the running ones.

    Source: Pham et al., "Efficient Neural Architecture Search via Parameter Sharing", ICML 2018, section 2.2.
    """

    schedulable = ("eval_samples",)

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
        eval_optimizer: TypedCfg = SGD,
        eval_scheduler: TypedCfg | None = COSINE,
        eval_samples: PositiveInt = 1,
        data_portion: tuple[Any, ...] = (0.5, 0.5),
        shuffle_data_before_split: bool = False,
        shuffle_data_before_split_seed: int | None = None,
        shuffle_indice_file: str | None = None,
        workers_per_queue: NonNegativeInt = 2,
        schedule_every_batch: bool = False,
        evaluate_with_whole_queue: bool = False,
        update_evaluator_report_perfs: bool = True,
        bn_mode: Literal["batch", "running"] = "batch",
    ) -> None:
        assert isinstance(weights_manager, nn.Module), "shared weights live in a module"
        self.weights_manager = weights_manager
        self.objective = objective
        self.rng = rng
        self.world = world
        self.eval_samples = eval_samples
        self.schedule_every_batch = schedule_every_batch
        self.evaluate_with_whole_queue = evaluate_with_whole_queue
        self.update_evaluator_report_perfs = update_evaluator_report_perfs
        self._mode = batch_statistics if bn_mode == "batch" else evaluation_mode
        self._device = resolve(device)
        self._measurer = Measurer(objective, goals, constraints, world)
        settings = QueueSettings(
            batch_size=batch_size,
            data_portion=data_portion,
            shuffle_before_split=shuffle_data_before_split,
            shuffle_seed=shuffle_data_before_split_seed,
            shuffle_file=Path(shuffle_indice_file) if shuffle_indice_file else None,
            workers=workers_per_queue,
        )
        self.queues = build_queues(("weights", "controller"), dataset, settings, rng, world)
        self._optimizer = build_optimizer(eval_optimizer, weights_manager.parameters())
        self._scheduler = build_scheduler(eval_scheduler, self._optimizer)
        self._epoch_loss = Mean()

    @classmethod
    def check_options(cls, options: Mapping[str, Any]) -> None:
        """Refuse a wrong number of portions, and a permutation without a source."""
        if len(options["data_portion"]) not in (2, 3):
            raise ConfigError(
                "data_portion must have 2 parts (weights, controller) or 3 (and derive), "
                f"got {len(options['data_portion'])}"
            )
        source = options["shuffle_data_before_split_seed"] is not None or options["shuffle_indice_file"]
        if options["shuffle_data_before_split"] and not source:
            raise ConfigError(
                "shuffle_data_before_split needs shuffle_data_before_split_seed or shuffle_indice_file"
            )

    def update_evaluator(self, controller: Controller) -> dict[str, Any]:
        """Train the shared weights one step; the statistics may be tensors still on their device."""
        rollouts = self._agreed(controller.sample(self.eval_samples, Purpose.TRAIN_WEIGHTS))
        inputs, targets = self._device.to(self.queues["weights"].next())
        active: dict[nn.Parameter, int] = {}
        stats: dict[str, Any] = {}
        for rollout in rollouts:
            candidate = self.weights_manager.assemble_candidate(rollout)
            candidate.train()
            loss, outputs = self._backward(candidate, rollout, inputs, targets)
            for parameter in candidate.parameters():
                active[parameter] = active.get(parameter, 0) + 1
            for name, value in self._training_stats(inputs, outputs, targets, loss).items():
                stats[name] = stats.get(name, 0.0) + value / len(rollouts)
        self._step(active)
        self._epoch_loss.update((stats["loss"], 1))
        return stats

    @takes_pairs
    def evaluate_rollouts(
        self,
        rollouts: Sequence[Rollout],
        purpose: Purpose = Purpose.PROPOSE,
        *,
        gradient: Literal["first", "second"] | None = None,
        steps: int | None = None,
    ) -> list[Rollout]:
        """Measure with the shared weights; see the class for the data that is used.

        Raises: RunError when the processes of a run were given different architectures.
        """
        assert gradient is None, "discrete architectures have no gradient; the config check sees to that"
        self._refuse_disagreement(rollouts)
        measured = [(rollout, self._measurer.screen(rollout)) for rollout in rollouts]
        candidates = [
            (rollout, self.weights_manager.assemble_candidate(rollout), costs)
            for rollout, costs in measured
            if rollout.status == "pending"
        ]
        if candidates:
            queue = "derive" if purpose is Purpose.DERIVE else "controller"
            self._measurer.measure(candidates, self._batches(queue, steps), self._mode, {"queue": queue})
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

    def on_epoch_end(self, epoch: int) -> None:
        """Step the scheduler."""
        if not self.schedule_every_batch:
            self._step_scheduler()

    def state(self) -> dict[str, Any]:
        """Return positions of the queues, and states of optimizer and scheduler; the weights are not included."""
        return {
            "queues": {name: queue.state() for name, queue in self.queues.items()},
            "optimizer": self._optimizer.state_dict() if self._optimizer else None,
            "scheduler": scheduler_state(self._scheduler),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        for name, queue in self.queues.items():
            queue.load_state(state["queues"][name])
        if self._optimizer is not None and state["optimizer"] is not None:
            self._optimizer.load_state_dict(state["optimizer"])
        if self._scheduler is not None and state["scheduler"] is not None:
            self._scheduler.load_state_dict(state["scheduler"])

    def _backward(
        self, candidate: nn.Module, rollout: Rollout, inputs: Any, targets: Any
    ) -> tuple[Tensor, Any]:
        with seeded(self.rng), synchronised_batch_norm(candidate, self.world):
            with self._device.autocast():
                outputs = candidate(inputs)
                loss: Tensor = self.objective.get_loss(
                    inputs, outputs, targets, candidate=candidate, rollout=rollout
                )
            loss.backward()
        return loss.detach(), outputs

    def _step(self, active: Mapping[nn.Parameter, int]) -> None:
        """Average, clip, step, and free the gradients: of active parameters only."""
        assert self._optimizer is not None, "the option is not optional"
        with torch.no_grad():
            for parameter, count in active.items():
                if count > 1 and parameter.grad is not None:
                    parameter.grad /= count
        average_gradients(active, self.world)
        if self.weights_manager.max_grad_norm is not None:
            nn.utils.clip_grad_norm_(list(active), self.weights_manager.max_grad_norm)
        self._optimizer.step()
        for parameter in active:
            parameter.grad = None
        if self.schedule_every_batch:
            self._step_scheduler()

    def _step_scheduler(self) -> None:
        mean = self._epoch_loss.compute()
        step_scheduler(self._scheduler, None if np.isnan(mean) else mean)
        self._epoch_loss = Mean()

    def _training_stats(self, inputs: Any, outputs: Any, targets: Any, loss: Tensor) -> dict[str, Any]:
        stats: dict[str, Any] = {"loss": loss}
        if self.update_evaluator_report_perfs:
            batch = Batch(inputs, outputs.detach(), targets, loss, len(targets))
            for name, accumulator in self.objective.accumulators().items():
                if name != "loss":
                    accumulator.update(batch)
                    stats[name] = accumulator.mean if isinstance(accumulator, Mean) else accumulator.compute()
        return stats

    def _batches(self, queue: str, steps: int | None) -> Iterator[Any]:
        """Yield (inputs, targets): the next batch for proposals, a whole fixed pass for the final choice."""
        if queue == "controller" and not self.evaluate_with_whole_queue:
            for _ in range(steps or 1):
                yield self._device.to(self.queues[queue].next())
        else:
            for batch in self.queues[queue].pass_over(steps):
                yield self._device.to(batch)

    def _agreed(self, rollouts: list[Rollout]) -> list[Rollout]:
        """Return the architectures of rank 0, so that all processes train the same."""
        if self.world.size == 1:
            return rollouts
        space = rollouts[0].space
        return [space.rollout(arch) for arch in agree_on_codes([r.arch for r in rollouts], self.world)]

    def _refuse_disagreement(self, rollouts: Sequence[Rollout]) -> None:
        if self.world.size > 1 and agree_on_codes([r.arch for r in rollouts], self.world) != [
            r.arch for r in rollouts
        ]:
            raise RunError(
                "the processes of this run propose different architectures; start them all with one --seed"
            )
