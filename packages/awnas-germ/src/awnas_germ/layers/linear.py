"""Linear layers and embeddings of positions whose features may be choices."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from awnas_core.layers import Cost
from awnas_germ.choices import largest, together
from awnas_germ.layers.base import Layer
from awnas_germ.resolve import Resolver

if TYPE_CHECKING:
    from awnas_germ.relax import Relaxer, Weights


class Linear(Layer):
    """A linear layer on the last axis; of fewer features the first are taken.

    Args:
        in_features: Input features.
        out_features: Output features.
        bias: Whether there is a bias.
    """

    def __init__(self, in_features: Any, out_features: Any, bias: bool = True) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.weight = nn.Parameter(torch.empty(largest(out_features), largest(in_features)))
        self.bias = nn.Parameter(torch.empty(largest(out_features))) if bias else None
        self.reset_parameters()

    @property
    def sizes(self) -> tuple[Any, ...]:
        """What the cost depends on."""
        return self.in_features, self.out_features

    def reset_parameters(self) -> None:
        """Draw weights as ``nn.Linear`` of the largest size does."""
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.weight.shape[1])
            nn.init.uniform_(self.bias, -bound, bound)

    def resolved(self, resolver: Resolver) -> nn.Module:
        """Return a linear layer with a slice of these weights."""
        fan_in, fan_out = map(resolver.value, self.sizes)
        if not resolver.owns:
            return _SlicedLinear(self.weight, self.bias, fan_in, fan_out)
        linear = nn.utils.skip_init(
            nn.Linear,
            fan_in,
            fan_out,
            self.bias is not None,
            device=self.weight.device,
            dtype=self.weight.dtype,
        )
        with torch.no_grad():
            linear.weight.copy_(self.weight[:fan_out, :fan_in])
            if self.bias is not None:
                linear.bias.copy_(self.bias[:fan_out])
        return linear

    def relaxed(self, relaxer: Relaxer) -> nn.Module:
        """Return a linear layer with the mixture of all slices, which is the mixture of all outputs."""
        return _MixedLinear(self, relaxer.weights)

    def cost(self, values: tuple[Any, ...], shape: tuple[int, ...]) -> Cost:
        """Return the cost; leading axes of the input count as so many calls."""
        fan_in, fan_out = values
        return Cost(
            fan_in * fan_out + (fan_out if self.bias is not None else 0),
            fan_in * fan_out * math.prod(shape[:-1]),
        )


class _SlicedLinear(nn.Module):
    def __init__(self, weight: nn.Parameter, bias: nn.Parameter | None, fan_in: int, fan_out: int) -> None:
        super().__init__()
        self.weight, self.bias = weight, bias
        self._fan_in, self._fan_out = fan_in, fan_out

    def forward(self, inputs: Tensor) -> Tensor:
        bias = None if self.bias is None else self.bias[: self._fan_out]
        return functional.linear(inputs, self.weight[: self._fan_out, : self._fan_in], bias)


class _MixedLinear(nn.Module):
    def __init__(self, layer: Linear, weights: Weights) -> None:
        super().__init__()
        self.weight, self.bias = layer.weight, layer.bias
        self._sizes, self._weights = layer.sizes, weights

    def forward(self, inputs: Tensor) -> Tensor:
        rows, columns = self.weight.shape
        mask = torch.zeros(rows, columns)
        for (fan_in, fan_out), share in self._weights.shares(together(*self._sizes)):
            mask = mask + share * ((torch.arange(rows) < fan_out)[:, None] & (torch.arange(columns) < fan_in))
        bias = None if self.bias is None else self.bias * self._weights.mask(self._sizes[1], rows).to(inputs)
        return functional.linear(inputs, self.weight * mask.to(inputs), bias)


class PositionEmbedding(Layer):
    """Adds a learned vector to every token.

    Args:
        tokens: Number of tokens, a plain number.
        features: D.

    Source: Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021, section 3.1.
    """

    def __init__(self, tokens: int, features: Any) -> None:
        super().__init__()
        self.tokens, self.features = tokens, features
        self.weight = nn.Parameter(torch.empty(tokens, largest(features)))
        nn.init.trunc_normal_(self.weight, std=0.02)

    @property
    def sizes(self) -> tuple[Any, ...]:
        """What the cost depends on."""
        return (self.features,)

    def resolved(self, resolver: Resolver) -> nn.Module:
        """Return an embedding with a slice of these vectors."""
        features = resolver.value(self.features)
        if not resolver.owns:
            return _AddedPositions(self.weight, features)
        return _AddedPositions(nn.Parameter(self.weight[:, :features].detach().clone()), features)

    def relaxed(self, relaxer: Relaxer) -> nn.Module:
        """Return the embedding with each feature weighted by the values that reach it."""
        return _MixedPositions(self.weight, self.features, relaxer.weights)

    def cost(self, values: tuple[Any, ...], shape: tuple[int, ...]) -> Cost:
        """Return the cost: parameters, and no multiply-adds."""
        return Cost(self.tokens * values[0], 0)


class _AddedPositions(nn.Module):
    def __init__(self, weight: nn.Parameter, features: int) -> None:
        super().__init__()
        self.weight, self._features = weight, features

    def forward(self, inputs: Tensor) -> Tensor:
        """``(N, T, D)`` → the same."""
        return inputs + self.weight[:, : self._features]


class _MixedPositions(nn.Module):
    def __init__(self, weight: nn.Parameter, features: Any, weights: Weights) -> None:
        super().__init__()
        self.weight, self._features, self._weights = weight, features, weights

    def forward(self, inputs: Tensor) -> Tensor:
        """``(N, T, D)`` → the same."""
        mask = self._weights.mask(self._features, self.weight.shape[1])
        return (inputs + self.weight) * mask.to(inputs)
