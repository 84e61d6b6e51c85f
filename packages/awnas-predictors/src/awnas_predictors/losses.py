"""What scores of architectures are trained for: their values, or their order."""

from __future__ import annotations

import torch
from torch import Tensor


def mse_loss(scores: Tensor, targets: Tensor) -> Tensor:
    """Return the mean squared error; both of shape ``(B,)``."""
    return (scores - targets).square().mean()


def hinge_loss(scores: Tensor, targets: Tensor, margin: float = 0.1) -> Tensor:
    """Return how far pairs of different targets are from being ordered by at least ``margin``, on average.

    Source: Ning et al., ECCV 2020, section 3.4.
    """
    better = targets[:, None] > targets[None, :]
    short = (margin - (scores[:, None] - scores[None, :])).clamp(min=0)
    return (short * better).sum() / better.sum().clamp(min=1)


def listwise_loss(scores: Tensor, targets: Tensor) -> Tensor:
    """Return the negative log-likelihood of the order of the targets, best first, for each place (ListMLE).

    Source: Xia et al., "Listwise Approach to Learning to Rank", ICML 2008.
    """
    ordered = scores[targets.argsort(descending=True)]
    rest = torch.logcumsumexp(ordered.flip(0), 0).flip(0)
    return (rest - ordered).mean()
