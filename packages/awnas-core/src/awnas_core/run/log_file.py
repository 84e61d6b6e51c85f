"""The log of a run, beside its other files."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from awnas_core.plugins.hooks import hookimpl

if TYPE_CHECKING:
    from awnas_core.run.run import Run

LOG_FORMAT = "%(asctime)s %(name)s %(levelname)s: %(message)s"


class LogFile:
    """Writes the log lines of awnas into a file of the run directory; a resumed run goes on with it.

    Args:
        name: Of the file.
        command: The command line, for the record.
    """

    def __init__(self, name: str, command: str) -> None:
        self._name = name
        self._command = command
        self._handler: logging.Handler | None = None

    @hookimpl
    def awnas_run_started(self, run: Run) -> None:
        """Open the file; nothing without a run directory."""
        if run.folder is None:
            return
        self._handler = logging.FileHandler(run.folder / self._name, encoding="utf-8")
        self._handler.setFormatter(logging.Formatter(LOG_FORMAT))
        logging.getLogger("awnas").addHandler(self._handler)
        start = f"after epoch {run.epoch}" if run.epoch else "from the beginning"
        self._note(f"{self._command}  (seed {run.streams.seed}, {start})")

    @hookimpl
    def awnas_run_finished(self, status: str) -> None:
        """Close the file."""
        if self._handler is not None:
            self._note(status)
            logging.getLogger("awnas").removeHandler(self._handler)
            self._handler.close()
            self._handler = None

    def _note(self, text: str) -> None:
        """Write a line into the file alone: people at a terminal know."""
        assert self._handler is not None, "the file is open"
        self._handler.emit(logging.makeLogRecord({"name": "awnas.run", "levelname": "INFO", "msg": text}))
