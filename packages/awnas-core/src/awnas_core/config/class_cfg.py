"""Options of a class that its owner builds: ``{"type": name, **options}``, such as an optimizer."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from awnas_core.errors import did_you_mean


def complaints(cls: type, cfg: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the options of ``cls`` as (key, what is wrong); its first argument is the owner's.

    Whether values will do, only the class itself can say.
    """
    _owned, *rest = inspect.signature(cls).parameters.values()
    names = [parameter.name for parameter in rest]
    for key in cfg:
        if key != "type" and key not in names:
            hint = did_you_mean(str(key), names) or f"; it takes {', '.join(names) or 'none'}"
            yield key, f"no such option of {cls.__name__}{hint}"
    for parameter in rest:
        if parameter.default is parameter.empty and parameter.name not in cfg:
            yield parameter.name, f"required by {cls.__name__}, but missing"
