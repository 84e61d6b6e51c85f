"""Gradients of relaxed decisions: first-order and second-order DARTS."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, Optimizer

from awnas_core.errors import ConfigError
from awnas_core.world import World
from awnas_torch.distributed import average_tensors
from awnas_training.evaluators.virtual_weights import weights_frozen, weights_replaced

Leaves = Mapping[str, Tensor]

LossOf = Callable[[Leaves | None], tuple[Tensor, Any]]
"""Runs the network with the weights it has now; returns loss and outputs, the same each time.

Without leaves the loss is a function of the weights alone.
"""

REACH = 0.01
"""Norm of the step of the finite difference, as in the paper."""


def direct_gradient(
    validation_loss: LossOf, leaves: Leaves, weights: Sequence[nn.Parameter]
) -> tuple[list[Tensor], Any]:
    """Return dL_val(w, α)/dα with the weights as they are, and the outputs: first-order DARTS.

    Nothing is computed, or kept in memory, for the gradient of the weights.
    """
    with weights_frozen(weights):
        loss, outputs = validation_loss(leaves)
        return _gradients(loss, list(leaves.values())), outputs


def unrolled_gradient(
    train_loss: LossOf,
    validation_loss: LossOf,
    leaves: Leaves,
    weights: Sequence[nn.Parameter],
    optimizer: Optimizer,
    world: World = World(),
) -> tuple[list[Tensor], Any]:
    """Return dL_val(w'(α), α)/dα, where w' are the weights after one step of ``optimizer`` on L_train(w, α).

    The mixed second derivative is a finite difference of two gradients at weights to either side, so that it takes
    four passes in all. Weights and momentum are as before afterwards.

    Args:
        train_loss: L_train.
        validation_loss: L_val.
        leaves: α, relaxed decisions that require gradients.
        weights: w; those that the network does not use stay out of it.
        optimizer: SGD, with all weights in one group. Momentum and weight decay count, clipping does not.
        world: The processes that hold other parts of the batches; they all take the same virtual step.

    Returns: The gradient of each leaf, on this process's part of the batches, and the outputs for L_val.

    Raises: ConfigError when the optimizer is none whose step is known here.

    Source: Liu et al., "DARTS: Differentiable Architecture Search", ICLR 2019, eq. 7 and 8.
    """
    loss, _ = train_loss(None)
    gradients = torch.autograd.grad(loss, weights, allow_unused=True)
    pairs = [(w, g) for w, g in zip(weights, gradients, strict=True) if g is not None]
    used = [w for w, _ in pairs]
    average_tensors([g for _, g in pairs], world)
    steps, factors = _sgd_steps(pairs, optimizer)
    with weights_replaced(used, [w - step for w, step in zip(_data(used), steps, strict=True)]):
        loss, outputs = validation_loss(leaves)
        slopes = _gradients(loss, [*leaves.values(), *used])
    direct, after = slopes[: len(leaves)], slopes[len(leaves) :]
    average_tensors(after, world)
    direction = [factor * gradient for factor, gradient in zip(factors, after, strict=True)]
    implicit = _mixed_derivative(train_loss, leaves, used, direction)
    return [d - i for d, i in zip(direct, implicit, strict=True)], outputs


def _mixed_derivative(
    train_loss: LossOf, leaves: Leaves, weights: Sequence[nn.Parameter], direction: Sequence[Tensor]
) -> list[Tensor]:
    """Return ∇²_{α,w} L_train times a direction, by a central difference."""
    norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(part) for part in direction]))
    reach = REACH / norm.clamp_min(torch.finfo(norm.dtype).tiny)
    sides = []
    for sign in (1, -1):
        moved = [w + sign * reach * part for w, part in zip(_data(weights), direction, strict=True)]
        with weights_frozen(weights), weights_replaced(weights, moved):
            loss, _ = train_loss(leaves)
            sides.append(_gradients(loss, list(leaves.values())))
    return [(ahead - behind) / (2 * reach) for ahead, behind in zip(*sides, strict=True)]


def _sgd_steps(
    pairs: Sequence[tuple[nn.Parameter, Tensor]], optimizer: Optimizer
) -> tuple[list[Tensor], list[float]]:
    """Return what the next step subtracts from each (weight, gradient), and its derivative by the gradient."""
    group = optimizer.param_groups[0]
    if type(optimizer) is not SGD or group["maximize"]:
        raise ConfigError(
            f"a second-order gradient looks ahead along a step of SGD, but the weights are trained by "
            f"{type(optimizer).__name__}; set eval_optimizer to SGD, or gradient_order to 'first'"
        )
    momentum, steps, factors = group["momentum"], [], []
    for weight, gradient in pairs:
        slope = gradient + group["weight_decay"] * weight.data
        step, factor = slope, 1.0
        if (velocity := optimizer.state.get(weight, {}).get("momentum_buffer")) is not None:
            factor = 1 - group["dampening"]
            step = momentum * velocity + factor * slope
        if group["nesterov"]:
            step, factor = slope + momentum * step, 1 + momentum * factor
        steps.append(group["lr"] * step)
        factors.append(group["lr"] * factor)
    return steps, factors


def _gradients(loss: Tensor, inputs: Sequence[Tensor]) -> list[Tensor]:
    gradients = torch.autograd.grad(loss, inputs, allow_unused=True)
    return [
        torch.zeros_like(of) if gradient is None else gradient
        for of, gradient in zip(inputs, gradients, strict=True)
    ]


def _data(weights: Sequence[nn.Parameter]) -> list[Tensor]:
    return [weight.data for weight in weights]
