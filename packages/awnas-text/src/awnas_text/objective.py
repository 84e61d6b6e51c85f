"""What is good of a language model: perplexity."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from awnas_core.metrics import Accumulator, Goal, Mean, Metric
from awnas_core.options import NonNegativeFloat, PositiveFloat
from awnas_core.roles.objective import Batch, Objective
from awnas_core.rollout import Rollout
from awnas_text.network import Outputs

MOST_NATS = 700.0
"""The exponential of more is beyond what a float holds."""


class LanguageObjective(Objective):
    """Cross-entropy of the next token; reports perplexity and cross-entropy.

    Both are over all tokens that were measured: the perplexity is exp of the mean cross-entropy, not a mean of chunks.

    Args:
        act_reg: Weight of the mean square of hidden states after dropout (activation regularisation).
        slowness_reg: Weight of the mean square of what hidden states change by from step to step (temporal
            activation regularisation).
        reward_c: The reward is this divided by the perplexity, as in ENAS.

    Source: Merity et al., "Revisiting Activation Regularization for Language RNNs", 2017; of the reward, Zoph and Le,
    "Neural Architecture Search with Reinforcement Learning", ICLR 2017, section 4.2.
    """

    def __init__(
        self,
        *,
        act_reg: NonNegativeFloat = 0.0,
        slowness_reg: NonNegativeFloat = 0.0,
        reward_c: PositiveFloat = 80.0,
    ) -> None:
        self.act_reg = act_reg
        self.slowness_reg = slowness_reg
        self.reward_c = reward_c

    def metrics(self) -> tuple[Metric, ...]:
        """Return perplexity and loss (nats for each token)."""
        return (Metric("perp", "min"), Metric("loss", "min", "nat"))

    def accumulators(self) -> dict[str, Accumulator]:
        """Return fresh accumulators of both."""
        return {"perp": _Perplexity(), "loss": _CrossEntropy()}

    def reward(self, perf: Mapping[str, float], goals: tuple[Goal, ...] | None = None) -> float:
        """Return ``reward_c`` / perplexity; with other goals than the perplexity alone, the sum of their gains."""
        if goals is None or goals == self.goals():
            return self.reward_c / perf["perp"]
        return super().reward(perf, goals)

    def get_loss(
        self,
        inputs: Any,
        outputs: Outputs,
        targets: Tensor,
        *,
        candidate: Any = None,
        rollout: Rollout | None = None,
        purpose: str = "train-weights",
    ) -> Tensor:
        """Return the mean cross-entropy of targets ``(T, B)``; regularised where weights are trained."""
        loss = functional.cross_entropy(outputs.logits.flatten(0, 1), targets.flatten())
        if purpose != "train-weights":
            return loss
        return regularised(loss, outputs, self.act_reg, self.slowness_reg)


def regularised(loss: Tensor, outputs: Outputs, act_reg: float, slowness_reg: float) -> Tensor:
    """Return a loss plus ``act_reg`` · mean(dropped²) and ``slowness_reg`` · mean((h_{t+1} − h_t)²)."""
    if act_reg > 0:
        loss = loss + act_reg * outputs.dropped.pow(2).mean()
    if slowness_reg > 0 and len(outputs.raw) > 1:
        loss = loss + slowness_reg * outputs.raw.diff(dim=0).pow(2).mean()
    return loss


class _CrossEntropy(Mean):
    """Mean over tokens, in nats."""

    def update(self, batch: Batch) -> None:  # type: ignore[override]
        loss = functional.cross_entropy(
            batch.outputs.logits.flatten(0, 1), batch.targets.flatten(), reduction="sum"
        )
        super().update((loss.detach().double(), batch.targets.numel()))


class _Perplexity(_CrossEntropy):
    @property
    def mean(self) -> Any:
        return torch.exp(super().mean)

    def compute(self) -> float:
        # A perplexity beyond what a float holds is infinite, which marks an evaluation as failed.
        nats = super().compute()
        return math.inf if nats > MOST_NATS else math.exp(nats)
