"""A config as the user wrote it: its data, and where each value stands."""

from __future__ import annotations

import copy
import importlib.resources
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from awnas_core.config.problems import ConfigProblems, KeyPath, Problem, key_text
from awnas_core.config.yaml_reader import Mark, YamlSyntaxError, read_yaml
from awnas_core.errors import ConfigError
from awnas_core.plugins.spec import PresetSpec


@dataclass(frozen=True, slots=True)
class ConfigSource:
    """The content of one config file, overrides applied.

    Args:
        data: The top-level mapping, plain data.
        path: The file as the user named it.
        text: The file's text, without overrides.
        marks: Key path → line and what is surprising about the value.
        overridden: Key path → the ``--set`` it came from.
        problems: What is wrong already with the text (a key given twice); reported together with all else.
    """

    data: Mapping[Any, Any]
    path: str
    text: str
    marks: Mapping[KeyPath, Mark] = field(default_factory=dict)
    overridden: Mapping[KeyPath, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def problem(self, path: KeyPath, message: str) -> Problem:
        """Return a problem at a key path, at the line of the nearest key above it that stands in the file.

        For options of a component that has none, that is the line which names the component.
        """
        above = [path[:length] for length in range(len(path), 0, -1)]
        for place in above:
            if (override := self.overridden.get(place)) is not None:
                return Problem(f"--set {override}", None, key_text(path), message)
        lines = (
            self.marks[near].line
            for place in above
            for near in (place, _type_beside(place))
            if near in self.marks
        )
        return Problem(self.path, next(lines, 1), key_text(path), message)

    def note(self, path: KeyPath) -> str:
        """Return why the value at a key path may not be what was meant; often empty."""
        mark = self.marks.get(path)
        return mark.note if mark else ""


@dataclass(frozen=True, slots=True)
class Place:
    """One spot of a config: what is checked there knows how to name it."""

    source: ConfigSource
    path: KeyPath = ()

    def at(self, *keys: object) -> Place:
        """Return the spot of a key (or of a key's key) inside this one."""
        return Place(self.source, (*self.path, *keys))

    def problem(self, message: str) -> Problem:
        """Return a problem here."""
        return self.source.problem(self.path, message)

    def wrong_value(self, message: str) -> Problem:
        """Return a problem with the value here, with a note when YAML reads it in a way that surprises."""
        note = self.source.note(self.path)
        return self.problem(f"{message} ({note})" if note else message)


def read_source(path: str | Path, label: str | None = None) -> ConfigSource:
    """Read a config file.

    Args:
        path: A YAML file.
        label: What messages call it; the path by default.

    Raises: ConfigProblems when it is missing, unreadable, not YAML, or not a mapping.
    """
    name = label or str(path)
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigProblems([Problem(name, None, "", "no such file")]) from None
    except IsADirectoryError:
        raise ConfigProblems([Problem(name, None, "", "this is a folder; a config is a YAML file")]) from None
    except UnicodeDecodeError as error:
        raise ConfigProblems([Problem(name, None, "", f"not UTF-8 text (byte {error.start})")]) from error
    except OSError as error:
        raise ConfigProblems([Problem(name, None, "", f"cannot be read: {error.strerror}")]) from error
    return parse_source(text, name)


def preset_source(preset: PresetSpec) -> ConfigSource:
    """Read a preset out of the package that ships it."""
    package, _, relative = preset.path.partition(":")
    with importlib.resources.as_file(importlib.resources.files(package) / relative) as file:
        return read_source(file, f"preset {preset.name}")


def parse_source(text: str, path: str = "config") -> ConfigSource:
    """Read the text of a config.

    Raises: ConfigProblems when it is not YAML, empty, or not a mapping.
    """
    try:
        reading = read_yaml(text)
    except YamlSyntaxError as error:
        raise ConfigProblems([Problem(path, error.line, "", error.message)]) from error
    if not isinstance(reading.data, dict):
        found = "it is empty" if reading.data is None else f"found {type(reading.data).__name__} at the top"
        message = f"a config is a mapping such as 'rollout_type: discrete'; {found}"
        raise ConfigProblems([Problem(path, 1, "", message)])
    problems = tuple(Problem(path, flaw.line, key_text(flaw.path), flaw.message) for flaw in reading.flaws)
    return ConfigSource(reading.data, path, text, reading.marks, {}, problems)


def apply_overrides(source: ConfigSource, overrides: Iterable[str]) -> ConfigSource:
    """Return a copy of ``source`` in which values are replaced.

    Args:
        source: The config.
        overrides: Texts such as ``trainer_cfg.epochs=3``; the value is YAML, a list's items go by number,
            missing mappings are made.

    Raises: ConfigProblems for texts that do not fit the config.
    """
    problems = []
    for override in overrides:
        try:
            source = _override(source, override)
        except ConfigError as error:
            problems.append(Problem(f"--set {override}", None, "", str(error)))
    if problems:
        raise ConfigProblems(problems)
    return source


def _type_beside(path: KeyPath) -> KeyPath:
    return (*path[:-1], f"{str(path[-1]).removesuffix('_cfg')}_type")


def _override(source: ConfigSource, override: str) -> ConfigSource:
    name, equals, text = override.partition("=")
    if not equals or not all(name.strip().split(".")):
        raise ConfigError("write KEY=VALUE, for example trainer_cfg.epochs=3")
    try:
        reading = read_yaml(text)
    except YamlSyntaxError as error:
        raise ConfigError(f"the value is {error.message}") from error
    if reading.flaws:
        raise ConfigError(reading.flaws[0].message)
    data = copy.deepcopy(dict(source.data))
    path = _replace(data, name.strip().split("."), reading.data)
    kept = {place: mark for place, mark in source.marks.items() if place[: len(path)] != path}
    notes = {(*path, *place): mark for place, mark in reading.marks.items()}
    return replace(
        source,
        data=data,
        marks={**kept, **notes},
        overridden=_forget(source, path) | {path: override.strip()},
    )


def _forget(source: ConfigSource, path: KeyPath) -> dict[KeyPath, str]:
    return {place: text for place, text in source.overridden.items() if place[: len(path)] != path}


def _replace(data: dict[Any, Any], names: list[str], value: Any) -> KeyPath:
    """Put ``value`` into nested ``data`` and return its key path."""
    path: list[object] = []
    parent: Any = data
    for depth, name in enumerate(names):
        key = _key_in(parent, name, names[:depth])
        path.append(key)
        if depth == len(names) - 1:
            parent[key] = value
        elif isinstance(parent, dict) and parent.get(key) is None:
            parent[key] = {}
        parent = parent[key]
    return tuple(path)


def _key_in(parent: Any, name: str, above: list[str]) -> str | int:
    if isinstance(parent, dict):
        return name
    place = ".".join(above)
    if not isinstance(parent, list):
        raise ConfigError(f"{place} is {parent!r}, which has no '{name}' inside; set {place} as a whole")
    if not name.isdigit() or int(name) >= len(parent):
        raise ConfigError(
            f"{place} is a list: choose an item by its number, 0 to {len(parent) - 1}, got '{name}'"
        )
    return int(name)
