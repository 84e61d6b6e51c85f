"""What type checkers see of the names that awnas_germ imports when first used."""

from awnas_germ.blocks import (
    Attention as Attention,
    ConvBnAct as ConvBnAct,
    FusedConv as FusedConv,
    MBConv as MBConv,
    SepConv as SepConv,
    ShuffleV2Block as ShuffleV2Block,
    TransformerBlock as TransformerBlock,
    TuckerConv as TuckerConv,
)
from awnas_germ.choices import (
    Choices as Choices,
    Subset as Subset,
    maximum as maximum,
    minimum as minimum,
    round_to as round_to,
)
from awnas_germ.constraints import (
    require as require,
)
from awnas_germ.containers import (
    MixedOp as MixedOp,
    OpOnEdge as OpOnEdge,
    OpOnNode as OpOnNode,
    Repeat as Repeat,
    Select as Select,
)
from awnas_germ.layers.conv import (
    Conv2d as Conv2d,
)
from awnas_germ.layers.linear import (
    Linear as Linear,
    PositionEmbedding as PositionEmbedding,
)
from awnas_germ.layers.norm import (
    BatchNorm2d as BatchNorm2d,
    LayerNorm as LayerNorm,
)
