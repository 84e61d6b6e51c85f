"""Where data sets lie."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def data_root(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of all data sets: ``$AWNAS_DATA``, else ``$AWNAS_HOME/data`` (``~/awnas/data``).

    Nothing is created.
    """
    if root := environ.get("AWNAS_DATA"):
        return Path(root).expanduser()
    return Path(environ.get("AWNAS_HOME") or "~/awnas").expanduser() / "data"


def data_folder(name: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of a data set, one below :func:`data_root`, or ``name`` itself when that is absolute."""
    return data_root(environ) / Path(name).expanduser()
