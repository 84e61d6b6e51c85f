"""Normalisation whose number of features may be a choice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from awnas_core.layers import Cost
from awnas_germ.choices import largest
from awnas_germ.layers.base import Layer
from awnas_germ.resolve import Resolver

if TYPE_CHECKING:
    from awnas_germ.relax import Relaxer, Weights


class BatchNorm2d(Layer):
    """Batch normalisation of the first C channels; their running statistics are updated in place.

    Args:
        num_features: C.
        eps: Added to the variance.
        momentum: Share of a new batch in the running statistics.
        affine: Whether there are scale and shift.
    """

    def __init__(
        self, num_features: Any, eps: float = 1e-5, momentum: float = 0.1, affine: bool = True
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.full = nn.BatchNorm2d(largest(num_features), eps, momentum, affine)

    @property
    def sizes(self) -> tuple[Any, ...]:
        """What the cost depends on."""
        return (self.num_features,)

    def resolved(self, resolver: Resolver) -> nn.Module:
        """Return batch normalisation with a slice of these parameters and statistics."""
        features = resolver.value(self.num_features)
        if not resolver.owns:
            return _SlicedBatchNorm2d(self.full, features)
        full = self.full
        norm = nn.BatchNorm2d(features, full.eps, full.momentum, full.affine)
        norm.to(full.running_mean.device, full.running_mean.dtype)  # type: ignore[union-attr]
        state = {k: v[:features] if v.dim() else v for k, v in full.state_dict().items()}
        norm.load_state_dict(state)
        return norm

    def relaxed(self, relaxer: Relaxer) -> nn.Module:
        """Return batch normalisation of all channels, each weighted by the values that reach it."""
        return _MixedBatchNorm2d(self.full, self.num_features, relaxer.weights)

    def cost(self, values: tuple[Any, ...], shape: tuple[int, ...]) -> Cost:
        """Return the cost: two parameters a channel, no multiply-adds by convention."""
        return Cost(2 * values[0] if self.full.affine else 0, 0)


class _SlicedBatchNorm2d(nn.Module):
    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, full: nn.BatchNorm2d, features: int) -> None:
        super().__init__()
        self.weight, self.bias = full.weight, full.bias
        for name, buffer in full.named_buffers():
            self.register_buffer(name, buffer)
        self._features, self._eps, self._momentum = features, full.eps, full.momentum

    def forward(self, inputs: Tensor) -> Tensor:
        c = self._features
        weight, bias = (None, None) if self.weight is None else (self.weight[:c], self.bias[:c])
        if self.training:
            self.num_batches_tracked.add_(1)
        return functional.batch_norm(
            inputs, self.running_mean[:c], self.running_var[:c], weight, bias, self.training,
            self._momentum or 0.0, self._eps,
        )  # fmt: skip


class _MixedBatchNorm2d(_SlicedBatchNorm2d):
    """Channels are normalised one by one, so the mixture of outputs is a weight for each channel."""

    def __init__(self, full: nn.BatchNorm2d, features: Any, weights: Weights) -> None:
        super().__init__(full, full.num_features)
        self._mixed, self._weights = features, weights

    def forward(self, inputs: Tensor) -> Tensor:
        outputs = super().forward(inputs)
        return outputs * self._weights.mask(self._mixed, self._features).to(outputs)[:, None, None]


class LayerNorm(Layer):
    """Layer normalisation over the last axis, of the first D features.

    Args:
        normalized_shape: D.
        eps: Added to the variance.
    """

    def __init__(self, normalized_shape: Any, eps: float = 1e-5) -> None:
        super().__init__()
        self.normalized_shape, self.eps = normalized_shape, eps
        self.weight = nn.Parameter(torch.ones(largest(normalized_shape)))
        self.bias = nn.Parameter(torch.zeros(largest(normalized_shape)))

    @property
    def sizes(self) -> tuple[Any, ...]:
        """What the cost depends on."""
        return (self.normalized_shape,)

    def resolved(self, resolver: Resolver) -> nn.Module:
        """Return layer normalisation with a slice of these parameters."""
        features = resolver.value(self.normalized_shape)
        if not resolver.owns:
            return _SlicedLayerNorm(self.weight, self.bias, features, self.eps)
        norm = nn.LayerNorm(features, self.eps, device=self.weight.device, dtype=self.weight.dtype)
        with torch.no_grad():
            norm.weight.copy_(self.weight[:features])
            norm.bias.copy_(self.bias[:features])
        return norm

    def relaxed(self, relaxer: Relaxer) -> nn.Module:
        """Return the mixture of the normalisations of all numbers of features."""
        return _MixedLayerNorm(self, relaxer.weights)

    def cost(self, values: tuple[Any, ...], shape: tuple[int, ...]) -> Cost:
        """Return the cost: two parameters a feature, no multiply-adds by convention."""
        return Cost(2 * values[0], 0)


class _SlicedLayerNorm(nn.Module):
    def __init__(self, weight: nn.Parameter, bias: nn.Parameter, features: int, eps: float) -> None:
        super().__init__()
        self.weight, self.bias = weight, bias
        self._features, self._eps = features, eps

    def forward(self, inputs: Tensor) -> Tensor:
        d = self._features
        return functional.layer_norm(inputs, (d,), self.weight[:d], self.bias[:d], self._eps)


class _MixedLayerNorm(nn.Module):
    def __init__(self, layer: LayerNorm, weights: Weights) -> None:
        super().__init__()
        self.weight, self.bias = layer.weight, layer.bias
        self._features, self._eps, self._weights = layer.normalized_shape, layer.eps, weights

    def forward(self, inputs: Tensor) -> Tensor:
        total = torch.zeros_like(inputs)
        for d, share in self._weights.shares(self._features):
            normalised = functional.layer_norm(
                inputs[..., :d], (d,), self.weight[:d], self.bias[:d], self._eps
            )
            total = total + functional.pad(normalised * share.to(inputs), (0, inputs.shape[-1] - d))
        return total
