"""Genotypes of cells: the readable form of an architecture, and the grammar of its text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from awnas_core.errors import GenotypeError

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
    """One cell for each cell group; ``str()`` gives text that :func:`parse_genotype` reads."""

    cells: tuple[Cell, ...]

    def __str__(self) -> str:
        connections = [f"{cell.name}={_text(cell.connections)}" for cell in self.cells]
        concats = [f"{cell.name}_concat={_text(cell.concat)}" for cell in self.cells]
        return f"CNNGenotype({', '.join(connections + concats)})"

    def cell(self, name: str) -> Cell:
        """Return the cell of a group."""
        return next(cell for cell in self.cells if cell.name == name)


def parse_genotype(text: str) -> CellGenotype:
    """Read ``CNNGenotype(normal_0=(('sep_conv_3x3', 0, 2), …), …, normal_0_concat=(2, 3))``, or what is inside.

    Tuples or lists, any white space, a trailing comma, and numbers written ``np.int64(3)`` are all read. Without a
    ``_concat`` field the output is made of all inner nodes.

    Raises: GenotypeError with the position and what was expected there.
    """
    fields = _Parser(text).fields()
    cells = []
    for name, connections in fields.items():
        if name.endswith("_concat"):
            if name.removesuffix("_concat") not in fields:
                raise GenotypeError(f"'{name}' belongs to no cell; there are {', '.join(fields)}")
            continue
        checked = _connections(name, connections)
        inner = tuple(dict.fromkeys(to for _, _, to in checked))
        concat = fields.get(f"{name}_concat", inner)
        cells.append(Cell(name, checked, _concat(name, concat)))
    if not cells:
        raise GenotypeError("a genotype names at least one cell, as in normal_0=(('sep_conv_3x3', 0, 2), …)")
    return CellGenotype(tuple(cells))


def _connections(name: str, value: object) -> tuple[Connection, ...]:
    if not isinstance(value, tuple) or not value:
        raise GenotypeError(f"{name} must list connections (primitive, from, to), got {value!r}")
    for item in value:
        kinds = [type(part) for part in item] if isinstance(item, tuple) else None
        if kinds != [str, int, int]:
            raise GenotypeError(f"{name}: a connection is (primitive, from, to), got {item!r}")
        if not 0 <= item[1] < item[2]:
            raise GenotypeError(f"{name}: connection {item!r} must lead from a node to a later one")
    return tuple(sorted(value, key=lambda connection: connection[2]))


def _concat(name: str, value: object) -> tuple[int, ...]:
    if not isinstance(value, tuple) or not value or not all(type(node) is int for node in value):
        raise GenotypeError(f"{name}_concat must list node numbers, got {value!r}")
    return value


_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+)|(?P<word>[A-Za-z_][\w.]*)|(?P<text>'[^'\\]*'|\"[^\"\\]*\")|(?P<mark>[()\[\],=]))"
)


class _Parser:
    """Recursive descent over: fields = name "=" value {"," name "=" value}; value = number | text | sequence."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(self._tokens())
        self.at = 0

    def fields(self) -> dict[str, object]:
        wrapped = self._kind(0) == "word" and self._value(1) == "("
        if wrapped:
            self.at = 2
        end = ")" if wrapped else ""
        fields: dict[str, object] = {}
        while self._value() != end:
            name = self._take("word", "the name of a cell")
            self._take_mark("=")
            if name in fields:
                self._fail(f"'{name}' is given twice")
            fields[name] = self._item()
            if self._value() != ",":
                break
            self.at += 1
        if wrapped:
            self._take_mark(")")
        if self.at < len(self.tokens):
            self._fail("expected the end of the genotype")
        return fields

    def _item(self) -> object:
        kind, value = self._kind(), self._value()
        if kind == "number":
            self.at += 1
            return int(value)
        if kind == "text":
            self.at += 1
            return value[1:-1]
        if kind == "word" and value in ("np.int64", "np.int32", "numpy.int64"):
            self.at += 1
            self._take_mark("(")
            number = int(self._take("number", "a number"))
            self._take_mark(")")
            return number
        if value in ("(", "["):
            return self._sequence(")" if value == "(" else "]")
        self._fail("expected a number, a quoted name or a list")

    def _sequence(self, end: str) -> object:
        self.at += 1
        items = []
        comma = False
        while self._value() != end:
            items.append(self._item())
            comma = self._value() == ","
            if not comma:
                break
            self.at += 1
        self._take_mark(end)
        if end == ")" and len(items) == 1 and not comma:
            return items[0]  # parentheses around one thing are no tuple
        return tuple(items)

    def _tokens(self) -> Iterator[tuple[str, str, int]]:
        position, end = 0, len(self.text.rstrip())
        while position < end:
            match = _TOKEN.match(self.text, position)
            if match is None:
                raise GenotypeError(
                    f"cannot read the genotype at position {position}: {self.text[position : position + 20]!r}"
                )
            kind = match.lastgroup or ""
            yield kind, match[kind], match.start(kind)
            position = match.end()

    def _kind(self, ahead: int = 0) -> str:
        index = self.at + ahead
        return self.tokens[index][0] if index < len(self.tokens) else ""

    def _value(self, ahead: int = 0) -> str:
        index = self.at + ahead
        return self.tokens[index][1] if index < len(self.tokens) else ""

    def _take(self, kind: str, what: str) -> str:
        if self._kind() != kind:
            self._fail(f"expected {what}")
        self.at += 1
        return self.tokens[self.at - 1][1]

    def _take_mark(self, mark: str) -> None:
        if self._value() != mark:
            self._fail(f"expected '{mark}'")
        self.at += 1

    def _fail(self, message: str) -> NoReturn:
        if self.at < len(self.tokens):
            position = self.tokens[self.at][2]
            raise GenotypeError(
                f"genotype, position {position}: {message}, got {self.text[position : position + 20]!r}"
            )
        raise GenotypeError(f"genotype ends too early: {message}")


def _text(value: object) -> str:
    """Return plain Python literals; numbers of numpy would print differently."""
    if isinstance(value, tuple):
        inside = ", ".join(_text(item) for item in value)
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    return repr(value) if isinstance(value, str) else str(value)
