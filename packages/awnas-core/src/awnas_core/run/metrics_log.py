"""The append-only ``metrics.jsonl`` of a run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from awnas_core.errors import RunError


class MetricsLog:
    """One JSON object a line; a line is on disk when :meth:`append` returns.

    What was measured in seconds stands under the key ``"time"``, which comparisons leave out.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def offset(self) -> int:
        """Length of the file in bytes; what a checkpoint notes down."""
        return self.path.stat().st_size if self.path.exists() else 0

    def append(self, row: Mapping[str, Any]) -> None:
        """Add one row.

        Raises: RunError when the file cannot be written.
        """
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
        except OSError as error:
            raise RunError(f"cannot write '{self.path}': {error.strerror or error}") from error

    def truncate(self, offset: int) -> None:
        """Cut the file back to ``offset`` bytes: what a killed run wrote after its last checkpoint."""
        if self.path.exists() and self.offset > offset:
            with self.path.open("r+b") as file:
                file.truncate(offset)
