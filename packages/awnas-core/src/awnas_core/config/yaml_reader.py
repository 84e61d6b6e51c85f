"""YAML text to plain data, with the line of every key and a note on every value that may surprise."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from awnas_core.config.problems import KeyPath

MAX_DEPTH = 50
MAX_VALUES = 100_000

_TAG = "tag:yaml.org,2002:"
_SEQUENCES = (f"{_TAG}seq", f"{_TAG}python/tuple")
_SCALARS = {f"{_TAG}{name}" for name in ("null", "bool", "int", "float", "str")}
_UNWANTED = {f"{_TAG}timestamp", f"{_TAG}value"}  # read as the text they are


class _Loader(yaml.CSafeLoader):
    """YAML 1.1 without dates, and with ``1e-3`` as the number that everybody means."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - as the base declares it
        first: [(tag, pattern) for tag, pattern in resolvers if tag not in _UNWANTED]
        for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver(
    f"{_TAG}float",
    re.compile(r"^[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)[eE][-+]?[0-9]+$"),
    list("-+.0123456789"),
)


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a value stands.

    Args:
        line: 1-based line of its key, or of the list item.
        note: Why the value may not be what was meant (``no`` is false); empty when there is no surprise.
    """

    line: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something in the text that YAML allows and a config does not."""

    path: KeyPath
    line: int
    message: str


@dataclass(slots=True)
class Reading:
    """What a YAML text holds.

    Args:
        data: Plain data; None for an empty text. Aliases are expanded, nothing is shared.
        marks: Key path → its place.
        flaws: Duplicate keys, refused tags and the like, in the order of the text.
    """

    data: Any = None
    marks: dict[KeyPath, Mark] = field(default_factory=dict)
    flaws: list[Flaw] = field(default_factory=list)


