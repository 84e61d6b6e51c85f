"""The network of NAS-Bench-201 around a cell, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence

from awnas_core.layers import LayerSpec
from awnas_spaces.layer_list import LayerList, Shape

Connection = tuple[str, int, int]
"""(operation, from-node, to-node)."""


def network_layers(
    cell: Sequence[Connection], *, channels: int = 16, cells: int = 5, classes: int = 10, size: int = 32
) -> list[LayerSpec]:
    """Return the layers: stem, three stages of cells with a residual block before the second and third, classifier.

    Args:
        cell: The connections of the cell.
        channels: Channels of the first stage; the others have twice and four times as many.
        cells: Cells of a stage.
        classes: Outputs of the classifier.
        size: Height and width of an image.

    Source: Dong and Yang, "NAS-Bench-201", ICLR 2020, section 2.1.
    """
    found = LayerList()
    shape = found.conv_norm("stem", (3, size, size), channels, 3)
    for stage in range(3):
        if stage:
            shape = _residual(found, f"reduce_{stage}", shape)
        for index in range(cells):
            _cell(found, f"stage_{stage}.cell_{index}", shape, cell)
    shape = found.norm("last", shape)
    found.classifier(shape, classes)
    return found.layers


def _cell(found: LayerList, name: str, shape: Shape, cell: Sequence[Connection]) -> None:
    for operation, source, to in cell:
        place = f"{name}.edge_{source}_{to}"
        if operation.startswith("nor_conv"):
            found.conv_norm(place, shape, shape[0], int(operation[-1]))
        elif operation == "avg_pool_3x3":
            found.pool(place, shape, 3)


def _residual(found: LayerList, name: str, shape: Shape) -> Shape:
    channels = 2 * shape[0]
    out = found.conv_norm(f"{name}.conv_a", shape, channels, 3, stride=2)
    found.conv_norm(f"{name}.conv_b", out, channels, 3)
    halved = found.pool(f"{name}.shortcut.pool", shape, 2, stride=2)
    return found.conv(f"{name}.shortcut.conv", halved, channels, 1)
