"""The network of NAS-Bench-101 around a cell, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence

from awnas_core.layers import LayerSpec
from awnas_spaces.layer_list import LayerList, Shape
from awnas_spaces.nasbench101_graph import Bools


def network_layers(
    matrix: Bools, operations: Sequence[str], *, channels: int = 128, classes: int = 10, size: int = 32
) -> list[LayerSpec]:
    """Return the layers: stem, three stacks of three cells with a pooling before the second and third, classifier.

    Args:
        matrix: Adjacency of the pruned cell.
        operations: Those of its inner vertices.
        channels: Channels of the first stack; the others have twice and four times as many.
        classes: Outputs of the classifier.
        size: Height and width of an image.

    Source: Ying et al., "NAS-Bench-101", ICML 2019, section 2.
    """
    found = LayerList()
    shape = found.conv_norm("stem", (3, size, size), channels, 3)
    for stack in range(3):
        if stack:
            shape = found.pool(f"reduce_{stack}", shape, 2, stride=2)
            channels *= 2
        for index in range(3):
            shape = _cell(found, f"stack_{stack}.cell_{index}", shape, channels, matrix, operations)
    found.classifier(shape, classes)
    return found.layers


def vertex_channels(matrix: Bools, channels: int) -> list[int]:
    """Return how many channels each inner vertex puts out.

    Those that lead to the output share its channels, the first ones getting what does not divide; any other has as many
    as the widest that it leads to.
    """
    last = len(matrix) - 1
    to_output = [v for v in range(1, last) if matrix[v, last]]
    widths = [0] * last
    for place, v in enumerate(to_output):
        widths[v] = channels // len(to_output) + (place < channels % len(to_output))
    for v in range(last - 1, 0, -1):
        if not matrix[v, last]:
            widths[v] = max(widths[w] for w in range(v + 1, last) if matrix[v, w])
    return widths[1:]


def _cell(
    found: LayerList, name: str, shape: Shape, channels: int, matrix: Bools, operations: Sequence[str]
) -> Shape:
    last = len(matrix) - 1
    _, height, width = shape
    for v, (operation, own) in enumerate(zip(operations, vertex_channels(matrix, channels), strict=True), 1):
        if matrix[0, v]:
            found.conv_norm(f"{name}.projection_{v}", shape, own, 1)
        if operation == "maxpool3x3":
            found.pool(f"{name}.vertex_{v}", (own, height, width), 3)
        else:
            found.conv_norm(f"{name}.vertex_{v}", (own, height, width), own, int(operation[4]))
    if matrix[0, last]:
        found.conv_norm(f"{name}.projection_{last}", shape, channels, 1)
    return channels, height, width
