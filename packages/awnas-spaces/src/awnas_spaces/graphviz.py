"""Drawing a cell with graphviz, where it is installed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from awnas_spaces.genotype import Cell, Connection

SECONDS = 30
"""How long the drawing of one cell may take."""


def dot_text(
    cell: Cell, num_inputs: int, concat_op: str = "concat", weights: Mapping[Connection, float] | None = None
) -> str:
    """Return the cell in the language of graphviz: an edge for each connection, labelled with its operation.

    Connections of the primitive ``none`` are left out. For the arguments see :func:`~awnas_spaces.drawing.draw_cell`.
    """
    lines = [
        f"digraph {_quoted(cell.name)} {{",
        'rankdir=LR; node [shape=box, style="rounded,filled", fillcolor="#f4f1ea", fontname=Helvetica];',
        "edge [fontname=Helvetica, fontsize=11];",
    ]
    lines += [
        f'{node} [label="c_{{k-{num_inputs - node}}}", fillcolor="#cfe3f5"];' for node in range(num_inputs)
    ]
    for op, source, to in cell.connections:
        if op != "none":
            weight = (weights or {}).get((op, source, to))
            label = op if weight is None else f"{op}; {weight:.2f}"
            lines.append(f"{source} -> {to} [label={_quoted(label)}];")
    lines.append(f'out [label={_quoted(f"c_{{k}} = {concat_op}")}, fillcolor="#dcefd8"];')
    lines += [f"{node} -> out [style=dashed];" for node in cell.concat]
    return "\n".join([*lines, "}", ""])


def render(dot: str, path: Path) -> bool:
    """Draw a text of :func:`dot_text` into a PDF file; False, and no file, where graphviz is not installed.

    Raises: subprocess.SubprocessError when graphviz fails.
    """
    program = shutil.which("dot")
    if program is None:
        return False
    subprocess.run(
        [program, "-Tpdf", "-o", str(path)],
        input=dot.encode(),
        check=True,
        capture_output=True,
        timeout=SECONDS,
    )
    return True


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
