"""One process writes a folder; at the latest the lock goes with the process, however it ends."""

from __future__ import annotations

import os
from pathlib import Path

from awnas_core.errors import ConfigError

LOCK = ".lock"
_held: dict[Path, int] = {}


def lock_folder(folder: Path) -> None:
    """Lock ``folder`` for this process until it ends, or lets it go.

    The operating system holds the lock, so that a killed process leaves none behind; its data workers, which may
    outlive it for seconds, do not inherit it. Where there are no such locks (Windows), nothing is locked.

    Raises: ConfigError when another process holds it.
    """
    try:
        import fcntl
    except ImportError:
        return
    folder = folder.resolve()
    if folder in _held:
        return
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise ConfigError(
            f"another process is writing '{folder}'; wait for it, or choose another --train-dir"
        ) from error
    _held[folder] = handle


def unlock_folder(folder: Path) -> None:
    """Let other processes write ``folder`` again; nothing when this one holds no lock of it."""
    handle = _held.pop(folder.resolve(), None)
    if handle is not None:
        os.close(handle)
