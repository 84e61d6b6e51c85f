"""Drawing a cell as SVG, without any program to be installed."""

from __future__ import annotations

from html import escape

from awnas_spaces.genotype import Cell

COLUMN, ROW, BOX_W, BOX_H, MARGIN = 170, 62, 64, 30, 24
FONT = 'font-family="Helvetica, Arial, sans-serif"'
FILL = {"input": "#cfe3f5", "inner": "#f4f1ea", "output": "#dcefd8"}


def draw_cell(cell: Cell, num_inputs: int, concat_op: str = "concat") -> str:
    """Return an SVG picture: inputs at the left, the output at the right, one labelled line for each connection.

    Connections of the primitive ``none`` are left out.
    """
    connections = [connection for connection in cell.connections if connection[0] != "none"]
    inner = sorted({to for _, _, to in cell.connections})
    columns = _columns(num_inputs, inner, connections)
    places = _places(columns)
    last = max(columns.values()) + 1
    height = max(y for _, y in places.values()) + ROW + MARGIN
    out = (MARGIN + last * COLUMN, (height - ROW) / 2 + MARGIN)
    parts = [_arrowhead()]
    by_pair: dict[tuple[int, int], list[str]] = {}
    for op, source, to in connections:
        by_pair.setdefault((source, to), []).append(op)
    parts += [_line(places[source], places[to], " + ".join(ops)) for (source, to), ops in by_pair.items()]
    parts += [_line(places[node], out, "", dashed=True) for node in cell.concat]
    parts += [
        _box(places[node], _name(node, num_inputs), "input" if node < num_inputs else "inner")
        for node in places
    ]
    parts.append(_box(out, f"c_{{k}} {concat_op}", "output"))
    width = out[0] + BOX_W + 2 * MARGIN + 40
    title = f'<text x="{MARGIN}" y="18" {FONT} font-size="14" font-weight="bold">{escape(cell.name)}</text>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}"><rect width="100%" height="100%" fill="white"/>'
        f"{title}{''.join(parts)}</svg>\n"
    )


def _columns(num_inputs: int, inner: list[int], connections: list[tuple[str, int, int]]) -> dict[int, int]:
    """Return the column of each node: one to the right of the last node it depends on."""
    columns = dict.fromkeys(range(num_inputs), 0)
    for node in inner:
        columns[node] = 1 + max((columns[source] for _, source, to in connections if to == node), default=0)
    return columns


def _places(columns: dict[int, int]) -> dict[int, tuple[float, float]]:
    """Return (left, middle) of each node's box; every node has a row of its own, so that no line runs through a box."""
    return {
        node: (MARGIN + column * COLUMN, MARGIN + 30 + row * ROW)
        for row, (node, column) in enumerate(columns.items())
    }


def _name(node: int, num_inputs: int) -> str:
    return f"c_{{k-{num_inputs - node}}}" if node < num_inputs else str(node)


def _box(place: tuple[float, float], label: str, kind: str) -> str:
    x, y = place
    width = max(BOX_W, 8 * len(label) + 12)
    return (
        f'<rect x="{x}" y="{y - BOX_H / 2}" width="{width}" height="{BOX_H}" rx="6" fill="{FILL[kind]}" stroke="#555"/>'
        f'<text x="{x + width / 2}" y="{y + 5}" text-anchor="middle" {FONT} font-size="13">{escape(label)}</text>'
    )


def _line(start: tuple[float, float], end: tuple[float, float], label: str, *, dashed: bool = False) -> str:
    x0, y0, x1, y1 = start[0] + BOX_W, start[1], end[0] - 4, end[1]
    middle = (x0 + x1) / 2
    dash = ' stroke-dasharray="4 4"' if dashed else ""
    path = (
        f'<path d="M{x0},{y0} C{middle},{y0} {middle},{y1} {x1},{y1}" fill="none" stroke="#777"{dash} '
        'marker-end="url(#arrow)"/>'
    )
    if not label:
        return path
    x, y = x1 - 8, y1 - 6 + _lift(y0, y1)
    return path + (
        f'<text x="{x}" y="{y}" text-anchor="end" {FONT} font-size="11" stroke="white" stroke-width="3" '
        f'paint-order="stroke">{escape(label)}</text>'
    )


def _lift(y0: float, y1: float) -> float:
    """Labels of lines from further above stand higher, so that those into one node do not overlap."""
    return -min(14.0, max(0.0, (y1 - y0) / ROW - 1) * 13)


def _arrowhead() -> str:
    return (
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0,0 L8,4 L0,8 z" fill="#777"/></marker></defs>'
    )
