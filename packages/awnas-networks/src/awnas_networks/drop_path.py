"""Drop path: leaving out whole connections, example by example."""

from __future__ import annotations

from torch import Tensor


def drop_path(inputs: Tensor, rate: float) -> Tensor:
    """Zero each example with probability ``rate`` and scale up the rest, so that the expectation is kept.

    Args:
        inputs: ``(N, …)``; not changed.
        rate: 0 … 1, exclusive of 1.

    Source: Larsson et al., "FractalNet", ICLR 2017, section 4; per example as in Zoph et al., CVPR 2018.
    """
    if rate <= 0:
        return inputs
    keep = 1 - rate
    mask = inputs.new_empty(inputs.shape[0], *[1] * (inputs.dim() - 1)).bernoulli_(keep)
    return inputs * mask.div_(keep)
