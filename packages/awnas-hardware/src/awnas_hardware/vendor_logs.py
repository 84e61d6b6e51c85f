"""Logs of vendors' profilers, read as times in milliseconds.

- ``trtexec``: its text, old (``GPU latency: 1.2 ms`` for every ten runs) and new (``GPU Compute Time: … median = 1.2
  ms``), the file of ``--exportTimes`` and that of ``--exportProfile``.
- ``dpu``: a table of layers between three lines above and three below, the latency in the fourth column.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from awnas_core.errors import DataError, did_you_mean

_OLD = re.compile(r"GPU latency: ([\d.]+) ms")
_NEW = re.compile(r"GPU Compute Time: .*?median = ([\d.]+) ms")
_DPU_FRAME = 3
DEVIATIONS = 5.0
"""Times further from the median than so many median deviations were disturbed."""


def read_log(path: Path, kind: str) -> float:
    """Return what one network took, in ms.

    Args:
        path: The log.
        kind: Whose it is: ``"trtexec"`` or ``"dpu"``.

    Raises: DataError when the log is empty, holds no times, or the kind is unknown.
    """
    if kind not in READERS:
        hint = did_you_mean(kind, READERS) or f"; there are {', '.join(READERS)}"
        raise DataError(f"no logs of '{kind}' are known{hint}")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read the log '{path}': {error}") from error
    if not text.strip():
        raise DataError(f"the log '{path}' is empty")
    try:
        milliseconds = READERS[kind](text)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"'{path}' is no log of {kind}: {error}") from error
    if not (math.isfinite(milliseconds) and milliseconds > 0):
        raise DataError(f"'{path}' says that the network takes {milliseconds} ms")
    return milliseconds


def typical(times: Iterable[float]) -> float:
    """Return the mean of the times that were not disturbed, at least one.

    Raises: ValueError when there is no time at all.
    """
    given = np.array(list(times), dtype=float)
    if not len(given):
        raise ValueError("no times are in it")
    apart = np.abs(given - np.median(given))
    return float(given[apart <= DEVIATIONS * np.median(apart)].mean())


def _trtexec(text: str) -> float:
    if text.lstrip().startswith(("[{", "[\n", "[ ", "{")):
        return _trtexec_json(json.loads(text))
    if medians := _NEW.findall(text):
        return float(medians[-1])
    return typical(float(time) for time in _OLD.findall(text))


def _trtexec_json(entries: list[dict[str, Any]]) -> float:
    """Return the time of each query, or the sum over the layers of a profile."""
    layers = [float(entry["averageMs"]) for entry in entries if "averageMs" in entry]
    return sum(layers) if layers else typical(float(entry["computeMs"]) for entry in entries)


def _dpu(text: str) -> float:
    lines = text.splitlines()
    layers = [line.split() for line in lines[_DPU_FRAME : len(lines) - _DPU_FRAME]]
    if not layers:
        raise ValueError("no layers are in it")
    return sum(float(columns[3]) for columns in layers)


READERS: dict[str, Callable[[str], float]] = {"trtexec": _trtexec, "dpu": _dpu}
