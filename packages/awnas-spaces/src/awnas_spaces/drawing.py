"""Drawing a cell as SVG, without any program to be installed.

Every node has a lane that runs to the right from where the node is made. The operations of a node stand in a column of
its own, each below the lane it reads, and a line gathers them down to the node. So nothing lies upon anything else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from itertools import accumulate

from awnas_spaces.genotype import Cell, Connection

MARGIN, TITLE = 20.0, 34.0
LANE, BOX, GAP = 36.0, 24.0, 6.0
"""Height of a lane without operations; height of an operation's box; what is left free below it."""
RADIUS, INPUT, OUTPUT = 13.0, 27.0, 96.0
"""Half the size of a node; half the width of an input; width of the output."""
TAP, PAD = 12.0, 18.0
"""From a lane's branch to the box; from the box to the line that gathers, and between columns."""
LETTER = 6.8
"""Width of a letter at the size of labels, generously."""
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#7a5195", "#5b5b5b")
"""Of the lanes, in turn; most are Okabe and Ito's, which colour-blind people can tell apart."""
DARK = "#444"
FILLS = {"conv": "#dceaf7", "pool": "#e2f2dc", "skip": "#efefef"}
"""Of operations whose name has this in it."""


@dataclass(frozen=True, slots=True)
class _Box:
    """An operation: the node it reads, how many boxes of its column stand above it on that lane, what it says."""

    source: int
    index: int
    label: str


@dataclass(frozen=True, slots=True)
class _Column:
    """The operations of an inner node, at ``left``, in boxes of a common width; the node itself is below ``gather``."""

    boxes: tuple[_Box, ...]
    left: float

    @property
    def width(self) -> float:
        return LETTER * max((len(box.label) for box in self.boxes), default=0) + 14

    @property
    def gather(self) -> float:
        return self.left + TAP + self.width + PAD

    @property
    def right(self) -> float:
        return self.gather + RADIUS + PAD


def draw_cell(
    cell: Cell, num_inputs: int, concat_op: str = "concat", weights: Mapping[Connection, float] | None = None
) -> str:
    """Return an SVG picture: inputs at the left, the output at the right, each operation in a box.

    Connections of the primitive ``none`` are left out.

    Args:
        cell: What is drawn.
        num_inputs: Inputs of the cell.
        concat_op: How the output is made of nodes.
        weights: Numbers to write beside operations, for connections that have one.
    """
    columns = _columns(cell, num_inputs, weights or {})
    places = [MARGIN + INPUT] * num_inputs + [column.gather for column in columns.values()]
    lanes = _lanes(len(places), columns)
    right = columns[len(places) - 1].right
    parts = [
        _lane(node, places[node], lanes[node], columns, right, node in cell.concat)
        for node in range(len(places))
    ]
    parts += [_operations(column, lanes, lanes[node]) for node, column in columns.items()]
    for node, (x, y) in enumerate(zip(places, lanes, strict=False)):
        is_input = node < num_inputs
        label = f"c_{{k-{num_inputs - node}}}" if is_input else str(node)
        parts.append(_node(x, y, INPUT if is_input else RADIUS, label, _colour(node)))
    parts.append(_output(right, [lanes[node] for node in cell.concat], concat_op))
    width, height = right + OUTPUT + MARGIN, lanes[-1]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="Helvetica, Arial, sans-serif" font-size="11">'
        f'<rect width="100%" height="100%" fill="white"/>{_arrowhead()}'
        f'<text x="{MARGIN}" y="{MARGIN + 6}" font-size="14" font-weight="bold">{escape(cell.name)}</text>'
        f"{''.join(parts)}</svg>\n"
    )


def _columns(cell: Cell, num_inputs: int, weights: Mapping[Connection, float]) -> dict[int, _Column]:
    """Return the column of each inner node, from left to right."""
    columns: dict[int, _Column] = {}
    left = MARGIN + 2 * INPUT + PAD
    for node in range(num_inputs, 1 + max(to for _, _, to in cell.connections)):
        above: Counter[int] = Counter()
        boxes = []
        for connection in cell.connections:
            op, source, to = connection
            if to == node and op != "none":
                label = f"{op}; {weights[connection]:.2f}" if connection in weights else op
                boxes.append(_Box(source, above[source], label))
                above[source] += 1
        columns[node] = _Column(tuple(boxes), left)
        left = columns[node].right
    return columns


