"""Average pooling that CPUs compute several times faster than their own."""

from __future__ import annotations

import functools

import torch
from torch import Tensor, nn
from torch.nn import functional


class AveragePool(nn.AvgPool2d):
    """The mean over k × k pixels, k odd; those outside the image do not count.

    On a CPU it is a depthwise convolution with ones, divided by the number of pixels inside: in channels-last layout up
    to ten times as fast as torch's own.

    Args:
        kernel: k.
        stride: The output has ⌈size / stride⌉ pixels a side.
    """

    def __init__(self, kernel: int, stride: int) -> None:
        super().__init__(kernel, stride, kernel // 2, count_include_pad=False)
        self._kernel, self._stride = kernel, stride

    def forward(self, inputs: Tensor) -> Tensor:
        """``(N, C, H, W)`` → ``(N, C, ⌈H/s⌉, ⌈W/s⌉)``."""
        if inputs.device.type != "cpu":
            return super().forward(inputs)
        k, channels = self._kernel, inputs.shape[1]
        ones = inputs.new_ones(channels, 1, k, k)
        sums = functional.conv2d(inputs, ones, None, self._stride, k // 2, groups=channels)
        return sums * _inverse_counts(*inputs.shape[2:], k, self._stride, sums.dtype)


@functools.lru_cache(maxsize=256)
@torch.inference_mode(False)  # kept for training, whoever asks first
def _inverse_counts(height: int, width: int, kernel: int, stride: int, dtype: torch.dtype) -> Tensor:
    """Return one over the number of pixels under each window, ``(1, 1, H', W')``."""
    ones = torch.ones(1, 1, height, width, dtype=torch.double)
    window = torch.ones(1, 1, kernel, kernel, dtype=torch.double)
    return functional.conv2d(ones, window, None, stride, kernel // 2).reciprocal().to(dtype)
