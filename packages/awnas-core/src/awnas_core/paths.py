"""Where data sets, tables and other files that people fetch lie."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def data_folder(name: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of a data set: ``$AWNAS_DATA/<name>``, else ``$AWNAS_HOME/data/<name>`` (``~/awnas``).

    Nothing is created.
    """
    if root := environ.get("AWNAS_DATA"):
        return Path(root).expanduser() / name
    return Path(environ.get("AWNAS_HOME") or "~/awnas").expanduser() / "data" / name
