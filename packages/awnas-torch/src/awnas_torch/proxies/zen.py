"""The Zen-score: how strongly a network with Gaussian weights answers to a small change of its input."""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor, nn

from awnas_torch.proxies.weights import LAYERS

PERTURBATION = 0.01
NORMS = nn.modules.batchnorm._BatchNorm


@torch.no_grad()
def zen(network: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """Return log mean_n ‖f(x) - f(x + αε)‖ + Σ log σ, weights, x and ε drawn from a standard normal distribution.

    f is the last feature map, or the output where there is none; σ² is the mean variance of what a batch normalisation
    gets: what it divided by is put back.

    Source: Lin et al., "Zen-NAS: A Zero-Shot NAS for High-Performance Image Recognition", ICCV 2021, algorithm 1.
    """
    draw_weights(network)
    images, noise = torch.randn_like(inputs), torch.randn_like(inputs)
    deviations: list[Tensor] = []
    for module in network.modules():
        if isinstance(module, NORMS):
            module.register_forward_pre_hook(functools.partial(_note_deviation, deviations))
    before = _features(network, images)
    scale = sum(deviation.double().log() for deviation in deviations)
    moved = before - _features(network, images + PERTURBATION * noise)
    return moved.flatten(1).norm(dim=1).mean().log() + scale


def draw_weights(network: nn.Module) -> None:
    """Draw the weights of layers from a standard normal distribution; biases are 0, normalisations do nothing else."""
    for module in network.modules():
        if isinstance(module, LAYERS):
            module.weight.normal_()
        elif isinstance(module, NORMS) and module.weight is not None:
            module.weight.fill_(1)
        if isinstance(module, (*LAYERS, NORMS)) and module.bias is not None:
            module.bias.zero_()


def _features(network: nn.Module, images: Tensor) -> Tensor:
    maps: list[Tensor] = []

    def note(module: nn.Module, taken: Any, output: Any) -> None:
        if isinstance(output, Tensor) and output.dim() == 4:
            maps[:] = [output]

    hooks = [module.register_forward_hook(note) for module in network.modules()]
    outputs: Tensor = network(images)
    for hook in hooks:
        hook.remove()
    return (maps[-1] if maps else outputs).double()


def _note_deviation(found: list[Tensor], module: nn.Module, taken: tuple[Tensor, ...]) -> None:
    channels = taken[0].transpose(0, 1).flatten(1)
    found.append(channels.var(1, unbiased=False).mean().sqrt())
