"""The text of a cell of NAS-Bench-101, ours and that of the benchmark's ``ModelSpec``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from awnas_core.errors import GenotypeError, did_you_mean

Edge = tuple[int, int]
_CELL = re.compile(r"\s*NasBench101\(([^;()]*);([^;()]*)\)\s*")
_EDGE = re.compile(r"\s*(\d+)\s*-\s*(\d+)\s*")
_SPEC = re.compile(
    r"\s*_?ModelSpec\(\s*(?:matrix\s*=\s*)?(?:np\.array\(\s*)?\[(?P<rows>(?:\s*\[[\d,\s]*\],?)*)\s*\]\s*\)?"
    r"\s*,\s*(?:ops\s*=\s*)?\[(?P<ops>[^\[\]]*)\]\s*(?:;[^;]*(?:;[^;]*)?)?\)\s*"
)


@dataclass(frozen=True, slots=True)
class CellText:
    """What a text says, filled up to the vertices of the space.

    Args:
        operations: Names of the inner vertices' operations, in order.
        edges: (from, to); the input is vertex 0, the output the last.
    """

    operations: tuple[str, ...]
    edges: frozenset[Edge]


def format_cell(operations: Sequence[str], edges: Iterable[Edge]) -> str:
    """Return ``NasBench101(operation, …; 0-1, …)``."""
    return f"NasBench101({', '.join(operations)}; {', '.join(f'{a}-{b}' for a, b in edges)})"


def parse_cell(text: str, known: Sequence[str], vertices: int) -> CellText:
    """Read a text of either form.

    Args:
        text: As :func:`format_cell` writes it, or a ``ModelSpec``, in which an operation ``none`` marks a vertex that
            is not there. The graph may have fewer vertices.
        known: The operations there are.
        vertices: Vertices of the space; those that the text lacks get an operation and no edge.

    Raises: GenotypeError saying what is wrong.
    """
    if match := _CELL.fullmatch(text):
        operations = [part.strip() for part in match[1].split(",") if part.strip()]
        edges = [_edge(part) for part in match[2].split(",") if part.strip()]
    elif match := _SPEC.fullmatch(text):
        operations, edges = _spec(match["rows"], match["ops"])
    else:
        raise GenotypeError(
            f"expected NasBench101(operation, …; 0-1, …) or ModelSpec(matrix, ops), got {text[:80]!r}"
        )
    if len(operations) > vertices - 2:
        raise GenotypeError(f"a cell has at most {vertices - 2} operations, got {len(operations)}")
    absent = {v for v, name in enumerate(operations, 1) if name == "none"}
    for name in operations:
        if name not in (*known, "none"):
            raise GenotypeError(
                f"no operation '{name}'{did_you_mean(name, known)}; there are {', '.join(known)}"
            )
    last = len(operations) + 1
    for a, b in edges:
        if not 0 <= a < b <= last:
            raise GenotypeError(f"edge {a}-{b} must lead from a vertex to a later one of 0 … {last}")
    names = [known[0] if name == "none" else name for name in operations]
    names += [known[0]] * (vertices - 2 - len(names))
    kept = ((a, vertices - 1 if b == last else b) for a, b in edges if not {a, b} & absent)
    return CellText(tuple(names), frozenset(kept))


def _edge(text: str) -> Edge:
    if (match := _EDGE.fullmatch(text)) is None:
        raise GenotypeError(f"an edge reads 0-1, from a vertex to a later one; got {text.strip()!r}")
    return int(match[1]), int(match[2])


def _spec(rows: str, ops: str) -> tuple[list[str], list[Edge]]:
    matrix = [
        [int(number) for number in re.findall(r"\d+", row)] for row in re.findall(r"\[([^\]]*)\]", rows)
    ]
    names = [part.strip().strip("'\"") for part in ops.split(",") if part.strip()]
    if len(names) < 2 or names[0] != "input" or names[-1] != "output":
        raise GenotypeError(
            f"the operations of a ModelSpec begin with 'input' and end with 'output', got {names}"
        )
    if any(len(row) != len(names) for row in matrix) or len(matrix) != len(names):
        raise GenotypeError(f"a ModelSpec of {len(names)} operations needs a matrix as large")
    edges = [(a, b) for a, row in enumerate(matrix) for b, entry in enumerate(row) if entry]
    return names[1:-1], edges
