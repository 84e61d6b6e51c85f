"""Layers of convolutional networks as plain facts, for spaces that fix the network of an architecture.

Conventions of the counts are those of a built network: a convolution has ``k²·C_in/groups·C_out·H_out·W_out``
multiply-adds, a linear layer ``in·out``; normalisation and pooling have none. Convolutions have no bias.
"""

from __future__ import annotations

from awnas_core.layers import LayerSpec

Shape = tuple[int, int, int]
"""``(C, H, W)``."""


class LayerList:
    """Gathers the layers of a network, those of one name prefix at a time.

    Each method adds layers and returns the shape that comes out of them.
    """

    def __init__(self) -> None:
        self.layers: list[LayerSpec] = []

    def conv(
        self, name: str, shape: Shape, channels: int, kernel: int, *, stride: int = 1, groups: int = 1
    ) -> Shape:
        """Add a convolution that keeps the size, divided by the stride."""
        out = channels, -(-shape[1] // stride), -(-shape[2] // stride)
        weights = kernel * kernel * (shape[0] // groups) * channels
        self._add(
            name,
            "conv2d",
            shape,
            out,
            params=weights,
            macs=weights * out[1] * out[2],
            kernel_size=kernel,
            stride=stride,
            groups=groups,
        )
        return out

    def norm(self, name: str, shape: Shape) -> Shape:
        """Add a batch normalisation with scale and shift."""
        self._add(name, "norm", shape, shape, params=2 * shape[0])
        return shape

    def conv_norm(
        self, name: str, shape: Shape, channels: int, kernel: int, *, stride: int = 1, groups: int = 1
    ) -> Shape:
        """Add a convolution and its normalisation."""
        out = self.conv(f"{name}.conv", shape, channels, kernel, stride=stride, groups=groups)
        return self.norm(f"{name}.norm", out)

    def pool(self, name: str, shape: Shape, kernel: int, *, stride: int = 1) -> Shape:
        """Add a pooling that keeps the size, divided by the stride."""
        out = shape[0], -(-shape[1] // stride), -(-shape[2] // stride)
        self._add(name, "pool", shape, out, kernel_size=kernel, stride=stride)
        return out

    def classifier(self, shape: Shape, classes: int) -> None:
        """Add a pooling over the whole image and a linear layer with bias."""
        features = shape[0]
        self._add("pool", "pool", shape, (features, 1, 1))
        self._add(
            "classifier",
            "linear",
            (features,),
            (classes,),
            params=(features + 1) * classes,
            macs=features * classes,
        )

    def _add(
        self,
        name: str,
        op: str,
        shape: tuple[int, ...],
        out: tuple[int, ...],
        *,
        params: int = 0,
        macs: int = 0,
        **attributes: int,
    ) -> None:
        self.layers.append(
            LayerSpec(
                name=name,
                op=op,
                input_shape=shape,
                output_shape=out,
                params=params,
                macs=macs,
                attributes=tuple(attributes.items()),
            )
        )