class YamlSyntaxError(Exception):
    """Text that is no YAML at all, or too much of it.

    Args:
        line: 1-based, None where the parser does not know.
        message: What the parser expected.
    """

    def __init__(self, line: int | None, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


def read_yaml(text: str) -> Reading:
    """Read one YAML document.

    Raises: YamlSyntaxError when it cannot be parsed, is nested too deeply, or expands to too many values.
    """
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlSyntaxError(mark.line + 1 if mark else None, _explain(error, text)) from error
    except yaml.YAMLError as error:  # a character that YAML does not allow
        raise YamlSyntaxError(None, str(error).splitlines()[0]) from error
    reading = Reading()
    if node is not None:
        reading.data = _Walk(loader, reading).value(node, ())
    return reading


class _Walk:
    """Turns nodes into data, top down; the parser's own construction knows neither places nor duplicates."""

    def __init__(self, loader: _Loader, reading: Reading) -> None:
        self._loader = loader
        self._reading = reading
        self._values = 0

    def value(self, node: yaml.Node, path: KeyPath) -> Any:
        self._count(node, len(path))
        line = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag in _SEQUENCES:
            return self._sequence(node, path)
        if isinstance(node, yaml.ScalarNode) and node.tag in _SCALARS:
            return self._scalar(node, path)
        name = node.tag.replace(f"{_TAG}", "!!")
        self._flaw(path, line, f"the tag {name} is not read here: a config is plain data; leave the tag out")
        return None

    def _count(self, node: yaml.Node, depth: int) -> None:
        self._values += 1
        line = node.start_mark.line + 1
        if depth > MAX_DEPTH:
            raise YamlSyntaxError(
                line, f"nested more than {MAX_DEPTH} levels deep (is an anchor used inside itself?)"
            )
        if self._values > MAX_VALUES:
            raise YamlSyntaxError(
                line, f"more than {MAX_VALUES} values, aliases counted every time they are used"
            )

    def _sequence(self, node: yaml.SequenceNode, path: KeyPath) -> list[Any]:
        items = []
        for index, item in enumerate(node.value):
            self._mark((*path, index), item, item)
            items.append(self.value(item, (*path, index)))
        return items

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[Any, Any]:
        data: dict[Any, Any] = {}
        own_lines: dict[Any, int] = {}
        for key_node, value_node, is_own in self._pairs(node, path, 0):
            line = key_node.start_mark.line + 1
            if not (isinstance(key_node, yaml.ScalarNode) and key_node.tag in _SCALARS):
                self._flaw(path, line, "a key must be text")
                continue
            key = self._scalar(key_node, path)
            if key in data:
                if is_own:
                    self._flaw(
                        (*path, key),
                        line,
                        f"given twice, first on line {own_lines[key]}; leave one of them out",
                    )
                continue
            own_lines[key] = line
            self._mark((*path, key), key_node, value_node)
            data[key] = self.value(value_node, (*path, key))
        return data

    def _pairs(
        self, node: yaml.MappingNode, path: KeyPath, depth: int
    ) -> Iterator[tuple[yaml.Node, yaml.Node, bool]]:
        """Yield a mapping's own pairs, then those merged by ``<<``, which own keys win over."""
        self._count(node, depth)
        merged: list[yaml.Node] = []
        for key_node, value_node in node.value:
            if key_node.tag == f"{_TAG}merge":
                merged += value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
            else:
                yield key_node, value_node, depth == 0
        for source in merged:
            if isinstance(source, yaml.MappingNode):
                yield from self._pairs(source, path, depth + 1)
            else:
                self._flaw(path, source.start_mark.line + 1, "'<<' merges mappings: write '<<: *anchor'")

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> Any:
        try:
            return self._loader.construct_object(node)
        except (ValueError, LookupError, yaml.YAMLError):  # each comes from some tag that does not fit
            kind = node.tag.replace(f"{_TAG}", "!!")
            self._flaw(path, node.start_mark.line + 1, f"'{node.value}' cannot be read as {kind}")
            return None

    def _mark(self, path: KeyPath, key_node: yaml.Node, value_node: yaml.Node) -> None:
        notes = [_surprise(key_node)] if key_node is not value_node else []
        note = "; ".join(filter(None, [*notes, _surprise(value_node)]))
        self._reading.marks[path] = Mark(key_node.start_mark.line + 1, note)

    def _flaw(self, path: KeyPath, line: int, message: str) -> None:
        self._reading.flaws.append(Flaw(path, line, message))


def _surprise(node: yaml.Node) -> str:
    """Say what YAML 1.1 made of a plain scalar where many expect something else."""
    if (
        not isinstance(node, yaml.ScalarNode) or node.style
    ):  # the C parser says '' for plain, the Python one None
        return ""
    text = str(node.value)
    if node.tag == f"{_TAG}bool" and text.lower() not in ("true", "false"):
        meaning = "true" if text.lower() in ("yes", "on") else "false"
        return f"YAML reads {text} as {meaning}; quote it to mean the text '{text}'"
    if node.tag in (f"{_TAG}int", f"{_TAG}float") and ":" in text:
        return f"YAML reads {text} as a number of base 60; quote it to mean the text '{text}'"
    if node.tag == f"{_TAG}int" and re.fullmatch(r"[-+]?0[0-7_]+", text):
        return f"YAML reads {text} as octal, {int(text.replace('_', ''), 8)}; leave out the leading 0, or quote it"
    if node.tag == f"{_TAG}null" and not text:
        return "nothing is written there, which YAML reads as null"
    return ""


def _explain(error: yaml.MarkedYAMLError, text: str) -> str:
    message = f"not valid YAML: {error.problem or error.context}"
    mark = error.problem_mark or error.context_mark
    lines = text.splitlines()
    line = lines[mark.line] if mark and mark.line < len(lines) else ""
    if "\t" in line:
        return f"{message}; the line has a tab, indent with spaces"
    return f"{message} in '{line.strip()[:60]}'" if line.strip() else message
