"""A relaxed architecture with the weights of the supernet."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from awnas_core.errors import ConfigError
from awnas_core.relaxation import Mixture
from awnas_core.rollout import as_numpy
from awnas_networks.cell_stack import CellStack
from awnas_networks.macro import RelaxableSpace
from awnas_networks.mixed_cell import Mixing, run_mixed


class RelaxedCandidate(nn.Module):
    """The supernet, its operations weighted by one relaxed architecture.

    Args:
        network: The supernet.
        space: The search space, for its mixtures.
        relaxed: Mixture name → weights ``(E, P)``, or ``(E, B, P)`` for B samples that take turns over the batch; and
            perhaps ``<name>.edges`` → ``(E,)``.

    Raises: ConfigError for weights of another shape.
    """

    def __init__(self, network: CellStack, space: RelaxableSpace, relaxed: Mapping[str, Any]) -> None:
        super().__init__()
        self.network = network
        self._mixtures = tuple(space.mixtures)
        device = network.classifier.weight.device
        self._relaxed = {
            key: torch.as_tensor(value, device=device).detach() for key, value in relaxed.items()
        }
        self._active = {m.name: active_choices(m, relaxed) for m in self._mixtures}

    def forward(self, images: Tensor, relaxed: Mapping[str, Tensor] | None = None) -> Tensor:
        """Return logits ``(N, classes)`` for images ``(N, C, H, W)``.

        Args:
            images: The batch; N must be a multiple of B.
            relaxed: The same weights as leaves, when their gradient is wanted: then operations of weight 0 are
                evaluated too, without a gradient to what is inside. Without it they are left out.
        """
        skip = relaxed is None
        weights = self._relaxed if relaxed is None else relaxed
        mixings = [self._mixing(mixture, weights, len(images), skip) for mixture in self._mixtures]
        cells = [functools.partial(run_mixed, cell, mixings[group]) for cell, group in self.network.layers]
        return self.network.run(images, cells)

    def _mixing(self, mixture: Mixture, relaxed: Mapping[str, Tensor], batch: int, skip: bool) -> Mixing:
        weights, edges = relaxed[mixture.name], relaxed.get(mixture.edges_key)
        if edges is not None:
            weights = weights * edges.view(-1, *[1] * (weights.dim() - 1))
        return Mixing(
            weights=_spread(weights, batch),
            active=self._active[mixture.name],
            edges=None if edges is None else edges.unbind(),
            skip=skip,
        )


def active_choices(mixture: Mixture, relaxed: Mapping[str, Any]) -> list[bool]:
    """Return for each edge and choice whether any sample gives it weight; the one time that waits for the device."""
    weights = as_numpy(relaxed[mixture.name])
    e, p = mixture.shape
    if weights.shape not in {(e, p), (e, *weights.shape[1:2], p)}:
        raise ConfigError(
            f"the weights of '{mixture.name}' must have shape ({e}, {p}) or ({e}, B, {p}), got {weights.shape}"
        )
    return (weights != 0).reshape(e, -1, p).any(1).ravel().tolist()


def over_batch(weights: Tensor, batch: int) -> Tensor:
    """Return weights ``(E·P, N)`` for each example of a batch, over which samples ``(E, B, P)`` take turns.

    Raises: ConfigError when they cannot share it evenly.
    """
    samples = weights.shape[1]
    if batch % samples:
        raise ConfigError(
            f"{samples} samples of an architecture cannot share a batch of {batch} evenly; make the batch size a "
            f"multiple of {samples}"
        )
    return weights.repeat(1, batch // samples, 1).transpose(1, 2).reshape(-1, batch)


def _spread(weights: Tensor, batch: int) -> tuple[Tensor, ...]:
    """Return E times P weights, each a scalar, or ``(N, 1, 1, 1)`` when there is one for each sample."""
    if weights.dim() == 2:
        return weights.reshape(-1).unbind()
    return over_batch(weights, batch).view(-1, batch, 1, 1, 1).unbind()
