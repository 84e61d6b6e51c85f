"""Pickles that others published as data: read without running what is in them."""

from __future__ import annotations

import _codecs
import collections
import pickle
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from awnas_core.errors import DataError


def read_pickle(path: Path) -> Any:
    """Return the plain data in a pickle: containers, numbers, text, bytes and numpy arrays; text of Python 2 as bytes.

    Raises: DataError when the file is damaged, or names anything else, which is not run.
    """
    try:
        with path.open("rb") as file:
            return _DataUnpickler(file, encoding="bytes").load()
    except pickle.UnpicklingError as error:
        raise DataError(f"'{path}' is not plain data: {error}") from error
    except (
        EOFError,
        ArithmeticError,
        AttributeError,
        LookupError,
        MemoryError,
        TypeError,
        ValueError,
    ) as error:
        raise DataError(f"'{path}' is damaged: {type(error).__name__}: {error}") from error


class _DataUnpickler(pickle.Unpickler):
    """Finds only what makes up plain data."""

    array_functions: ClassVar[Any] = getattr(np, "_core", None) or np.core
    spellings: ClassVar = {"__builtin__.": "builtins.", "numpy.core.": "numpy.", "numpy._core.": "numpy."}
    known: ClassVar[dict[str, Any]] = {
        "collections.OrderedDict": collections.OrderedDict,
        "_codecs.encode": _codecs.encode,
        "builtins.set": set,
        "builtins.frozenset": frozenset,
        "numpy.ndarray": np.ndarray,
        "numpy.dtype": np.dtype,
        "numpy.multiarray._reconstruct": array_functions.multiarray._reconstruct,
        "numpy.multiarray.scalar": array_functions.multiarray.scalar,
        "numpy.numeric._frombuffer": array_functions.numeric._frombuffer,
    }

    def find_class(self, module: str, name: str) -> Any:
        """Return what a pickle may name."""
        full = f"{module}.{name}"
        for version, plain in self.spellings.items():
            full = full.replace(version, plain)
        if full not in self.known:
            raise pickle.UnpicklingError(f"it names {module}.{name}")
        return self.known[full]
