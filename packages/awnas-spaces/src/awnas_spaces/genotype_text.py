"""The grammar of genotype texts of cells, in all spellings that are found in the wild."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple, NoReturn

from awnas_core.errors import GenotypeError
from awnas_spaces.genotype import Connection

MOST_NODES = 1000
"""Longest ``range(…)`` that is believed."""


class CellText(NamedTuple):
    """A cell as a text gives it.

    Args:
        connections: Ordered by destination.
        concat: Nodes of the output; None where the text does not say.
    """

    connections: tuple[Connection, ...]
    concat: tuple[int, ...] | None


def read_cells(text: str, *, num_inputs: int = 2, num_node_inputs: int = 2) -> dict[str, CellText]:
    """Read ``CNNGenotype(normal_0=(('sep_conv_3x3', 0, 2), …), …, normal_0_concat=(2, 3))``, or what is inside.

    Tuples or lists, any white space and line breaks, a trailing comma, and numbers written ``np.int64(3)`` are all
    read. So is ``Genotype(normal=[('sep_conv_3x3', 0), …], normal_concat=range(2, 6), …)`` of the DARTS literature,
    where the destination of a connection follows from its place. A cell that is alone may call its output ``concat``:
    ``Genotype(recurrent=[('tanh', 0), …], concat=range(1, 9))``.

    Args:
        text: The genotype.
        num_inputs: Inputs of a cell, for texts without destinations.
        num_node_inputs: Inputs of an inner node, likewise.

    Returns: The cells by name, in the order of the text.

    Raises: GenotypeError with the position and what was expected there.
    """
    fields = _Parser(text).fields()
    if "concat" in fields and len(fields) == 2:
        (name,) = fields.keys() - {"concat"}
        fields[f"{name}_concat"] = fields.pop("concat")
    cells = {}
    for name, value in fields.items():
        if name.endswith("_concat"):
            if name.removesuffix("_concat") not in fields:
                raise GenotypeError(f"'{name}' belongs to no cell; there are {', '.join(fields)}")
            continue
        connections = _connections(name, value, num_inputs, num_node_inputs)
        cells[name] = CellText(connections, _concat(name, fields.get(f"{name}_concat")))
    if not cells:
        raise GenotypeError("a genotype names at least one cell, as in normal_0=(('sep_conv_3x3', 0, 2), …)")
    return cells


def _connections(name: str, value: object, num_inputs: int, num_node_inputs: int) -> tuple[Connection, ...]:
    if not isinstance(value, tuple) or not value:
        raise GenotypeError(f"{name} must list connections (primitive, from, to), got {value!r}")
    if all(_kinds(item) == [str, int] for item in value):
        value = tuple((*item, num_inputs + i // num_node_inputs) for i, item in enumerate(value))
    for item in value:
        if _kinds(item) != [str, int, int]:
            raise GenotypeError(f"{name}: a connection is (primitive, from, to), got {item!r}")
        if not 0 <= item[1] < item[2]:
            raise GenotypeError(f"{name}: connection {item!r} must lead from a node to a later one")
    return tuple(sorted(value, key=lambda connection: connection[2]))


def _kinds(item: object) -> list[type]:
    return [type(part) for part in item] if isinstance(item, tuple) else []


def _concat(name: str, value: object) -> tuple[int, ...] | None:
    if value is None:
        return None
    nodes = (value,) if isinstance(value, int) else value  # "(5)" is a number
    if not isinstance(nodes, tuple) or not nodes or not all(isinstance(node, int) for node in nodes):
        raise GenotypeError(f"{name}_concat must list node numbers, got {value!r}")
    return nodes


_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+)|(?P<word>[A-Za-z_][\w.]*)|(?P<text>'[^'\\]*'|\"[^\"\\]*\")|(?P<mark>[()\[\],=]))"
)
_NUMBER_TYPES = ("np.int64", "np.int32", "numpy.int64", "numpy.int32", "int64", "int32", "int")


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
        if kind == "word" and value in _NUMBER_TYPES:
            (number,) = self._call(1)
            return number
        if kind == "word" and value == "range":
            return self._range()
        if value in ("(", "["):
            return self._sequence(")" if value == "(" else "]")
        self._fail("expected a number, a quoted name or a list")

    def _range(self) -> tuple[int, ...]:
        start, stop = self._call(2)
        if stop - start > MOST_NODES:
            self._fail(f"a cell has at most {MOST_NODES} nodes; range({start}, {stop}) has more")
        return tuple(range(start, stop))

    def _call(self, count: int) -> list[int]:
        """Read a word, and after it ``count`` numbers in parentheses."""
        self.at += 1
        numbers = []
        for index in range(count):
            self._take_mark("," if index else "(")
            numbers.append(int(self._take("number", "a number")))
        self._take_mark(")")
        return numbers

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
