"""Scoring a network by zero-cost proxies."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from awnas_core.errors import ConfigError, did_you_mean
from awnas_torch.proxies import activations, jacobians, size, weights
from awnas_torch.proxies.zen import zen
from awnas_torch.seeding import seeded

Proxy = Callable[[nn.Module, Tensor, Tensor], Tensor]

PROXIES: dict[str, Proxy] = {
    "params": size.params,
    "flops": size.flops,
    "l2_norm": weights.l2_norm,
    "grad_norm": weights.grad_norm,
    "plain": weights.plain,
    "snip": weights.snip,
    "grasp": weights.grasp,
    "synflow": weights.synflow,
    "synflow_bn": weights.synflow_bn,
    "zico": weights.zico,
    "nwot": activations.nwot,
    "relu": activations.relu,
    "jacob_cov": jacobians.jacob_cov,
    "epe_nas": jacobians.epe_nas,
    "zen": zen,
    "fisher": activations.fisher,
}
ALIASES = {"relu_logdet": "nwot", "jacov": "jacob_cov"}
"""Other names under which they were published."""


def score(
    network: nn.Module,
    inputs: Tensor,
    targets: Tensor,
    names: Iterable[str] = tuple(PROXIES),
    *,
    seed: int = 0,
) -> dict[str, float]:
    """Return proxies of a classifier as it is; larger promises more. The network is left untouched.

    Args:
        network: Takes images and returns logits.
        inputs: A batch of images, ``(N, C, H, W)``.
        targets: Their classes, ``(N,)``.
        names: Which proxies, keys of :data:`PROXIES` or of :data:`ALIASES`.
        seed: Of what a proxy draws (``zen``), and of dropout.

    Each works on a copy in training mode, so that batch normalisations use the batch.

    Raises: ConfigError for a proxy that there is not.
    """
    found = {}
    for name in names:
        proxy = proxy_named(name)
        with torch.enable_grad(), seeded(seed):
            found[name] = float(proxy(_copy(network), inputs, targets).detach())
    return found


def initialised(network: nn.Module, seed: int) -> nn.Module:
    """Return a copy whose layers are initialised anew by their own rules, however far the network was trained."""
    copied = copy.deepcopy(network)
    with seeded(seed):
        for module in copied.modules():
            if reset := getattr(module, "reset_parameters", None):
                reset()
    return copied


def proxy_named(name: str) -> Proxy:
    """Return a proxy by its name.

    Raises: ConfigError for one that there is not.
    """
    found = PROXIES.get(ALIASES.get(name, name))
    if found is None:
        hint = did_you_mean(name, (*PROXIES, *ALIASES))
        raise ConfigError(f"no proxy '{name}'{hint}; there are {', '.join(PROXIES)}")
    return found


def _copy(network: nn.Module) -> nn.Module:
    copied = copy.deepcopy(network).train().requires_grad_()
    for module in copied.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False  # what is hooked must not change afterwards
    return copied
