"""A small vision transformer with depth, heads, perceptron ratios and embedding to choose."""

from __future__ import annotations

from torch import Tensor, nn

from awnas_core.errors import ConfigError
from awnas_core.options import PositiveInt
from awnas_germ.blocks import TransformerBlock
from awnas_germ.choices import choose
from awnas_germ.containers import Repeat
from awnas_germ.layers.conv import Conv2d
from awnas_germ.layers.linear import Linear, PositionEmbedding
from awnas_germ.layers.norm import LayerNorm


class VisionTransformer(nn.Module):
    """Patches, blocks, mean over the tokens, classifier.

    Args:
        patch: Side of a patch in pixels.
        features: Sizes of the embedding to choose from.
        depths: Numbers of blocks to choose from.
        heads: Numbers of heads of each block to choose from.
        head_features: Features of a head.
        mlp_ratios: Ratios of each block's perceptron to choose from.

    Raises: ConfigError when patches do not fill the image.

    Source: Chen et al., "AutoFormer: Searching Transformers for Visual Recognition", ICCV 2021, table 1, sized for
    small images.
    """

    def __init__(
        self,
        num_classes: int,
        input_shape: tuple[int, int, int],
        *,
        patch: PositiveInt = 4,
        features: tuple[PositiveInt, ...] = (48, 64, 96),
        depths: tuple[PositiveInt, ...] = (2, 3, 4),
        heads: tuple[PositiveInt, ...] = (2, 3, 4),
        head_features: PositiveInt = 16,
        mlp_ratios: tuple[PositiveInt, ...] = (2, 3, 4),
    ) -> None:
        super().__init__()
        image_channels, height, width = input_shape
        if height % patch or width % patch:
            raise ConfigError(
                f"patches of {patch} pixels do not fill an image of {height}×{width}; change 'patch'"
            )
        embedding = choose(features, "features")
        self.patches = Conv2d(image_channels, embedding, patch, stride=patch, padding=0)
        self.positions = PositionEmbedding((height // patch) * (width // patch), embedding)
        blocks = [
            TransformerBlock(embedding, choose(heads), head_features, choose(mlp_ratios))
            for _ in range(max(depths))
        ]
        self.blocks = Repeat(blocks, choose(depths))
        self.norm = LayerNorm(embedding)
        self.classifier = Linear(embedding, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits ``(N, classes)`` for images ``(N, C, H, W)``."""
        tokens = self.positions(self.patches(images).flatten(2).transpose(1, 2))
        return self.classifier(self.norm(self.blocks(tokens)).mean(1))  # type: ignore[no-any-return]
