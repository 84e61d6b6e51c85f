"""The network of NAS-Bench-Macro, and the final model that trains one of its chains."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
from torch import Tensor, nn

from awnas_core.device import Device
from awnas_core.options import PositiveInt
from awnas_networks.network_final_model import NetworkFinalModel
from awnas_networks.primitives.convolutions import conv_bn, conv_bn_relu
from awnas_networks.primitives.mobile import inverted_residual
from awnas_networks.primitives.plain import Identity
from awnas_spaces.nasbench_macro import BLOCKS, NasBenchMacroSpace, stages_of

HEAD_CHANNELS = 1280


class NasBenchMacroNetwork(nn.Module):
    """Stem, eight blocks in three stages, a wide 1×1 convolution, classifier.

    Args:
        arch: Number of the block of each layer.
        channels: Channels of the stem; each stage has twice as many as what is before it.
        image_channels: Channels of an image.
        num_classes: Outputs of the classifier.

    Source: Su et al., "Prioritized Architecture Sampling with Monto-Carlo Tree Search", CVPR 2021, section 4.
    """

    def __init__(self, arch: Sequence[int], channels: int, image_channels: int, num_classes: int) -> None:
        super().__init__()
        self.stem = conv_bn_relu(image_channels, channels, 1, True, kernel=3)
        self.blocks = nn.Sequential()
        for stage in stages_of(arch):
            for place, block in enumerate(stage):
                out, stride = (2 * channels, 2) if place == 0 else (channels, 1)
                self.blocks.append(_block(BLOCKS[block], channels, out, stride))
                channels = out
        self.head = conv_bn_relu(channels, HEAD_CHANNELS, 1, True, kernel=1)
        self.classifier = nn.Linear(HEAD_CHANNELS, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """``(N, C, H, W)`` → logits ``(N, classes)``."""
        features = self.head(self.blocks(self.stem(images)))
        logits: Tensor = self.classifier(features.mean((2, 3)))
        return logits


def _block(name: str, channels: int, channels_out: int, stride: int) -> nn.Module:
    if name == "identity":
        return Identity() if stride == 1 else conv_bn(channels, channels_out, stride, True, kernel=1)
    return inverted_residual(
        channels,
        channels_out,
        stride,
        True,
        expansion=int(name[2]),
        kernel_size=int(name[-1]),
        activation="relu",
    )


class NasBenchMacroFinalModel(NetworkFinalModel):
    """The network of one chain of NAS-Bench-Macro, as the benchmark trained it.

    Args:
        genotypes: The chain, eight numbers.
        init_channels: Channels of the stem.
    """

    def __init__(
        self,
        search_space: NasBenchMacroSpace,
        device: Device,
        rng: np.random.Generator,
        num_classes: int,
        input_shape: tuple[int, int, int],
        *,
        genotypes: str,
        init_channels: PositiveInt = 32,
    ) -> None:
        arch = search_space.parse(genotypes)
        make = functools.partial(NasBenchMacroNetwork, arch, init_channels, input_shape[0], num_classes)
        super().__init__(make, input_shape, device, rng)
