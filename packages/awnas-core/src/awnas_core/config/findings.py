"""What pydantic found wrong, told in the words of a config."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from awnas_core.config.problems import KeyPath

_EXPECTED = {
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "path_type": "a path",
    "none_required": "null",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "literal_error": "{expected}",
    "enum": "{expected}",
    "greater_than_equal": "at least {ge:g}",
    "greater_than": "above {gt:g}",
    "less_than_equal": "at most {le:g}",
    "less_than": "below {lt:g}",
    "multiple_of": "a multiple of {multiple_of:g}",
    "too_short": "at least {min_length} items",
    "too_long": "at most {max_length} items",
    "string_too_short": "text of at least {min_length} characters",
    "string_too_long": "text of at most {max_length} characters",
    "string_pattern_mismatch": "text that matches {pattern}",
}
_BOUNDS = {
    "greater_than_equal",
    "greater_than",
    "less_than_equal",
    "less_than",
    "multiple_of",
    "too_short",
    "too_long",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong inside the options of a component.

    Args:
        path: Keys from the component's cfg down to the value.
        kind: An unknown key, a missing one, or a value that does not fit.
        message: What was expected and what came; empty for unknown and missing keys.
    """

    path: KeyPath
    kind: Literal["unknown", "missing", "value"]
    message: str = ""


def findings(errors: Iterable[Mapping[str, Any]], data: Any) -> list[Finding]:
    """Return each mistake once.

    Args:
        errors: Of pydantic; a union gives one for each of its branches.
        data: What was checked. Of an error's location only what exists in it is a key; the rest names branches.
    """
    by_path: dict[KeyPath, list[Mapping[str, Any]]] = {}
    for error in errors:
        by_path.setdefault(_path(error, data), []).append(error)
    deepest = [path for path in by_path if not any(path == other[: len(path)] != other for other in by_path)]
    return [_finding(path, by_path[path]) for path in deepest]


def shown(value: object) -> str:
    """Return a value as a message shows it, with its YAML type where that matters."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f"text '{value}'" if len(value) <= 40 else f"text '{value[:37]}...'"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, Sequence):
        return f"a list of {len(value)}"
    return repr(value)


def _path(error: Mapping[str, Any], data: Any) -> KeyPath:
    path: list[object] = []
    location = list(error["loc"])
    if error["type"] == "missing":
        location, rest = location[:-1], location[-1:]
    else:
        rest = []
    for part in location:
        inside = (isinstance(data, Mapping) and part in data) or (
            isinstance(data, list) and isinstance(part, int) and part < len(data)
        )
        if inside:
            path.append(part)
            data = data[part]
    return (*path, *rest)


def _finding(path: KeyPath, errors: Sequence[Mapping[str, Any]]) -> Finding:
    types = {error["type"] for error in errors}
    if "extra_forbidden" in types:
        return Finding(path, "unknown")
    if "missing" in types:
        return Finding(path, "missing")
    own = [
        str(error["ctx"]["error"]) for error in errors if error["type"] in ("value_error", "assertion_error")
    ]
    if own:
        return Finding(path, "value", "; or ".join(dict.fromkeys(own)))
    if (
        types & _BOUNDS
    ):  # the value is of a type that one branch takes: the other branches' types are beside the point
        errors = [error for error in errors if not error["type"].endswith(("_type", "_required"))]
    wanted = dict.fromkeys(_expectation(error) for error in errors)
    return Finding(path, "value", f"expected {' or '.join(wanted)}, got {shown(errors[0]['input'])}")


def _expectation(error: Mapping[str, Any]) -> str:
    template = _EXPECTED.get(error["type"])
    if template is None:
        return str(error["msg"]).removeprefix("Input should be ")
    return template.format(**error.get("ctx", {}))
