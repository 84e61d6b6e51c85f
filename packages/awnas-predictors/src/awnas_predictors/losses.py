"""What scores of architectures are trained for: their values, or their order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import softplus


def mse_loss(scores: Tensor, targets: Tensor) -> Tensor:
    """Return the mean squared error; both of shape ``(B,)``."""
    return (scores - targets).square().mean()


def hinge_loss(scores: Tensor, targets: Tensor, margin: float = 0.1) -> Tensor:
    """Return how far pairs of different targets are from being ordered by at least ``margin``, on average.

    Source: Ning et al., ECCV 2020, section 3.4.
    """
    return hinge_loss_of_pairs(*_pairs(scores, targets), margin)


def bce_loss(scores: Tensor, targets: Tensor) -> Tensor:
    """Return the cross entropy of the order of pairs, the better one winning with probability ``σ(s_i - s_j)``.

    Source: Burges et al., "Learning to Rank using Gradient Descent", ICML 2005.
    """
    return bce_loss_of_pairs(*_pairs(scores, targets))


def hinge_loss_of_pairs(margins: Tensor, better: Tensor, margin: float = 0.1) -> Tensor:
    """Return how far ``margins`` are from ``margin`` in the direction of the sign of ``better``; ties do not count."""
    short = (margin - margins * better.sign()).clamp(min=0)
    return (short * (better != 0)).sum() / (better != 0).sum().clamp(min=1)


def bce_loss_of_pairs(margins: Tensor, better: Tensor) -> Tensor:
    """Return the cross entropy of the sign of ``better``, given logits ``margins``; ties do not count."""
    missed = softplus(-margins * better.sign())
    return (missed * (better != 0)).sum() / (better != 0).sum().clamp(min=1)


def listwise_loss(scores: Tensor, targets: Tensor) -> Tensor:
    """Return the negative log-likelihood of the order of the targets, best first, for each place (ListMLE).

    Source: Xia et al., "Listwise Approach to Learning to Rank", ICML 2008.
    """
    ordered = scores[targets.argsort(descending=True)]
    rest = torch.logcumsumexp(ordered.flip(0), 0).flip(0)
    return (rest - ordered).mean()


def _pairs(scores: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return the differences of all pairs, shape ``(B, B)``."""
    return scores[:, None] - scores[None, :], targets[:, None] - targets[None, :]


LossName = Literal["bce", "hinge", "listwise", "mse"]
LOSSES: dict[LossName, Callable[[Tensor, Tensor], Tensor]] = {
    "bce": bce_loss,
    "hinge": hinge_loss,
    "listwise": listwise_loss,
    "mse": mse_loss,
}
