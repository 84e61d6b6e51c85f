"""Progress for people: a bar on a terminal, one line for each epoch anywhere."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

from awnas_core.plugins.hooks import hookimpl
from awnas_core.run.checkpoint import CheckpointStore

if TYPE_CHECKING:
    from awnas_core.run.run import Run

SHOWN = 3
logger = logging.getLogger("awnas.progress")


class Progress:
    """Shows where a run is; without a terminal it keeps to one log line an epoch."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None

    @hookimpl
    def awnas_epoch_started(self, run: Run, epoch: int) -> None:
        """Start a bar for the epoch."""
        if not sys.stderr.isatty():
            return
        from rich.console import Console
        from rich.progress import Progress as Bar

        self._bar = Bar(console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task(f"epoch {epoch}", total=None)
        self._bar.start()

    @hookimpl
    def awnas_step_finished(self, run: Run, phase: str, step: int, steps: int) -> None:
        """Move the bar."""
        if self._bar is not None:
            where = f"epoch {run.epoch} {phase}"
            self._bar.update(self._task, description=where, completed=step, total=steps)

    @hookimpl
    def awnas_epoch_finished(self, epoch: int, metrics: dict[str, float]) -> None:
        """Take the bar away and leave a line."""
        self._close()
        logger.info("epoch %d  %s", epoch, _by_phase(metrics))

    @hookimpl
    def awnas_run_finished(self, run: Run, status: str) -> None:
        """Take the bar away, also after an error; tell an interrupted person how to go on."""
        self._close()
        if status == "interrupted" and run.folder is not None:
            saved = max(CheckpointStore(run.folder).epochs(), default=0)
            where = f"after epoch {saved}" if saved else "from the beginning"
            logger.warning("interrupted; --train-dir %s --resume goes on %s", run.folder, where)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _by_phase(metrics: dict[str, float]) -> str:
    """Return ``phase: name value, … | phase: …``, the first few of each phase; all are in ``metrics.jsonl``."""
    phases: dict[str, list[str]] = {}
    for path, value in metrics.items():
        phase, _, name = path.rpartition("/")
        phases.setdefault(phase, []).append(f"{name} {value:.4g}")
    return " | ".join(
        f"{phase}: {', '.join(values[:SHOWN])}" if phase else ", ".join(values[:SHOWN])
        for phase, values in phases.items()
    )
