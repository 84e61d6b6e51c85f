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

LAYERS = (nn.Conv2d, nn.Linear)


def params(network: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """Return the number of parameters."""
    return torch.tensor(sum(parameter.numel() for parameter in network.parameters()))


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
    network.double()
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.forward = _unchanged  # type: ignore[assignment, method-assign]
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
    weights = layer_weights(network)
    flow = network(torch.ones_like(inputs[:1], dtype=torch.double)).sum()
    gradients = torch.autograd.grad(flow, weights, materialize_grads=True)
    return _total([(weight * grad).abs().sum() for weight, grad in zip(weights, gradients, strict=True)])


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
