"""Where and how a run is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from awnas_core.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What a person decides about a run besides its config.

    Args:
        train_dir: The run directory; None keeps nothing.
        resume: Continue the run in ``train_dir``.
        overwrite: Replace the run in ``train_dir``.
        load: A run or checkpoint to take states from; the run itself starts at epoch 1.
        save_every: Keep every so many epochs' checkpoint, besides the last two.
        observers: Who is told of events, besides the plugins.
        command: The command line, for the record.
    """

    train_dir: Path | None = None
    resume: bool = False
    overwrite: bool = False
    load: Path | None = None
    save_every: int | None = None
    observers: Sequence[Any] = ()
    command: Sequence[str] = ()

    @property
    def reads(self) -> tuple[Path, ...]:
        """What the run is about to read."""
        return () if self.load is None else (self.load,)

    def refuse_contradictions(self) -> None:
        """Refuse options that exclude each other.

        Raises: ConfigError naming them.
        """
        if self.train_dir is None and (self.resume or self.overwrite):
            raise ConfigError("--resume and --overwrite need --train-dir")
        if self.resume and self.overwrite:
            raise ConfigError("--resume goes on with a run, --overwrite replaces it; give one of them")
        if self.resume and self.load is not None:
            raise ConfigError("--resume goes on with a run, --load starts a new one; give one of them")
