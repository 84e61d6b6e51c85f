"""Training a found recurrent cell from scratch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from awnas_core.device import Device
from awnas_core.errors import ConfigError
from awnas_core.metrics import Mean
from awnas_core.options import NonNegativeFloat, PositiveFloat, PositiveInt, SchedulerCfg
from awnas_core.roles.dataset import Dataset
from awnas_core.roles.final import FinalModel, FinalTrainer
from awnas_core.roles.objective import Batch, Objective
from awnas_core.run.run import Run
from awnas_core.world import World
from awnas_text.averaging import RunningMean, has_stopped_improving
from awnas_text.network import Outputs
from awnas_text.objective import MOST_NATS, regularised
from awnas_torch.device import resolve
from awnas_torch.optim import ScheduledOptimizer
from awnas_torch.recalibrate import evaluation_mode
from awnas_torch.seeding import seeded
from awnas_torch.sequences import TokenColumns, TokenSequence, continued
from awnas_training.evaluators.virtual_weights import weights_replaced

SHORTEST, LONGEST_BEYOND, SPREAD, SELDOM = 5, 20, 5.0, 0.05
"""Of random chunks: least steps, most steps beyond the usual, standard deviation, how often they are half as long."""


class RnnTrainer(FinalTrainer):
    """Trains a language model by SGD, and by averaged SGD once the validation loss stops falling.

    The hidden state is carried from chunk to chunk and begins anew with every epoch. Once weights are averaged, it is
    the averages that are measured.

    Args:
        epochs: Passes over the text.
        batch_size: Columns of the text that are read in parallel.
        eval_batch_size: The same while measuring.
        learning_rate: Rate of SGD, for a chunk of ``bptt_steps``; others have it in proportion to their length.
        momentum: Momentum of SGD.
        optimizer_scheduler: Scheduler, stepped after every epoch; it begins anew with averaging.
        weight_decay: Decay of weights.
        bptt_steps: Steps that gradients flow through.
        random_bptt: Draw the length of every chunk around that.
        rnn_act_reg: Weight of the mean square of hidden states after dropout.
        rnn_slowness_reg: Weight of the mean square of their changes from step to step.
        valid_decay_window: Epochs without a better validation loss before averaging begins.

    Source: Merity et al., "Regularizing and Optimizing LSTM Language Models", ICLR 2018; Liu et al., "DARTS:
    Differentiable Architecture Search", ICLR 2019, section 3.3.
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
        batch_size: PositiveInt = 256,
        eval_batch_size: PositiveInt = 10,
        learning_rate: PositiveFloat = 25.0,
        momentum: NonNegativeFloat = 0.0,
        optimizer_scheduler: SchedulerCfg | None = None,
        weight_decay: NonNegativeFloat = 3e-4,
        bptt_steps: PositiveInt = 35,
        random_bptt: bool = True,
        rnn_act_reg: NonNegativeFloat = 0.0,
        rnn_slowness_reg: NonNegativeFloat = 0.0,
        valid_decay_window: PositiveInt = 5,
    ) -> None:
        assert isinstance(final_model, nn.Module), "a final model is a module"
        if world.size > 1:
            raise ConfigError(f"a text is trained on by one process, got {world.size}; use 'train'")
        self.dataset, self.model, self.objective, self.rng = dataset, final_model, objective, rng
        self.epochs, self.eval_batch_size = epochs, eval_batch_size
        self.bptt_steps, self.random_bptt = bptt_steps, random_bptt
        self.act_reg, self.slowness_reg = rnn_act_reg, rnn_slowness_reg
        self.window = valid_decay_window
        self._device = resolve(device)
        splits = dataset.splits()
        # Where 'train' goes on with the text that is watched, it is not what a final training learns from.
        train = splits.get("ori_train", splits["train"])
        self._text = train.columns(np.arange(len(train)), batch_size)
        if not len(self._text.rows):
            raise ConfigError(f"{len(train)} tokens are too few for {batch_size} columns; lower batch_size")
        self._optimizer_cfg = {"type": "SGD", "momentum": momentum, "weight_decay": weight_decay}
        self._scheduler_cfg = optimizer_scheduler
        self._optimizer = self._begin(learning_rate)
        self._mean: RunningMean | None = None
        self._losses: list[float] = []

    def train(self, run: Run) -> None:
        """Train until the last epoch, or from where ``run`` was interrupted."""
        for epoch in run.epochs(self.epochs):
            rate = self._rate
            run.report(epoch, self._train_epoch(run) | {"lr": rate}, phase="train")
            measured = self.evaluate_split("valid")
            run.report(epoch, measured, phase="valid")
            self._optimizer.schedule(measured["loss"])
            if self._mean is None and has_stopped_improving(measured["loss"], self._losses, self.window):
                self._optimizer = self._begin(self._rate)
                self._mean = RunningMean(self.model.parameters())
            self._losses.append(measured["loss"])

    def evaluate_split(self, split: str) -> dict[str, float]:
        """Return every metric of the model on a split, and its bits per token; the last few tokens may be left out."""
        splits = self.dataset.splits()
        if split not in splits:
            raise ConfigError(f"no split '{split}'; the data set has {', '.join(splits)}")
        sequence: TokenSequence = splits[split]
        columns = sequence.columns(np.arange(len(sequence)), self.eval_batch_size)
        if not len(columns.rows):
            raise ConfigError(
                f"split '{split}' has {len(sequence)} tokens, too few for {self.eval_batch_size} columns; "
                "lower eval_batch_size"
            )
        accumulators = self.objective.accumulators()
        state: Any = None
        with torch.no_grad(), evaluation_mode(self.model), self._averaged():
            for place in range(0, len(columns.rows), self.bptt_steps):
                inputs, targets = self._chunk(columns, place, self.bptt_steps, state)
                outputs = self.model(inputs)
                state = outputs.state
                for accumulator in accumulators.values():
                    accumulator.update(Batch(inputs, outputs, targets, size=len(targets)))
        perf = {name: accumulator.compute() for name, accumulator in accumulators.items()}
        return {"reward": self.objective.reward(perf), **perf, "bpc": perf["loss"] / math.log(2)}

    def state(self) -> dict[str, Any]:
        """Return optimizer, scheduler, past losses and averages; the model's weights are its own."""
        mean = self._mean
        return {
            "optimizer": self._optimizer.state(),
            "losses": list(self._losses),
            "mean": None if mean is None else {"weights": list(mean.means), "steps": mean.steps},
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self._optimizer.load_state(state["optimizer"])
        self._losses = list(state["losses"])
        self._mean = None
        if state["mean"] is not None:
            self._mean = RunningMean(self.model.parameters())
            self._mean.load(state["mean"]["weights"], state["mean"]["steps"])

    @property
    def _rate(self) -> float:
        assert self._optimizer.optimizer is not None, "there is a type"
        rate: float = self._optimizer.optimizer.param_groups[0]["lr"]
        return rate

    def _begin(self, rate: float) -> ScheduledOptimizer:
        """Return SGD and its scheduler at their beginning."""
        cfg = {**self._optimizer_cfg, "lr": rate}
        return ScheduledOptimizer(cfg, self._scheduler_cfg, self.model.parameters())

    def _train_epoch(self, run: Run) -> dict[str, float]:
        loss_mean, state, place, rows = Mean(), None, 0, len(self._text.rows)
        while place < rows:
            inputs, targets = self._chunk(self._text, place, self._length(rows - place), state)
            loss, outputs = self._step(inputs, targets)
            loss_mean.update((loss * targets.numel(), targets.numel()))
            state = outputs.state
            place += len(targets)
            run.step_finished("train", place, rows)
        nats = loss_mean.compute()
        return {"loss": nats, "perp": math.exp(nats) if nats < MOST_NATS else math.inf}

    def _step(self, inputs: Any, targets: Tensor) -> tuple[Tensor, Outputs]:
        """One step of the optimizer; return the detached loss, without what regularises, and outputs."""
        self.model.train()
        optimizer = self._optimizer.optimizer
        assert optimizer is not None, "there is a type"
        optimizer.zero_grad(set_to_none=True)
        with seeded(self.rng), self._device.autocast():
            outputs = self.model(inputs)
            loss: Tensor = self.objective.get_loss(inputs, outputs, targets, candidate=self.model)
            total = regularised(loss, outputs, self.act_reg, self.slowness_reg)
        total.backward()
        if (most := getattr(self.model, "max_grad_norm", None)) is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), most)
        rate = self._rate
        (group,) = optimizer.param_groups
        group["lr"] = rate * len(targets) / self.bptt_steps
        optimizer.step()
        group["lr"] = rate
        if self._mean is not None:
            self._mean.update()
        return loss.detach(), outputs

    def _length(self, rest: int) -> int:
        """Return the steps of the next chunk; what would be too short a rest after it is part of it."""
        length = self.bptt_steps
        if self.random_bptt:
            mean = self.bptt_steps / (2 if self.rng.random() < SELDOM else 1)
            drawn = int(self.rng.normal(mean, SPREAD))
            length = min(max(SHORTEST, drawn), self.bptt_steps + LONGEST_BEYOND)
        return rest if rest - length < SHORTEST else length

    def _chunk(self, columns: TokenColumns, place: int, steps: int, state: Any) -> tuple[Any, Tensor]:
        inputs, targets = continued(self._device.to(columns.chunk(place, steps)), state)
        return inputs, targets

    def _averaged(self) -> AbstractContextManager[None]:
        """Let the model hold the averages within the block, where there are any."""
        if self._mean is None:
            return nullcontext()
        return weights_replaced(self.model.parameters(), self._mean.means)
