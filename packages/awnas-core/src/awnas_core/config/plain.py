"""Option values as plain data: what YAML and JSON can hold."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Set as AbstractSet
from enum import Enum
from pathlib import Path
from typing import Any


def plain(value: Any) -> Any:
    """Return ``value`` with tuples as lists, dataclasses as mappings, paths as text, enum members as their values.

    Raises: TypeError for anything that has no plain form.
    """
    if isinstance(value, Enum):
        return plain(value.value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Path):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value) if field.init
        }
    if isinstance(value, Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, AbstractSet):
        return sorted(map(plain, value))
    raise TypeError(f"{type(value).__name__} has no plain form")
