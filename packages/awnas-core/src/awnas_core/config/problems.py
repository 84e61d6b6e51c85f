"""What is wrong with a config, each with its place, all at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from awnas_core.errors import ConfigError

KeyPath = tuple[object, ...]
"""Keys and list indices from the top of a config down to one value."""


def key_text(path: KeyPath) -> str:
    """Return a key path as people write it: ``controller_cfg.tournament.size``, list items by number."""
    return ".".join(map(str, path))


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a config.

    Args:
        file: The file as the user named it, or the ``--set`` that brought the value.
        line: 1-based; None for a file that cannot be read and for ``--set``.
        key: Dotted key path; empty where the file as a whole is meant.
        message: What was expected, what came, what to do.
    """

    file: str
    line: int | None
    key: str
    message: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return ": ".join(part for part in (place, self.key, self.message) if part)


class ConfigProblems(ConfigError):
    """All problems of a config, one per line, in the order of the file.

    Args:
        problems: At least one; the same mistake found twice is reported once.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems), key=_position))
        super().__init__("\n".join(map(str, self.problems)))


def _position(problem: Problem) -> tuple[bool, str, int, str, str]:
    return (problem.line is None, problem.file, problem.line or 0, problem.key, problem.message)
