"""What became of each key of a config: taken as it is, or changed by the translation of options of an older layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from awnas_core.config.problems import KeyPath, key_text

DROPPED = ("dropped, because ", "is dropped: ")
"""How a note goes on after the key of an option that is there no more."""


@dataclass(frozen=True, slots=True)
class KeyFate:
    """What became of one key.

    Args:
        path: Keys from the top of the config down to this one.
        fate: ``"used"`` under its own name, ``"renamed"`` when other options say the same, or ``"dropped"``.
        about: Why, or what was changed; empty where there is nothing to tell.
    """

    path: KeyPath
    fate: Literal["used", "renamed", "dropped"]
    about: str = ""

    @property
    def key(self) -> str:
        """The key path as people write it, dotted."""
        return key_text(self.path)


def fates_of(
    path: KeyPath, given: Mapping[Any, Any], taken: Mapping[Any, Any], notes: Sequence[str]
) -> Iterator[KeyFate]:
    """Yield the fate of each option of one component.

    What is told of the parts of an option that are called ``<option>.<part>`` are fates of their own where the option
    is the cfg of something that is no component any more.

    Args:
        path: Of the component's cfg.
        given: The options as written.
        taken: The options as the component gets them.
        notes: What its plugin tells of the difference, each beginning with a key.
    """
    for key, value in given.items():
        about = [_rest(note, str(key)) for note in notes if _is_about(note, str(key))]
        fate: Literal["used", "renamed", "dropped"] = "used"
        if key not in taken:
            fate = "dropped" if any(text.startswith(DROPPED) for text in about) else "renamed"
        yield KeyFate((*path, key), fate, "; ".join(_reason(text) for text in about))
        if isinstance(value, Mapping) and str(key).endswith("_cfg") and key not in taken:
            inner = [note.removeprefix(f"{key}.") for note in notes if note.startswith(f"{key}.")]
            told = {part: value[part] for part in value if any(_is_about(note, str(part)) for note in inner)}
            yield from fates_of((*path, key), told, {}, inner)


def old_names(notes: Sequence[str]) -> dict[str, str]:
    """Return new name → old name of the options that notes tell of as renamed."""
    told = (note.partition(": now called ") for note in notes)
    return {new: old for old, called, new in told if called and new.isidentifier()}


def in_order(
    config: Mapping[Any, Any], of_options: Sequence[KeyFate], unread: Mapping[str, str]
) -> Iterator[KeyFate]:
    """Yield the fates of all keys that are written in a config, each option after its component.

    Args:
        config: The config as written.
        of_options: Fates of options; those of nested components that the config leaves to defaults are left out.
        unread: Key at the top whose component is not built → why.
    """
    for top in config:
        below = [fate for fate in of_options if fate.path[0] == top and _is_written(fate.path, config)]
        if top in unread:
            yield from (
                KeyFate(path, "dropped", unread[top]) for path in ((top,), *(fate.path for fate in below))
            )
        else:
            yield KeyFate((top,), "used")
            yield from below


def _is_written(path: KeyPath, config: Any) -> bool:
    for key in path:
        if not (key in config if isinstance(config, Mapping) else isinstance(config, list)):
            return False
        config = config[key]
    return True


def _is_about(note: str, key: str) -> bool:
    return note.startswith((f"{key}:", f"{key} ", f"{key}.", f"{key}["))


def _rest(note: str, key: str) -> str:
    """Return a note without the key that it begins with, unless it is of a part of its value."""
    rest = note.removeprefix(key)
    return rest.removeprefix(":").strip() if rest.startswith((":", " ")) else note


def _reason(text: str) -> str:
    for opening in DROPPED:
        text = text.removeprefix(opening)
    return text
