"""Reading and writing named arrays with a description, in the layout of safetensors.

A file is eight bytes with the length of a header, the header (JSON: array → type, shape, place), and the arrays one
after the other. So any safetensors reader opens a table, and opening one never runs code. Beyond the layout, the
header's metadata holds our description with a checksum over the whole header, and one for each array, which is checked
when the array is first used.
"""

from __future__ import annotations

import hashlib
import json
import math
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from awnas_core.errors import DataError
from awnas_core.run.files import write_atomically

FORMAT, VERSION = "awnas-table", 1
MAX_HEADER = 100_000_000  # the limit of safetensors: a header is never gigabytes
DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "I64": "<i8",
    "U64": "<u8",
    "I32": "<i4",
    "U32": "<u4",
    "I16": "<i2",
    "U16": "<u2",
    "I8": "|i1",
    "U8": "|u1",
}
_NAMES = {dtype: name for name, dtype in DTYPES.items()}


def write_arrays(path: Path, description: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write arrays and what they are, whole or not at all.

    Args:
        path: File to write.
        description: JSON data.
        arrays: Name → array of integers or floats.
    """
    ordered = dict(sorted(arrays.items(), key=lambda item: -item[1].dtype.itemsize))  # keeps each one aligned
    entries, chunks, checks, offset = {}, [], {}, 0
    for name, array in ordered.items():
        little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        content = little.tobytes()
        entries[name] = {
            "dtype": _NAMES[little.dtype.str],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + len(content)],
        }
        checks[name] = zlib.crc32(content)
        chunks.append(content)
        offset += len(content)
    text = json.dumps(dict(description))
    metadata = {
        "format": FORMAT,
        "version": str(VERSION),
        "description": text,
        "crc32": json.dumps(checks, sort_keys=True),
    }
    metadata["sha256"] = _digest(metadata, entries)
    header = json.dumps({"__metadata__": metadata, **entries}).encode()
    header += b" " * (-len(header) % 64)
    write_atomically(path, b"".join([len(header).to_bytes(8, "little"), header, *chunks]))


class ArrayFile:
    """The arrays of a file, mapped into memory when they are first asked for.

    Args:
        path: The file.

    Raises: DataError when it is not such a file, is cut short or damaged, or was written by a newer version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as file:
                start = file.read(8)
                length = int.from_bytes(start, "little")
                size = path.stat().st_size
                if len(start) < 8 or not 2 <= length <= min(MAX_HEADER, size - 8):
                    raise DataError(f"'{path}' is not a table of awnas, or it is cut short")
                header = file.read(length)
        except OSError as error:
            raise DataError(f"cannot read the table '{path}': {error.strerror or error}") from error
        self._data = 8 + length
        metadata, self._entries = self._read_header(header, size)
        self.description: dict[str, Any] = json.loads(metadata["description"])
        self._checks: dict[str, int] = json.loads(metadata["crc32"])
        self._arrays: dict[str, npt.NDArray[Any]] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the arrays."""
        return tuple(self._entries)

    def array(self, name: str) -> npt.NDArray[Any]:
        """Return an array, read-only, still on disk where it is not used.

        Raises: DataError when its checksum does not hold.
        """
        if name not in self._arrays:
            entry = self._entries[name]
            mapped: npt.NDArray[Any] = np.memmap(
                self.path,
                dtype=DTYPES[entry["dtype"]],
                mode="r",
                offset=self._data + entry["data_offsets"][0],
                shape=tuple(entry["shape"]),
            )
            if zlib.crc32(mapped.reshape(-1).view(np.uint8).data) != self._checks.get(name):
                raise DataError(
                    f"'{self.path}' is damaged: array '{name}' is not as it was written; get it again"
                )
            self._arrays[name] = mapped.view(np.ndarray)
        return self._arrays[name]

    def _read_header(self, text: bytes, size: int) -> tuple[dict[str, str], dict[str, Any]]:
        try:
            entries = json.loads(text)
            metadata = entries.pop("__metadata__")
            if metadata["format"] != FORMAT:
                raise DataError(f"'{self.path}' is a safetensors file, but not a table of awnas")
            version = int(metadata["version"])
            if version > VERSION:
                raise DataError(
                    f"'{self.path}' has table format {version}, this awnas-benchmarks reads up to {VERSION}; upgrade it"
                )
            intact = metadata["sha256"] == _digest(metadata, entries)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise DataError(f"'{self.path}' is not a table of awnas, or it is damaged") from error
        if not intact or not all(self._fits(entry, size) for entry in entries.values()):
            raise DataError(f"'{self.path}' is damaged or cut short: get it, or convert it, again")
        return metadata, entries

    def _fits(self, entry: Mapping[str, Any], size: int) -> bool:
        """Tell whether an array lies within the file: its checksum vouches for the header, not for what follows it."""
        begin, end = entry["data_offsets"]
        length = math.prod(entry["shape"]) * np.dtype(DTYPES[entry["dtype"]]).itemsize
        return begin >= 0 and end - begin == length and self._data + end <= size


def _digest(metadata: Mapping[str, str], entries: Mapping[str, Any]) -> str:
    kept = {name: value for name, value in metadata.items() if name != "sha256"}
    return hashlib.sha256(json.dumps([kept, entries], sort_keys=True).encode()).hexdigest()
