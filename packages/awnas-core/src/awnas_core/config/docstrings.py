"""What a docstring says about each argument."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

_ENTRY = re.compile(r"^(\w+)(?: \([^)]*\))?:\s*(.*)$")


def argument_docs(target: Callable[..., Any]) -> dict[str, str]:
    """Return argument → its text in the ``Args:`` section of a class, its constructor and its bases, or of a function.

    What stands nearer to the class wins; each text is one line.
    """
    if not isinstance(target, type):
        return _args_section(target.__doc__)
    docs: dict[str, str] = {}
    for cls in reversed(target.__mro__):
        docs |= _args_section(vars(cls).get("__doc__"))
        docs |= _args_section(getattr(vars(cls).get("__init__"), "__doc__", None))
    return docs


def _args_section(doc: str | None) -> dict[str, str]:
    lines = iter(inspect.cleandoc(doc or "").splitlines())
    if not any(line.strip() == "Args:" for line in lines):
        return {}
    docs: dict[str, str] = {}
    name = ""
    indent = 0
    for line in lines:  # goes on below "Args:"
        if not line.strip():
            continue
        depth = len(line) - len(line.lstrip())
        if depth == 0:
            break
        indent = indent or depth
        if depth == indent and (entry := _ENTRY.match(line.strip())):
            name = entry[1]
            docs[name] = entry[2]
        elif name:
            docs[name] = f"{docs[name]} {line.strip()}".strip()
    return docs
