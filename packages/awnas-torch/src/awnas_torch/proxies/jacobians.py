"""Proxies of how differently a network sees different images: the derivatives of its outputs by each image."""

from __future__ import annotations

import torch
from torch import Tensor, nn

STABLE = 1e-5
MANY_CLASSES = 100


def jacob_cov(network: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """Return -Σ (log(v + ε) + 1/(v + ε)) over the eigenvalues v of the correlations between the images' Jacobians.

    Source: Mellor et al., "Neural Architecture Search without Training", first version, 2020.
    """
    values = torch.linalg.eigvalsh(torch.corrcoef(_jacobians(network, inputs)[0])) + STABLE
    return -(values.log() + 1 / values).sum()


def epe_nas(network: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """Return Σ |e| over the classes of the batch, where e = Σ log(|r| + ε) over the correlations r within a class.

    For a classifier of more than 100 classes each e is divided by the images of its class, and the sum is of |e - e'|
    over pairs of classes, divided by the number of classes.

    Source: Lopes et al., "EPE-NAS: Efficient Performance Estimation Without Training for Neural Architecture Search",
    ICANN 2021, section 3.
    """
    jacobians, outputs = _jacobians(network, inputs)
    many = outputs.shape[1] > MANY_CLASSES
    found = []
    for label in targets.unique():
        own = jacobians[targets == label]
        total = (torch.corrcoef(own).abs() + STABLE).log().sum()
        found.append(total / len(own) if many else total)
    each = torch.stack(found)
    return (each[:, None] - each).abs().sum() / len(each) if many else each.abs().sum()


def _jacobians(network: nn.Module, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Return the derivatives of the summed outputs by each image, ``(N, C·H·W)``, and the outputs ``(N, classes)``."""
    images = inputs.detach().clone().requires_grad_()
    outputs = network(images)
    (jacobians,) = torch.autograd.grad(outputs.sum(), images)
    return jacobians.flatten(1).double(), outputs
