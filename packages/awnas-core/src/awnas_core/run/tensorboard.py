"""TensorBoard files of a run, for whoever has the tensorboard package."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from awnas_core.errors import ConfigError
from awnas_core.plugins.hooks import hookimpl


class TensorBoard:
    """Writes every reported value as a scalar.

    Args:
        folder: Where the event files go.

    Raises: ConfigError when there is no writer to be had.
    """

    def __init__(self, folder: Path) -> None:
        try:
            writer = importlib.import_module("torch.utils.tensorboard").SummaryWriter
        except ImportError as error:
            raise ConfigError(
                f"--vis-dir needs torch and tensorboard ({error}); try: pip install tensorboard"
            ) from error
        self._writer: Any = writer(str(folder))

    @hookimpl
    def awnas_epoch_finished(self, epoch: int, metrics: dict[str, float]) -> None:
        """Write the values of the epoch."""
        for name, value in metrics.items():
            self._writer.add_scalar(name, value, epoch)
        self._writer.flush()

    @hookimpl
    def awnas_run_finished(self) -> None:
        """Close the files."""
        self._writer.close()
