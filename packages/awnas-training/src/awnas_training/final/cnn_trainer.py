"""Training a found image network from scratch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from awnas_core.device import Device
from awnas_core.errors import ConfigError
from awnas_core.metrics import Mean
from awnas_core.options import (
    Fraction,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SchedulerCfg,
)
from awnas_core.roles.dataset import Dataset
from awnas_core.roles.final import FinalModel, FinalTrainer
from awnas_core.roles.objective import Batch, Objective
from awnas_core.run.run import Run
from awnas_core.world import World
from awnas_torch.device import resolve
from awnas_torch.distributed import average_gradients, merge_accumulators, synchronised_batch_norm
from awnas_torch.optim import (
    build_optimizer,
    build_scheduler,
    optimizer_has,
    scheduler_state,
    step_scheduler,
)
from awnas_torch.queues import DataQueue
from awnas_torch.recalibrate import evaluation_mode, recalibrate
from awnas_torch.seeding import seeded

COSINE: SchedulerCfg = {"type": "CosineAnnealingLR", "T_max": 600, "eta_min": 0.001}
CALIBRATION_EXAMPLES = 2000


class CnnTrainer(FinalTrainer):
    """Trains an image network, epoch by epoch, with everything that a resumed training needs in its state.

    The split ``test`` is never looked at while training. What is watched is the split ``valid``, where the data set has
    one, or else the part of ``train`` that ``valid_portion`` holds out.

    Args:
        epochs: Passes over the training data.
        batch_size: Examples in a batch, for each process.
        optimizer_type: An optimizer of torch.
        optimizer_kwargs: Its other options.
        learning_rate: Peak rate.
        momentum: Momentum, for optimizers that have one.
        warmup_epochs: The rate rises linearly to its peak over so many epochs; then the scheduler starts.
        optimizer_scheduler: Scheduler, stepped after every epoch.
        weight_decay: Decay of weights.
        no_bias_decay: Leave biases out of the decay.
        grad_clip: L2 norm to which gradients are clipped; 0 for no clipping.
        auxiliary_weight: Weight of the auxiliary classifier's loss, where the model has one.
        workers_per_queue: Processes that prepare batches.
        valid_portion: Part of ``train``, its end, that is held out and watched.
        eval_every: Measure what is watched every so many epochs.
        eval_batch_size: Examples in a batch when measuring; ``batch_size`` by default.
        calib_bn_setup: Estimate the statistics of batch normalisation on training data before the first epoch.
        torch_compile: Let ``torch.compile`` make the network faster; the first steps take minutes.

    Source: Liu et al., "DARTS: Differentiable Architecture Search", ICLR 2019, section 3.2; Zoph et al., "Learning
    Transferable Architectures for Scalable Image Recognition", CVPR 2018, appendix A.
    """

    def __init__(
        self,
        dataset: Dataset,
        final_model: FinalModel,
        objective: Objective,
        device: Device,
        rng: np.random.Generator,
        world: World = World(),
        *,
        epochs: PositiveInt = 600,
        batch_size: PositiveInt = 96,
        optimizer_type: str = "SGD",
        optimizer_kwargs: dict[str, Any] | None = None,
        learning_rate: PositiveFloat = 0.025,
        momentum: NonNegativeFloat = 0.9,
        warmup_epochs: NonNegativeInt = 0,
        optimizer_scheduler: SchedulerCfg | None = COSINE,
        weight_decay: NonNegativeFloat = 3e-4,
        no_bias_decay: bool = False,
        grad_clip: NonNegativeFloat = 5.0,
        auxiliary_weight: NonNegativeFloat = 0.4,
        workers_per_queue: NonNegativeInt = 2,
        valid_portion: Fraction = 0.0,
        eval_every: PositiveInt = 1,
        eval_batch_size: PositiveInt | None = None,
        calib_bn_setup: bool = False,
        torch_compile: bool = False,
    ) -> None:
        assert isinstance(final_model, nn.Module), "a final model is a module"
        self.dataset, self.model, self.objective = dataset, final_model, objective
        self.rng, self.world = rng, world
        self.epochs, self.warmup_epochs = epochs, warmup_epochs
        self.learning_rate, self.grad_clip, self.auxiliary_weight = learning_rate, grad_clip, auxiliary_weight
        self.eval_every, self.calib_bn_setup = eval_every, calib_bn_setup
        self.eval_batch_size = eval_batch_size or batch_size
        self._device = resolve(device)
        self._network = torch.compile(final_model) if torch_compile else final_model
        self._scaler = torch.amp.GradScaler(
            self._device.torch_device.type, enabled=self._device.dtype is torch.float16
        )
        splits = dataset.splits()
        count = len(splits["train"])
        held_out = round(count * valid_portion)
        self._held_out = np.arange(count - held_out, count)
        self.queue = DataQueue(
            splits["train"],
            np.arange(count - held_out),
            batch_size=batch_size,
            seed=int(rng.integers(2**63)),
            name="train",
            workers=workers_per_queue,
            world=world,
        )
        cfg: dict[str, Any] = {"type": optimizer_type, "lr": learning_rate}
        if weight_decay or optimizer_has(optimizer_type, "weight_decay"):
            cfg["weight_decay"] = weight_decay
        if optimizer_has(optimizer_type, "momentum"):
            cfg["momentum"] = momentum
        cfg |= optimizer_kwargs or {}
        optimizer = build_optimizer(cfg, _groups(final_model, no_bias_decay))
        assert optimizer is not None, "there is a type"
        self._optimizer = optimizer
        self._scheduler = build_scheduler(optimizer_scheduler, optimizer)

    def train(self, run: Run) -> None:
        """Train until the last epoch, or from where ``run`` was interrupted."""
        if self.calib_bn_setup and run.epoch == 0:
            self._calibrate()
        for epoch in run.epochs(self.epochs):
            self._set_rate(epoch)
            means = self._train_epoch(run)
            run.report(epoch, means | {"lr": self._optimizer.param_groups[0]["lr"]}, phase="train")
            if epoch % self.eval_every == 0 and (watched := self._watched()) is not None:
                run.report(epoch, self._measure(watched), phase="valid")
            if epoch > self.warmup_epochs:
                step_scheduler(self._scheduler, means["loss"])

    def evaluate_split(self, split: str) -> dict[str, float]:
        """Return every metric of the model on a split, running statistics and no drop path."""
        splits = self.dataset.splits()
        if split not in splits:
            raise ConfigError(f"no split '{split}'; the data set has {', '.join(splits)}")
        return self._measure(self._fixed_queue(splits[split], np.arange(len(splits[split]))))

    def state(self) -> dict[str, Any]:
        """Return optimizer, scheduler and position in the data; the model's weights are its own."""
        return {
            "optimizer": self._optimizer.state_dict(),
            "scheduler": scheduler_state(self._scheduler),
            "scaler": self._scaler.state_dict(),
            "queue": self.queue.state(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self._optimizer.load_state_dict(state["optimizer"])
        if self._scheduler is not None and state["scheduler"] is not None:
            self._scheduler.load_state_dict(state["scheduler"])
        if state["scaler"]:
            self._scaler.load_state_dict(state["scaler"])
        self.queue.load_state(state["queue"])

    def _train_epoch(self, run: Run) -> dict[str, float]:
        loss_mean, accumulators = Mean(), self.objective.accumulators()
        for step in range(1, len(self.queue) + 1):
            inputs, targets = self._device.to(self.queue.next())
            loss, logits = self._step(inputs, targets)
            loss_mean.update((loss * len(targets), len(targets)))
            batch = Batch(inputs, logits, targets, loss, len(targets))
            for accumulator in accumulators.values():
                accumulator.update(batch)
            run.step_finished("train", step, len(self.queue))
        merge_accumulators(accumulators | {"training_loss": loss_mean}, self.world)
        means = {name: accumulator.compute() for name, accumulator in accumulators.items()}
        return means | {"loss": loss_mean.compute()}

    def _step(self, inputs: Any, targets: Tensor) -> tuple[Tensor, Tensor]:
        """One optimizer step; return the detached loss and logits."""
        self.model.train()
        self._optimizer.zero_grad(set_to_none=True)
        with seeded(self.rng), synchronised_batch_norm(self.model, self.world):
            with self._device.autocast():
                outputs = self._network(inputs)
                logits, auxiliary = outputs if isinstance(outputs, tuple) else (outputs, None)
                loss: Tensor = self.objective.get_loss(inputs, logits, targets, candidate=self.model)
                total = loss
                if auxiliary is not None:
                    total = total + self.auxiliary_weight * functional.cross_entropy(auxiliary, targets)
            self._scaler.scale(total).backward()
        average_gradients(self.model.parameters(), self.world)
        if self.grad_clip > 0:
            self._scaler.unscale_(self._optimizer)
            nn.utils.clip_grad_norm_(self.model.parameters(), self.grad_clip)
        self._scaler.step(self._optimizer)
        self._scaler.update()
        return loss.detach(), logits.detach()

    def _set_rate(self, epoch: int) -> None:
        """Warm up linearly; the last warm-up epoch runs at the peak, from which the scheduler goes on."""
        if epoch <= self.warmup_epochs:
            for group in self._optimizer.param_groups:
                group["lr"] = self.learning_rate * epoch / self.warmup_epochs

    def _calibrate(self) -> None:
        batches = self._fixed_queue(self.dataset.splits()["train"], self.queue.indices[:CALIBRATION_EXAMPLES])
        recalibrate(self.model, (self._device.to(inputs) for inputs, _ in batches.pass_over()))

    def _watched(self) -> DataQueue | None:
        """Return what is measured between the epochs, None where nothing is held out."""
        splits, views = self.dataset.splits(), self.dataset.views()
        if not len(self._held_out):
            valid = splits.get("valid", ())
            return self._fixed_queue(valid, np.arange(len(valid))) if len(valid) else None
        plain = "train_testTransform"
        return self._fixed_queue(splits[plain if views.get(plain) == "train" else "train"], self._held_out)

    def _fixed_queue(self, split: Any, indices: Any) -> DataQueue:
        return DataQueue(
            split, indices, batch_size=self.eval_batch_size, seed=0, shuffle=False, world=self.world
        )

    def _measure(self, queue: DataQueue) -> dict[str, float]:
        accumulators = self.objective.accumulators()
        with torch.no_grad(), evaluation_mode(self.model):
            for batch in queue.pass_over():
                inputs, targets = self._device.to(batch)
                seen = Batch(inputs, self._network(inputs), targets, size=len(targets))
                for accumulator in accumulators.values():
                    accumulator.update(seen)
        merge_accumulators(accumulators, self.world)
        perf = {name: accumulator.compute() for name, accumulator in accumulators.items()}
        return {"reward": self.objective.reward(perf), **perf}


def _groups(model: nn.Module, no_bias_decay: bool) -> list[dict[str, Any]]:
    """Return parameter groups: biases apart from the rest where they do not decay."""
    if not no_bias_decay:
        return [{"params": list(model.parameters())}]
    named = list(model.named_parameters())
    biases = [parameter for name, parameter in named if name.endswith("bias")]
    weights = [parameter for name, parameter in named if not name.endswith("bias")]
    return [{"params": weights}, {"params": biases, "weight_decay": 0.0}]
