"""Depthwise convolutions, as quick on CPUs for images of a few pixels as they are for larger ones."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class DepthwiseConv2d(nn.Conv2d):
    """A convolution of each channel by itself that keeps the size at stride 1; that of ``nn.Conv2d``.

    Args:
        channels: Channels of input and output.
        kernel: Side of the kernel, odd.
        stride: The output has ⌈size / stride⌉ pixels a side.
    """

    def __init__(self, channels: int, kernel: int, stride: int) -> None:
        super().__init__(channels, channels, kernel, stride, kernel // 2, groups=channels, bias=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """``(N, C, H, W)`` → ``(N, C, ⌈H/s⌉, ⌈W/s⌉)``."""
        return convolve(inputs, self.weight, self.stride[0], self.groups)


def convolve(inputs: Tensor, weight: Tensor, stride: int, groups: int) -> Tensor:
    """Return the convolution with an odd square kernel that keeps the size at stride 1.

    On a CPU images lower than the kernel get rows of zeros, and the output is cut: the gradient of the weights of
    depthwise convolutions takes three times as long without (oneDNN 3.12).
    """
    kernel, height = weight.shape[2], inputs.shape[2]
    if height >= kernel or inputs.device.type != "cpu":
        return functional.conv2d(inputs, weight, None, stride, kernel // 2, 1, groups)
    taller = functional.pad(inputs, (0, 0, 0, kernel - height))
    outputs = functional.conv2d(taller, weight, None, stride, kernel // 2, 1, groups)
    return outputs[:, :, : -(-height // stride)].contiguous(memory_format=torch.channels_last)
