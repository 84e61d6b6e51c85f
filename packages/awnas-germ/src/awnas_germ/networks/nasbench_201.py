"""The network of NAS-Bench-201, its cell written as choices."""

from __future__ import annotations

from torch import Tensor, nn

from awnas_core.options import PositiveInt
from awnas_germ.choices import Choices
from awnas_germ.containers import MixedOp

OPS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = tuple((source, node) for node in range(1, 4) for source in range(node))


class NasBench201(nn.Module):
    """Three stages of cells; all cells choose alike, one of five operations on each of six edges.

    Args:
        channels: Channels of the first stage.
        cells: Cells of each stage.

    Source: Dong and Yang, "NAS-Bench-201", ICLR 2020, section 2.
    """

    def __init__(
        self,
        num_classes: int,
        input_shape: tuple[int, int, int],
        *,
        channels: PositiveInt = 16,
        cells: PositiveInt = 5,
    ) -> None:
        super().__init__()
        self.edges = [Choices(OPS, f"edge_{source}_{node}") for source, node in EDGES]
        layers: list[nn.Module] = [
            nn.Conv2d(input_shape[0], channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        ]
        for stage in range(3):
            if stage:
                layers.append(_Reduction(channels, 2 * channels))
                channels *= 2
            layers += [_Cell(channels, self.edges) for _ in range(cells)]
        self.features = nn.Sequential(*layers, nn.BatchNorm2d(channels), nn.ReLU())
        self.classifier = nn.Linear(channels, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits ``(N, classes)`` for images ``(N, C, H, W)``."""
        return self.classifier(self.features(images).mean((2, 3)))  # type: ignore[no-any-return]


class _Cell(nn.Module):
    def __init__(self, channels: int, choices: list[Choices]) -> None:
        super().__init__()
        self.edges = nn.ModuleList(MixedOp({op: _make(op, channels) for op in OPS}, c) for c in choices)

    def forward(self, inputs: Tensor) -> Tensor:
        nodes = [inputs]
        edges = iter(self.edges)
        for node in range(1, 4):
            total = next(edges)(nodes[0])
            for source in range(1, node):
                total = total + next(edges)(nodes[source])
            nodes.append(total)
        return nodes[-1]


class _Reduction(nn.Module):
    def __init__(self, channels: int, channels_out: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            *_relu_conv_bn(channels, channels_out, 3, 2), *_relu_conv_bn(channels_out, channels_out, 3)
        )
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(channels, channels_out, 1, bias=False))

    def forward(self, inputs: Tensor) -> Tensor:
        return self.main(inputs) + self.shortcut(inputs)  # type: ignore[no-any-return]


class _Zero(nn.Module):
    def forward(self, inputs: Tensor) -> Tensor:
        return inputs.new_zeros(inputs.shape)


def _make(op: str, channels: int) -> nn.Module:
    match op:
        case "none":
            return _Zero()
        case "skip_connect":
            return nn.Identity()
        case "avg_pool_3x3":
            return nn.AvgPool2d(3, 1, 1, count_include_pad=False)
        case _:
            return nn.Sequential(*_relu_conv_bn(channels, channels, int(op[-1])))


def _relu_conv_bn(channels: int, channels_out: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    conv = nn.Conv2d(channels, channels_out, kernel, stride, kernel // 2, bias=False)
    return [nn.ReLU(), conv, nn.BatchNorm2d(channels_out)]
