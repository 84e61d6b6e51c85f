"""Proxies that need neither weights nor images: how large a network is, and what it costs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from awnas_core.layers import total_cost
from awnas_torch.counting import count_module


def params(network: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """Return the number of parameters."""
    return torch.tensor(sum(parameter.numel() for parameter in network.parameters()))


def flops(network: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """Return the floating-point operations for one image, twice its multiply-adds."""
    return torch.tensor(total_cost(count_module(network, tuple(inputs.shape[1:]))).flops)
