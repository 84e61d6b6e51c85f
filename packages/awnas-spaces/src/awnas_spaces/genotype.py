"""Genotypes of cells: the readable form of an architecture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

Connection = tuple[str, int, int]
"""(primitive, from node, to node)."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its connections, ordered by destination, and the nodes that make up its output.

    Nodes are numbered from the inputs of the cell on. A cell group is called ``normal_<i>`` or ``reduce_<i>``.
    """

    name: str
    connections: tuple[Connection, ...]
    concat: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CellGenotype:
    """One cell for each cell group; ``str()`` gives text that :func:`~awnas_spaces.genotype_text.read_cells` reads."""

    cells: tuple[Cell, ...]
    title: ClassVar[str] = "CNNGenotype"

    def __str__(self) -> str:
        connections = [f"{cell.name}={_text(cell.connections)}" for cell in self.cells]
        concats = [f"{cell.name}_concat={_text(cell.concat)}" for cell in self.cells]
        return f"{self.title}({', '.join(connections + concats)})"

    def cell(self, name: str) -> Cell:
        """Return the cell of a group."""
        return next(cell for cell in self.cells if cell.name == name)

    def darts_text(self) -> str:
        """Return ``Genotype(normal=[(op, from), …], normal_concat=[…], reduce=…)``, as the DARTS literature writes it.

        The number of a group is left out of its name, and destinations follow from the order.
        """
        fields = []
        for cell in self.cells:
            name = cell.name.rsplit("_", 1)[0]
            fields.append(f"{name}={[(op, source) for op, source, _ in cell.connections]}")
            fields.append(f"{name}_concat={list(cell.concat)}")
        return f"Genotype({', '.join(fields)})"


def _text(value: object) -> str:
    """Return plain Python literals; numbers of numpy would print differently."""
    if isinstance(value, tuple):
        inside = ", ".join(_text(item) for item in value)
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    return repr(value) if isinstance(value, str) else str(value)
