"""The auxiliary classifier of deep cell networks."""

from __future__ import annotations

from torch import Tensor, nn

from awnas_core.errors import ConfigError

POOL_STRIDES = {"cifar": 3, "imagenet": 2}
SMALLEST = 5
"""Side of the smallest image that the head's pool takes."""


class AuxiliaryHead(nn.Module):
    """A small classifier on the features two thirds into the network.

    Args:
        channels: Channels of the features.
        num_classes: Number of classes.
        size: Side of the features in pixels.
        kind: ``"cifar"`` (8×8 features) or ``"imagenet"`` (14×14).

    Source: Szegedy et al., "Going Deeper with Convolutions", CVPR 2015, as sized in Zoph et al., CVPR 2018. Unlike the
    code of DARTS, batch normalisation follows the second convolution in both kinds.
    """

    def __init__(self, channels: int, num_classes: int, size: int, kind: str) -> None:
        super().__init__()
        if size < SMALLEST or (size - SMALLEST) // POOL_STRIDES[kind] < 1:
            raise ConfigError(
                f"the auxiliary head needs features of at least {SMALLEST + POOL_STRIDES[kind]} pixels a side, "
                f"here they have {size}; set auxiliary_head to false, or use larger images or fewer reductions"
            )
        self.features = nn.Sequential(
            nn.ReLU(),
            nn.AvgPool2d(5, POOL_STRIDES[kind], 0, count_include_pad=False),
            nn.Conv2d(channels, 128, 1, bias=False),
            nn.BatchNorm2d(128),
            nn.ReLU(),
            nn.Conv2d(128, 768, 2, bias=False),
            nn.BatchNorm2d(768),
            nn.ReLU(),
        )
        self.classifier = nn.Linear(768, num_classes)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits ``(N, classes)``."""
        logits: Tensor = self.classifier(self.features(inputs).mean((2, 3)))
        return logits
