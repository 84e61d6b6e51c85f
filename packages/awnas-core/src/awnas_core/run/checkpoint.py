"""Checkpoints: whole or not there, checked before they are trusted, and never thrown away when damaged."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from awnas_core.errors import CheckpointError
from awnas_core.run.files import digest, folder_appearing_at
from awnas_core.run.state import load_state, save_state

VERSION = 1
MANIFEST = "manifest.json"
FINAL = "final"

logger = logging.getLogger("awnas.checkpoint")


@dataclass(frozen=True)
class Checkpoint:
    """One whole checkpoint; its states are read when they are first asked for.

    Args:
        path: Its folder.
        epoch: The last epoch it has seen.
        meta: What the run noted beside the states.
    """

    path: Path
    epoch: int
    meta: Mapping[str, Any]

    @cached_property
    def states(self) -> Mapping[str, Any]:
        """Role → state, as the components gave it."""
        return {folder.name: load_state(folder) for folder in sorted(self.path.iterdir()) if folder.is_dir()}


class CheckpointStore:
    """The checkpoints of one run directory: ``<epoch>/`` and ``final/``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, epoch: int, states: Mapping[str, Any], meta: Mapping[str, Any]) -> Path:
        """Write the checkpoint of an epoch and return its folder; one that is there already is replaced.

        Raises: CheckpointError when a state cannot be saved; RunError when the disk is full or read-only.
        """
        return self._save(self.folder / str(epoch), epoch, states, meta)

    def save_final(self, epoch: int, states: Mapping[str, Any], meta: Mapping[str, Any]) -> Path:
        """Write ``final``, the checkpoint after the last epoch."""
        return self._save(self.folder / FINAL, epoch, states, meta)

    def epochs(self) -> list[int]:
        """Return the epochs of which there is a checkpoint, rising."""
        return sorted(
            int(path.name) for path in self.folder.glob("[0-9]*") if path.name.isdigit() and path.is_dir()
        )

    def newest_whole(self, *, move_aside: bool = False) -> Checkpoint | None:
        """Return the newest checkpoint whose checksums hold; None when there is none at all.

        Damaged ones are left out with a warning.

        Args:
            move_aside: Give damaged ones another name, so that a run that goes on here can write theirs again; for
                the process that holds the folder.

        Raises: CheckpointError when one is whole but written by a newer version.
        """
        folders = [self.folder / str(epoch) for epoch in self.epochs()]
        if (self.folder / FINAL).is_dir():
            folders.append(self.folder / FINAL)
        whole = []
        for path in folders[::-1]:
            try:
                whole.append(open_checkpoint(path))
            except CheckpointError as error:
                if not path.exists():  # a search that is running has just removed it
                    continue
                if not isinstance(error, DamagedCheckpointError):
                    raise
                moved = f"moved to '{_move_aside(path).name}', " if move_aside else ""
                logger.warning("%s; %sthe one before is used", error, moved)
            if whole and path.name != FINAL:
                break
        return max(whole, key=lambda checkpoint: checkpoint.epoch, default=None)

    def prune(self, keep_last: int = 2, keep_every: int | None = None) -> None:
        """Remove old checkpoints but for the last ones and every ``keep_every``-th epoch's."""
        for epoch in self.epochs()[:-keep_last]:
            if not keep_every or epoch % keep_every:
                shutil.rmtree(self.folder / str(epoch), ignore_errors=True)

    def _save(self, path: Path, epoch: int, states: Mapping[str, Any], meta: Mapping[str, Any]) -> Path:
        with folder_appearing_at(path) as folder:
            for role, state in states.items():
                (folder / role).mkdir()
                save_state(folder / role, state)
            files = {
                str(file.relative_to(folder)): digest(file)
                for file in sorted(folder.rglob("*"))
                if file.is_file()
            }
            manifest = {"version": VERSION, "epoch": epoch, "meta": dict(meta), "files": files}
            (folder / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        return path


class DamagedCheckpointError(CheckpointError):
    """A checkpoint that is incomplete or whose checksums do not hold."""


def open_checkpoint(path: Path) -> Checkpoint:
    """Return a checkpoint: the newest whole one of a run directory, or the one whose folder is given.

    Raises: CheckpointError when there is none, when it is damaged, or when it was written by a newer version.
    """
    if not path.is_dir():
        raise CheckpointError(f"no checkpoint at '{path}'; give a run directory, or a checkpoint in one")
    if not (path / MANIFEST).exists():
        if (newest := CheckpointStore(path).newest_whole()) is not None:
            return newest
        if not path.name.isdigit() and path.name != FINAL:
            raise CheckpointError(
                f"'{path}' holds no checkpoint; give a run directory, or a checkpoint in one"
            )
    manifest = _read_manifest(path)
    _verify(path, manifest["files"])
    return Checkpoint(path, manifest["epoch"], manifest["meta"])


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        version = int(manifest["version"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedCheckpointError(f"checkpoint '{path}' has no readable {MANIFEST}") from error
    if version > VERSION:
        raise CheckpointError(
            f"checkpoint '{path}' has format {version}, this awnas-core reads up to {VERSION}; upgrade awnas-core"
        )
    if not isinstance(manifest.get("epoch"), int) or not isinstance(manifest.get("files"), dict):
        raise DamagedCheckpointError(f"checkpoint '{path}' has no readable {MANIFEST}")
    return manifest


def _verify(path: Path, files: Mapping[str, str]) -> None:
    for name, expected in files.items():
        file = path / name
        if not file.is_file():
            raise DamagedCheckpointError(f"checkpoint '{path}' lacks '{name}'")
        if digest(file) != expected:
            raise DamagedCheckpointError(f"checkpoint '{path}' is damaged: '{name}' is not as it was written")


def _move_aside(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    return path.rename(aside)
