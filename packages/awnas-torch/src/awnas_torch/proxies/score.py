"""Scoring a network by zero-cost proxies."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from awnas_core.errors import ConfigError, did_you_mean
from awnas_torch.proxies import activations, weights

Proxy = Callable[[nn.Module, Tensor, Tensor], Tensor]

PROXIES: dict[str, Proxy] = {
    "params": weights.params,
    "l2_norm": weights.l2_norm,
    "grad_norm": weights.grad_norm,
    "plain": weights.plain,
    "snip": weights.snip,
    "grasp": weights.grasp,
    "synflow": weights.synflow,
    "nwot": activations.nwot,
    "jacob_cov": activations.jacob_cov,
    "fisher": activations.fisher,
}


def score(
    network: nn.Module, inputs: Tensor, targets: Tensor, names: Iterable[str] = tuple(PROXIES)
) -> dict[str, float]:
    """Return proxies of a classifier as it is; larger promises more. The network is left untouched.

    Args:
        network: Takes images and returns logits.
        inputs: A batch of images, ``(N, C, H, W)``.
        targets: Their classes, ``(N,)``.
        names: Which proxies, keys of :data:`PROXIES`.

    Each works on a copy in training mode, so that batch normalisations use the batch.

    Raises: ConfigError for a proxy that there is not.
    """
    found = {}
    for name in names:
        if name not in PROXIES:
            hint = did_you_mean(name, tuple(PROXIES))
            raise ConfigError(f"no proxy '{name}'{hint}; there are {', '.join(PROXIES)}")
        with torch.enable_grad():
            found[name] = float(PROXIES[name](_copy(network), inputs, targets).detach())
    return found


def _copy(network: nn.Module) -> nn.Module:
    copied = copy.deepcopy(network).train().requires_grad_()
    for module in copied.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False  # what is hooked must not change afterwards
    return copied
