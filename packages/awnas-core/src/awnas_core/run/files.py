"""Files that appear whole or not at all, and digests that notice a flipped bit."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from awnas_core.errors import RunError

TEMPORARY = ".awnas-tmp-"


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a reader, now or after a power cut, finds all of it or what was there before.

    Raises: RunError when the disk is full or the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=TEMPORARY, dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(name, 0o644)
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    except OSError as error:
        raise RunError(f"cannot write '{path}': {error.strerror or error}") from error


@contextmanager
def folder_appearing_at(path: Path) -> Iterator[Path]:
    """Yield a temporary folder that becomes ``path`` when the block ends well, and vanishes when it does not.

    A folder that is at ``path`` already is replaced.

    Raises: RunError when the disk is full or the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=path.parent))
        try:
            yield temporary
            for file in sorted(temporary.rglob("*")):
                if file.is_file():
                    _sync_file(file)
            sync_folder(temporary)
            _replace_folder(temporary, path)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    except OSError as error:
        raise RunError(f"cannot write '{path}': {error.strerror or error}") from error


def remove_leftovers(folder: Path) -> None:
    """Remove temporary files and folders of a process that was killed while writing into ``folder``."""
    for leftover in folder.glob(f"{TEMPORARY}*"):
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _replace_folder(temporary: Path, path: Path) -> None:
    """Rename over ``path``; a folder there steps aside first, since a rename needs an empty place."""
    aside = None
    if path.exists():
        aside = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=path.parent)) / "old"
        os.replace(path, aside)
    os.replace(temporary, path)
    sync_folder(path.parent)
    if aside is not None:
        shutil.rmtree(aside.parent, ignore_errors=True)
