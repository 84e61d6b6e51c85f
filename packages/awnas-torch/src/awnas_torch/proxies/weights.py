"""Proxies of weights and their gradients.

Each takes a network that is its own to change, images and classes, and returns one number. Layers are convolutions and
linear ones; a weight that the loss does not depend on has gradient zero.

Source: Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS", ICLR 2021, section 3, which collects them.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from awnas_core.errors import ConfigError

LAYERS = (nn.Conv2d, nn.Linear)


def l2_norm(network: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """Return Σ ‖W‖ over the layers."""
    return _total([weight.norm() for weight in layer_weights(network)])


def grad_norm(network: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """Return Σ ‖∂L/∂W‖ over the layers."""
    return _total([gradient.norm() for _, gradient in _with_gradients(network, inputs, targets)])


def plain(network: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """Return Σ W·∂L/∂W, with sign."""
    return _total([(weight * grad).sum() for weight, grad in _with_gradients(network, inputs, targets)])


def snip(network: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """Return Σ |W·∂L/∂W|. Lee et al., "SNIP", ICLR 2019."""
    return _total([(weight * grad).abs().sum() for weight, grad in _with_gradients(network, inputs, targets)])


def grasp(network: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """Return Σ -W·(H g) with the Hessian H and gradient g of the loss. Wang et al., "GraSP", ICLR 2020."""
    weights = layer_weights(network)
    loss = cross_entropy(network(inputs), targets)
    gradients = torch.autograd.grad(loss, weights, create_graph=True, materialize_grads=True)
    product = _total([(gradient.detach() * gradient).sum() for gradient in gradients])
    curved = torch.autograd.grad(product, weights, materialize_grads=True)
    return _total([-(weight * change).sum() for weight, change in zip(weights, curved, strict=True)])


def synflow(network: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """Return Σ |W·∂R/∂W| where R sums the outputs for an image of ones, all weights made positive.

    Normalisations are passed by. Tanaka et al., "Pruning neural networks without any data by iteratively conserving
    synaptic flow", NeurIPS 2020.
    """
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.forward = _unchanged  # type: ignore[assignment, method-assign]
    return synflow_bn(network, inputs, targets)


def synflow_bn(network: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """Return the same with normalisations, which use the statistics of the one image."""
    network.double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
    weights = layer_weights(network)
    flow = network(torch.ones_like(inputs[:1], dtype=torch.double)).sum()
    gradients = torch.autograd.grad(flow, weights, materialize_grads=True)
    return _total([(weight * grad).abs().sum() for weight, grad in zip(weights, gradients, strict=True)])


def zico(network: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """Return Σ_l log Σ_w mean|g| / std|g| over two halves of the batch, where g = ∂L/∂w.

    Weights whose gradient does not vary are left out.

    Source: Li et al., "ZiCo: Zero-shot NAS via Inverse Coefficient of Variation on Gradients", ICLR 2023, equation 15.

    Raises: ConfigError for a batch of a single image.
    """
    if len(inputs) < 2:
        raise ConfigError(
            "zico compares the gradients of two halves of a batch, which needs two images; got 1"
        )
    halves = zip(inputs.tensor_split(2), targets.tensor_split(2), strict=True)
    first, second = ([grad.abs() for _, grad in _with_gradients(network, *half)] for half in halves)
    total = torch.zeros((), dtype=torch.double)
    for a, b in zip(first, second, strict=True):
        ratio = ((a + b) / (a - b).abs())[a != b]  # mean and standard deviation of two numbers
        total += ratio.double().sum().log().cpu() if len(ratio) else 0
    return total


def layer_weights(network: nn.Module) -> list[Tensor]:
    """Return the weights of convolutions and linear layers."""
    return [module.weight for module in network.modules() if isinstance(module, LAYERS)]


def _with_gradients(network: nn.Module, inputs: Tensor, targets: Tensor) -> list[tuple[Tensor, Tensor]]:
    weights = layer_weights(network)
    loss = cross_entropy(network(inputs), targets)
    gradients = torch.autograd.grad(loss, weights, materialize_grads=True)
    return list(zip(weights, gradients, strict=True))


def _total(terms: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(terms)).sum()


def _unchanged(inputs: Tensor) -> Tensor:
    return inputs
