"""Dropout of recurrent networks: one mask for all steps of a text."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def keep_mask(shape: tuple[int, ...], rate: float, like: Tensor) -> Tensor:
    """Draw a mask of zeros, with probability ``rate``, and 1 / (1 − ``rate``), so that the mean is 1."""
    kept = torch.bernoulli(torch.full(shape, 1 - rate, dtype=like.dtype, device=like.device))
    return kept / (1 - rate)


def locked_dropout(values: Tensor, rate: float) -> Tensor:
    """Drop the same features at every step.

    Args:
        values: Shape ``(T, B, H)``.
        rate: Probability of dropping one; 0 leaves everything as it is.

    Source: Gal and Ghahramani, "A Theoretically Grounded Application of Dropout in Recurrent Neural Networks", NeurIPS
    2016, section 4.
    """
    return values * keep_mask((1, *values.shape[1:]), rate, values) if rate > 0 else values


def embed(tokens: Tensor, weight: Tensor, rate: float) -> Tensor:
    """Return embeddings ``(T, B, E)`` of tokens ``(T, B)``, those of whole words dropped.

    Args:
        tokens: Numbers 0 … V − 1.
        weight: Shape ``(V, E)``.
        rate: Probability that a word's embedding is zero, wherever it occurs.

    Source: Merity et al., "Regularizing and Optimizing LSTM Language Models", ICLR 2018, section 4.3.
    """
    if rate > 0:
        weight = weight * keep_mask((len(weight), 1), rate, weight)
    return functional.embedding(tokens, weight)