def _lanes(num_nodes: int, columns: Mapping[int, _Column]) -> list[float]:
    """Return how far down each node's lane is, and where the picture ends."""
    stacked = [0] * num_nodes
    for column in columns.values():
        for box in column.boxes:
            stacked[box.source] = max(stacked[box.source], box.index + 1)
    return list(accumulate((LANE + boxes * (BOX + GAP) for boxes in stacked), initial=MARGIN + TITLE))


def _lane(
    node: int, start: float, y: float, columns: Mapping[int, _Column], right: float, is_output: bool
) -> str:
    """Return the lane of a node: to the last column that reads it, or to the output."""
    taps = [column.left for column in columns.values() if any(box.source == node for box in column.boxes)]
    end = right if is_output else max(taps, default=start + RADIUS + PAD)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y}" r="3.2" fill="{_colour(node)}"/>' for x in taps)
    return _path(f"M{start:.1f},{y} H{end:.1f}", _colour(node), arrow=is_output) + dots


def _operations(column: _Column, lanes: list[float], node_y: float) -> str:
    """Return the boxes of a node's operations, and the lines to and from them."""
    parts, middles = [], []
    for box in column.boxes:
        lane, colour = lanes[box.source], _colour(box.source)
        middle = lane + LANE / 2 - GAP + box.index * (BOX + GAP) + BOX / 2
        middles.append(middle)
        x = column.left + TAP
        parts.append(_path(f"M{column.left:.1f},{lane} V{middle} H{x:.1f}", colour))
        parts.append(_path(f"M{x + column.width:.1f},{middle} H{column.gather:.1f}", DARK))
        parts.append(
            f'<rect x="{x:.1f}" y="{middle - BOX / 2}" width="{column.width:.1f}" height="{BOX}" rx="4" '
            f'fill="{_fill(box.label)}" stroke="#666"/>{_text(x + column.width / 2, middle, box.label)}'
        )
    if not middles:
        return ""
    line = f"M{column.gather:.1f},{min(middles)} V{node_y - RADIUS}"
    bridge = f'<path d="{line}" stroke="white" stroke-width="7"/>'  # it passes over the lanes it crosses
    return bridge + "".join(parts) + _path(line, DARK, arrow=True)


def _node(x: float, y: float, half: float, label: str, colour: str) -> str:
    return (
        f'<rect x="{x - half:.1f}" y="{y - RADIUS}" width="{2 * half}" height="{2 * RADIUS}" rx="{RADIUS}" '
        f'fill="white" stroke="{colour}" stroke-width="2"/>{_text(x, y, label)}'
    )


def _output(x: float, lanes: list[float], concat_op: str) -> str:
    top, bottom = min(lanes) - RADIUS, max(lanes) + RADIUS
    label = f"c_{{k}} = {concat_op}"
    return (
        f'<rect x="{x:.1f}" y="{top}" width="{OUTPUT}" height="{bottom - top}" rx="6" fill="#f3f0fa" '
        f'stroke="#666"/>{_text(x + OUTPUT / 2, (top + bottom) / 2, label)}'
    )


def _text(x: float, y: float, label: str) -> str:
    return f'<text x="{x:.1f}" y="{y + 4}" text-anchor="middle">{escape(label)}</text>'


def _colour(node: int) -> str:
    return COLOURS[node % len(COLOURS)]


def _fill(label: str) -> str:
    return next((fill for part, fill in FILLS.items() if part in label), "#f9efdc")


def _path(d: str, colour: str, *, arrow: bool = False) -> str:
    head = ' marker-end="url(#arrow)"' if arrow else ""
    return f'<path d="{d}" fill="none" stroke="{colour}" stroke-width="1.8"{head}/>'


def _arrowhead() -> str:
    return (
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="5" markerHeight="5" orient="auto">'
        f'<path d="M0,0 L8,4 L0,8 z" fill="{DARK}"/></marker></defs>'
    )
