"""Downloading with a checksum, unpacking without surprises, and looking at what is there."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import tarfile
import tempfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from awnas_core.errors import DataError
from awnas_training.data.sources import DataSource, RemoteFile

CHUNK = 1 << 20
TIMEOUT_SECONDS = 60


def download(file: RemoteFile, root: Path) -> Path:
    """Fetch one file into its folder below ``root``; one that is there already with the right checksum stays.

    Raises: DataError when it cannot be fetched or is not the file that was expected.
    """
    target = root / file.folder / file.name
    if target.is_file() and checksum(target) == file.md5:
        return target
    with _appearing_at(target) as temporary:
        try:
            with (
                urllib.request.urlopen(file.url, timeout=TIMEOUT_SECONDS) as answer,
                temporary.open("wb") as out,
            ):
                shutil.copyfileobj(answer, out, CHUNK)
        except (urllib.error.URLError, OSError) as error:
            raise DataError(
                f"cannot fetch {file.url}: {error}; fetch it by hand into '{target.parent}', "
                "then run awnas data prepare"
            ) from error
        if (found := checksum(temporary)) != file.md5:
            raise DataError(
                f"{file.url} has MD5 {found}, expected {file.md5}: an incomplete or another file; try again"
            )
    return target


def unpack(file: RemoteFile, root: Path) -> None:
    """Unpack a downloaded archive below ``root``; other files are left as they are.

    Raises: DataError when it is missing, damaged, or holds a path that leads outside.
    """
    archive = root / file.folder / file.name
    if not archive.is_file():
        raise DataError(f"'{archive}' is missing; run awnas data get")
    try:
        if file.name.endswith(".tar.gz"):
            with tarfile.open(archive, "r:gz") as tar:
                tar.extractall(archive.parent, filter="data")
        elif file.name.endswith(".zip"):
            _unzip(archive)
        elif file.name.endswith(".gz"):
            with _appearing_at(archive.with_suffix("")) as temporary:
                _gunzip(archive, temporary)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, OSError, EOFError) as error:
        raise DataError(
            f"'{archive}' cannot be unpacked: {error}; remove it and run awnas data get"
        ) from error


def missing(source: DataSource, root: Path) -> list[str]:
    """Return the paths of the layout that are not there."""
    return [path for path in source.layout if not (root / path).exists()]


def arrange_tiny_imagenet(root: Path) -> None:
    """Bring tiny-imagenet into one folder for each class, also in ``val``.

    The archive holds everything below ``tiny-imagenet-200``, and all of ``val`` in one folder with a table of classes.
    """
    inner = root / "tiny-imagenet-200"
    for item in inner.iterdir() if inner.is_dir() else ():
        if not (root / item.name).exists():
            item.rename(root / item.name)
    table = root / "val" / "val_annotations.txt"
    if not table.is_file():
        raise DataError(f"'{table}' is missing; the archive is not complete")
    for line in table.read_text(encoding="utf-8").splitlines():
        name, label = line.split("\t")[:2]
        image = root / "val" / "images" / name
        if image.is_file():
            (root / "val" / label).mkdir(exist_ok=True)
            image.rename(root / "val" / label / name)
    images = root / "val" / "images"
    if images.is_dir() and not any(images.iterdir()):
        images.rmdir()


def checksum(path: Path) -> str:
    """Return the MD5 of a file, as publishers of data sets state it; no protection against malice."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


@contextmanager
def _appearing_at(target: Path) -> Iterator[Path]:
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".part-", dir=target.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _gunzip(archive: Path, target: Path) -> None:
    with gzip.open(archive) as packed, target.open("wb") as out:
        shutil.copyfileobj(packed, out, CHUNK)


def _unzip(archive: Path) -> None:
    folder = archive.parent.resolve()
    with zipfile.ZipFile(archive) as packed:
        for name in packed.namelist():
            if not (folder / name).resolve().is_relative_to(folder):
                raise DataError(
                    f"'{archive}' holds '{name}', which leads outside its folder; it is not unpacked"
                )
        packed.extractall(folder)
