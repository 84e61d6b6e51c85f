"""A convolution whose channels, kernel, stride and groups may be choices."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from awnas_core.errors import ConfigError
from awnas_core.layers import Cost
from awnas_germ.choices import Expression, expressions_in, largest, together
from awnas_germ.layers.base import Layer
from awnas_germ.resolve import Resolver

if TYPE_CHECKING:
    from awnas_germ.relax import Relaxer, Weights


class Conv2d(Layer):
    """A 2-D convolution; every size may be an expression.

    Of fewer channels the first are taken, of each group where there are groups; of a smaller kernel the centre. More
    groups use the diagonal blocks of the weights for fewer. Padding keeps the size at stride 1 unless it is given.

    Args:
        in_channels: C_in.
        out_channels: C_out.
        kernel_size: k, odd where it is a choice.
        stride: Stride.
        padding: Zeros on each side; None for ``dilation·(k − 1)/2``.
        dilation: Dilation, a plain number.
        groups: Groups; a depthwise convolution has the same expression here as for both channels.
        bias: Whether there is a bias.

    Source of the slices: Yu et al., "Slimmable Neural Networks", ICLR 2019; Cai et al., "Once-for-All", ICLR 2020.
    """

    def __init__(
        self,
        in_channels: Any,
        out_channels: Any,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = None,
        dilation: int = 1,
        groups: Any = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels, self.kernel_size = in_channels, out_channels, kernel_size
        self.stride, self.padding, self.dilation, self.groups = stride, padding, dilation, groups
        kernels = kernel_size.values() if isinstance(kernel_size, Expression) else (kernel_size,)
        if len(kernels) > 1 and any(k % 2 == 0 for k in kernels):
            raise ConfigError(f"kernel sizes to choose from must be odd, got {list(kernels)}")
        self._base_groups = self._fewest_groups()
        columns = 1 if self._is_depthwise else largest(in_channels) // self._base_groups
        size = max(kernels)
        self.weight = nn.Parameter(torch.empty(largest(out_channels), columns, size, size))
        self.bias = nn.Parameter(torch.empty(largest(out_channels))) if bias else None
        self.reset_parameters()

    @property
    def sizes(self) -> tuple[Any, ...]:
        """What the cost depends on."""
        return (
            self.in_channels,
            self.out_channels,
            self.kernel_size,
            self.stride,
            self.padding,
            self.groups,
        )

    @property
    def spatial(self) -> tuple[Expression, ...]:
        """What the size of the output depends on."""
        return expressions_in([self.stride, self.padding])

    def reset_parameters(self) -> None:
        """Draw weights as ``nn.Conv2d`` of the largest size does."""
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.weight[0].numel())
            nn.init.uniform_(self.bias, -bound, bound)

    def resolved(self, resolver: Resolver) -> nn.Module:
        """Return a convolution with a slice of these weights."""
        cin, cout, k, stride, padding, groups = map(resolver.value, self.sizes)
        padding = self.dilation * (k - 1) // 2 if padding is None else padding
        index = self._index(cin, cout, k, groups)
        if not resolver.owns:
            return _SlicedConv2d(self.weight, self.bias, index, cout, stride, padding, self.dilation, groups)
        conv = nn.utils.skip_init(
            nn.Conv2d, cin, cout, k, stride, padding, self.dilation, groups, self.bias is not None,
            device=self.weight.device, dtype=self.weight.dtype,
        )  # fmt: skip
        with torch.no_grad():
            conv.weight.copy_(sliced(self.weight, index))
            if conv.bias is not None and self.bias is not None:
                conv.bias.copy_(self.bias[:cout])
        return conv

    def relaxed(self, relaxer: Relaxer) -> nn.Module:
        """Return a convolution with the mixture of all slices, which is the mixture of all outputs."""
        self.refuse_choices(stride=self.stride, padding=self.padding)
        if not self._is_depthwise:
            self.refuse_choices(groups=self.groups)
        if self._base_groups > 1:  # the first channels of each group do not lie together
            self.refuse_choices(in_channels=self.in_channels, out_channels=self.out_channels)
        return _MixedConv2d(self, relaxer.weights)

    def cost(self, values: tuple[Any, ...], shape: tuple[int, ...]) -> Cost:
        """Return the cost at ``values`` of :attr:`sizes` for inputs ``(C, H, W)``."""
        cin, cout, k, stride, padding, groups = values
        padding = self.dilation * (k - 1) // 2 if padding is None else padding
        out = [(n + 2 * padding - self.dilation * (k - 1) - 1) // stride + 1 for n in shape[1:]]
        weights = cout * (cin // groups) * k * k
        return Cost(weights + (cout if self.bias is not None else 0), weights * out[0] * out[1])

    @property
    def _is_depthwise(self) -> bool:
        return self.groups is self.in_channels is self.out_channels and isinstance(self.groups, Expression)

    def _fewest_groups(self) -> int:
        if self._is_depthwise:
            return 1
        choices = self.groups.values() if isinstance(self.groups, Expression) else (self.groups,)
        fewest = min(choices)
        for name, channels in (("in_channels", self.in_channels), ("out_channels", self.out_channels)):
            counts = channels.values() if isinstance(channels, Expression) else (channels,)
            if any(g % fewest or n % g for g in choices for n in counts):
                raise ConfigError(
                    f"every number of groups {list(choices)} must be a multiple of the fewest and divide every "
                    f"{name}, got {list(counts)}"
                )
        return int(fewest)

    def _index(self, cin: int, cout: int, k: int, groups: int) -> tuple[Any, ...]:
        """Return what to take of the weights: slices where that is enough, else rows and columns as tensors."""
        margin = (self.weight.shape[-1] - k) // 2
        kernel = slice(margin, margin + k)
        whole = cout == self.weight.shape[0] and cin // groups == self.weight.shape[1]
        if self._is_depthwise or groups == 1 or whole:
            return slice(cout), slice(cin), kernel, kernel
        per_base = groups // self._base_groups
        group = torch.arange(groups)
        base_rows = self.weight.shape[0] // self._base_groups
        first_row = group // per_base * base_rows + group % per_base * (cout // groups)
        rows = (first_row[:, None] + torch.arange(cout // groups)).reshape(-1, 1)
        first_column = (group % per_base * (cin // groups)).repeat_interleave(cout // groups)[:, None]
        columns = first_column + torch.arange(cin // groups)
        return rows, columns, kernel, kernel


class _SlicedConv2d(nn.Module):
    def __init__(
        self,
        weight: Any,
        bias: Any,
        index: Any,
        cout: int,
        stride: int,
        padding: int,
        dilation: int,
        groups: int,
    ) -> None:
        super().__init__()
        self.weight, self.bias = weight, bias
        self._index, self._cout = index, cout
        self._arguments = (stride, padding, dilation, groups)

    def forward(self, inputs: Tensor) -> Tensor:
        bias = None if self.bias is None else self.bias[: self._cout]
        return functional.conv2d(inputs, sliced(self.weight, self._index), bias, *self._arguments)


class _MixedConv2d(nn.Module):
    """The convolution is linear in its weights, so mixing them mixes the outputs."""

    def __init__(self, layer: Conv2d, weights: Weights) -> None:
        super().__init__()
        self.weight, self.bias = layer.weight, layer.bias
        self._sizes = (layer.out_channels, layer.in_channels, layer.kernel_size)
        self._depthwise = layer._is_depthwise
        self._groups = layer.weight.shape[0] if self._depthwise else layer._base_groups
        self._stride, self._dilation, self._padding = layer.stride, layer.dilation, layer.padding
        self._weights = weights

    def forward(self, inputs: Tensor) -> Tensor:
        size = self.weight.shape[-1]
        mask = torch.zeros(())
        for (cout, cin, kernel), share in self._weights.shares(together(*self._sizes)):
            mask = mask + share * self._reached(cout, cin, kernel)
        padding = self._dilation * (size - 1) // 2 if self._padding is None else self._padding
        bias = None if self.bias is None else self.bias * self._weights.mask(self._sizes[0], len(self.bias))
        weight = self.weight * mask.to(self.weight)
        return functional.conv2d(inputs, weight, bias, self._stride, padding, self._dilation, self._groups)

    def _reached(self, cout: int, cin: int, kernel: int) -> Tensor:
        """Return which weights a slice holds, as booleans that broadcast to the weights."""
        rows, columns, size = self.weight.shape[:3]
        middle = (torch.arange(size) - (size - 1) / 2).abs() <= (kernel - 1) / 2
        square = middle[:, None] & middle
        reads = torch.arange(columns) < (columns if self._groups > 1 else cin)
        return (torch.arange(rows) < cout)[:, None, None, None] & reads[:, None, None] & square


def sliced(weight: Tensor, index: tuple[Any, ...]) -> Tensor:
    """Return the part of ``weight`` ``(O, I, K, K)`` that an index of :class:`Conv2d` stands for."""
    rows, columns, *kernel = index
    if isinstance(rows, slice):
        return weight[index]
    return weight[rows, columns][:, :, kernel[0], kernel[1]]
