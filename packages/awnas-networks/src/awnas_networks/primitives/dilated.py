"""Dilated convolutions by undilated ones, which CPUs compute many times faster."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from awnas_networks.primitives.depthwise import convolve


class DilatedConv2d(nn.Conv2d):
    """A convolution of dilation d that keeps the size at stride 1; the arithmetic is that of ``nn.Conv2d``.

    An output pixel sees only every d-th pixel. So the image falls into d × d independent ones of lower resolution, and
    with a stride that is a multiple of d only one of them is seen at all. On a CPU they are convolved without
    dilation: the backward pass of dilated depthwise convolutions is slow there (oneDNN 3.12, 3 to 15 times). A GPU
    gains nothing by that.

    Args:
        channels: Channels of the input.
        channels_out: Channels of the output.
        kernel: Side of the kernel, odd.
        stride: 1 or a multiple of ``dilation``.
        dilation: d.
        groups: As in ``nn.Conv2d``.
    """

    def __init__(
        self, channels: int, channels_out: int, kernel: int, stride: int, dilation: int, groups: int
    ) -> None:
        padding = dilation * (kernel // 2)
        super().__init__(channels, channels_out, kernel, stride, padding, dilation, groups=groups, bias=False)
        self.preparation = (dilation, stride == 1)
        """What :meth:`prepare` depends on: convolutions that have it in common can share a prepared input."""

    def forward(self, inputs: Tensor, prepared: Tensor | None = None) -> Tensor:
        """``(N, C, H, W)`` → ``(N, C_out, ⌈H/s⌉, ⌈W/s⌉)``; ``prepared`` is what :meth:`prepare` makes of the input."""
        if inputs.device.type != "cpu":
            return super().forward(inputs)
        d, whole = self.preparation
        parts = self.prepare(inputs) if prepared is None else prepared
        outputs = convolve(parts, self.weight, 1 if whole else self.stride[0] // d, self.groups)
        height, width = inputs.shape[2:]
        if not whole:
            return outputs
        return together(outputs, d)[:, :, :height, :width].contiguous(memory_format=torch.channels_last)

    def prepare(self, inputs: Tensor) -> Tensor:
        """Return the images of lower resolution that are convolved without dilation."""
        d, whole = self.preparation
        if inputs.device.type != "cpu":
            return inputs
        if not whole:
            return inputs[:, :, ::d, ::d]
        height, width = inputs.shape[2:]
        return apart(functional.pad(inputs, (0, -width % d, 0, -height % d)), d)


def apart(images: Tensor, d: int) -> Tensor:
    """Return the images of every d-th pixel, ``(N, C, H, W)`` → ``(d·d·N, C, H/d, W/d)``, channels-last."""
    n, c, h, w = images.shape
    pixels = images.permute(0, 2, 3, 1).reshape(n, h // d, d, w // d, d, c)
    return pixels.permute(2, 4, 0, 1, 3, 5).reshape(d * d * n, h // d, w // d, c).permute(0, 3, 1, 2)


def together(parts: Tensor, d: int) -> Tensor:
    """Undo :func:`apart`."""
    m, c, h, w = parts.shape
    pixels = parts.permute(0, 2, 3, 1).reshape(d, d, m // (d * d), h, w, c)
    return pixels.permute(2, 3, 0, 4, 1, 5).reshape(m // (d * d), h * d, w * d, c).permute(0, 3, 1, 2)
