"""Which channels of a node the operations on its edges see: all, or a part while the others go round them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from awnas_core.errors import ConfigError
from awnas_networks.operation import NodeState, total


class AllChannels:
    """Operations see every channel."""

    def split(self, value: Tensor, *, is_input: bool) -> NodeState:
        """Return the node of ``value``."""
        return NodeState(value)

    def join(self, mixed: Tensor, sources: Sequence[NodeState], weights: Sequence[Tensor] | None) -> Tensor:
        """Return the value of a node: just the sum of what operations made."""
        return mixed


class PartialChannels:
    """Operations see one in ``proportion`` channels; the others go round them, and a shuffle changes who is next.

    Shuffling commutes with the sum over edges: it is done once for a node.

    Args:
        proportion: K of the paper.
        channels: Channels of a node.
        stride: Of the edges that leave the inputs of the cell; what goes round is max-pooled there.

    Raises: ConfigError when ``channels`` is not a multiple of ``proportion``.

    Source: Xu et al., "PC-DARTS: Partial Channel Connections for Memory-Efficient Architecture Search", ICLR 2020,
    section 3.2.
    """

    def __init__(self, proportion: int, channels: int, stride: int) -> None:
        if channels % proportion:
            raise ConfigError(
                f"partial_channel_proportion {proportion} must divide the channels of every cell, "
                f"one has {channels}; change init_channels or the proportion"
            )
        self.proportion, self.channels, self.stride = proportion, channels // proportion, stride

    def split(self, value: Tensor, *, is_input: bool) -> NodeState:
        """Return the node of ``value``, divided into what operations see and what goes round them."""
        rest = value[:, self.channels :]
        if is_input and self.stride > 1:
            rest = functional.max_pool2d(rest, self.stride, self.stride)
        return NodeState(value, value[:, : self.channels].clone(), rest)

    def join(self, mixed: Tensor, sources: Sequence[NodeState], weights: Sequence[Tensor] | None) -> Tensor:
        """Return the value of a node.

        Args:
            mixed: Sum of what operations made, ``(N, C/K, H, W)``.
            sources: The node that each edge comes from.
            weights: Of each edge; None for 1.
        """
        rests = [source.rest for source in sources if source.rest is not None]
        if weights is not None:
            rests = [rest * weight for rest, weight in zip(rests, weights, strict=True)]
        rest = total(rests)
        return functional.channel_shuffle(torch.cat([mixed, rest], 1), self.proportion)
