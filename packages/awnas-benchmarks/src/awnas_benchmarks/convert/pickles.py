"""Reading pickles of published benchmarks without running anything in them.

A pickle is a program that may name any function there is. The reader here knows a short list of harmless ones: those
that build containers, numbers and numpy arrays. Whatever else a file names, it is refused before it is called.
"""

from __future__ import annotations

import bz2
import collections
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from awnas_core.errors import DataError

TORCH_MAGIC, TORCH_PROTOCOL = 0x1950A86A20F9469CFC6C, 1001


class Foreign:
    """Stands for an object of a library that is not needed to read its data; its state is in ``__dict__``."""


class Storage:
    """Stands for the type of a tensor's numbers, which are not read."""


def _latin1(text: str, encoding: str) -> bytes:
    """Stand for ``codecs.encode``, with which older pickles spell bytes."""
    if encoding not in ("latin1", "latin-1"):
        raise DataError(f"bytes in the spelling '{encoding}' are not expected in a benchmark")
    return text.encode("latin1")


def _left_out(*parts: object) -> None:
    """Stand for what makes a tensor: weights of networks are left out."""


_CONTAINERS = {"set": set, "frozenset": frozenset, "list": list, "dict": dict, "bytearray": bytearray}
_STORAGES = ("Float", "Double", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool")
_RECONSTRUCT, _SCALAR = np.zeros(0).__reduce__()[0], np.float64(0).__reduce__()[0]
PLAIN: Mapping[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("collections", "defaultdict"): collections.defaultdict,
    ("_codecs", "encode"): _latin1,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    **{(module, name): kind for module in ("builtins", "__builtin__") for name, kind in _CONTAINERS.items()},
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _RECONSTRUCT for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): _SCALAR for core in ("core", "_core")},
}
"""(module, name) → what is taken for it."""
TENSORS: Mapping[tuple[str, str], Any] = {
    **{("torch", f"{kind}Storage"): Storage for kind in _STORAGES},
    **{("torch._utils", f"_rebuild_{what}"): _left_out for what in ("tensor", "tensor_v2", "parameter")},
}
"""What files of torch name besides."""


def read_pickle(path: Path, also: Mapping[tuple[str, str], Any] | None = None) -> Any:
    """Return what a pickle holds: containers, numbers, texts and arrays. Compressed by bzip2 where it is called so.

    Args:
        path: The file; one that ends in ``.pbz2`` or ``.bz2`` is decompressed.
        also: More names that may stand in it, as in :data:`PLAIN`.

    Raises: DataError when it is cut short, damaged, or names anything that is not on the list.
    """
    opened: Any = bz2.open if path.suffix in (".pbz2", ".bz2") else open
    with _refusing(path), opened(path, "rb") as file:
        return _load(file, path, also or {})


def read_torch(path: Path) -> Any:
    """Return what ``torch.save`` wrote, of today's form or that before torch 1.6, without its tensors.

    Raises: DataError as :func:`read_pickle` does.
    """
    with _refusing(path):
        if not zipfile.is_zipfile(path):
            with path.open("rb") as file:
                return _load_legacy(file, path)
        with zipfile.ZipFile(path) as archive:
            name = next((name for name in archive.namelist() if name.endswith("/data.pkl")), None)
            if name is None:
                raise DataError(f"'{path}' is an archive, but not one of torch: it has no data.pkl")
            with archive.open(name) as file:
                return _load(file, path, TENSORS)


def _load_legacy(file: IO[bytes], path: Path) -> Any:
    """Return the fourth of the pickles that the older form strings together; the numbers of tensors come after it."""
    magic, protocol = (_load(file, path, {}) for _ in range(2))
    if (magic, protocol) != (TORCH_MAGIC, TORCH_PROTOCOL):
        raise DataError(f"'{path}' is no file of torch")
    _load(file, path, {})  # the sizes of types on the machine that wrote it
    return _load(file, path, TENSORS)


def _load(file: IO[bytes], path: Path, also: Mapping[tuple[str, str], Any]) -> Any:
    return _Reader(file, path, {**PLAIN, **also}).load()


class _Reader(pickle.Unpickler):
    def __init__(self, file: IO[bytes], path: Path, allowed: Mapping[tuple[str, str], Any]) -> None:
        super().__init__(file, encoding="latin1")
        self._path = path
        self._allowed = allowed

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._allowed:
            raise DataError(
                f"'{self._path}' names {module}.{name}, which no benchmark needs: refused, nothing of it was run. "
                "Do not trust the file; get it from the authors of the benchmark"
            )
        return self._allowed[module, name]

    def persistent_load(self, pid: Any) -> None:
        """Leave out the numbers of a tensor."""


class _refusing:  # noqa: N801 - reads as a statement
    """Turns whatever goes wrong in foreign data into one clear error."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        if not self._path.is_file():
            raise DataError(f"there is no file '{self._path}'")

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        if isinstance(error, Exception) and not isinstance(
            error, DataError
        ):  # foreign bytes: anything can happen
            raise DataError(
                f"'{self._path}' is cut short, damaged or of another form: {error or kind.__name__}"
            ) from error
