"""Reading TFRecord files, checksums and all, without TensorFlow."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from awnas_core.errors import DataError

BATCH = 4_096
"""Records whose checksums are worked out side by side."""
LONGEST = 2**26  # a record is some hundred bytes; a damaged length would ask for all memory


def read_records(path: Path) -> Iterator[bytes]:
    """Yield the records of a file.

    Each is the length (8 bytes), its masked CRC-32C, the bytes, and theirs.

    Raises: DataError naming the record that is cut short or damaged.
    """
    try:
        with path.open("rb") as file:
            records = _framed(file, path)
            first = 0
            while batch := list(itertools.islice(records, BATCH)):
                _check([content for content, _ in batch], [crc for _, crc in batch], path, first)
                yield from (content for content, _ in batch)
                first += len(batch)
    except OSError as error:
        raise DataError(f"cannot read '{path}': {error.strerror or error}") from error


def masked_crc(records: Sequence[bytes]) -> npt.NDArray[np.uint32]:
    """Return the masked CRC-32C of each record, as TensorFlow stores it."""
    lengths = np.array([len(record) for record in records])
    padded = np.zeros((lengths.max(initial=0), len(records)), dtype=np.uint8)
    for column, record in enumerate(records):
        padded[: len(record), column] = np.frombuffer(record, dtype=np.uint8)
    crcs = np.full(len(records), 0xFFFFFFFF, dtype=np.uint32)
    for place, octets in enumerate(padded):
        stepped = _TABLE[(crcs ^ octets) & 0xFF] ^ (crcs >> np.uint32(8))
        crcs = np.where(place < lengths, stepped, crcs)
    crcs = ~crcs
    return ((crcs >> np.uint32(15)) | (crcs << np.uint32(17))) + np.uint32(0xA282EAD8)


def _crc_table() -> npt.NDArray[np.uint32]:
    """Return the table of CRC-32C (Castagnoli), reflected polynomial 0x82F63B78."""
    values = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        values = np.where(
            values & 1, (values >> np.uint32(1)) ^ np.uint32(0x82F63B78), values >> np.uint32(1)
        )
    return values.astype(np.uint32)


_TABLE = _crc_table()


def _framed(file: IO[bytes], path: Path) -> Iterator[tuple[bytes, int]]:
    for number in itertools.count():
        head = file.read(12)
        if not head:
            return
        if len(head) < 12:
            raise DataError(f"'{path}' is cut short at record {number}")
        length, crc = struct.unpack("<QI", head)
        if length > LONGEST or int(masked_crc([head[:8]])[0]) != crc:
            raise DataError(
                f"'{path}' is no TFRecord file, or damaged at record {number}: its length does not check"
            )
        content = file.read(length)
        tail = file.read(4)
        if len(content) < length or len(tail) < 4:
            raise DataError(f"'{path}' is cut short at record {number}")
        yield content, struct.unpack("<I", tail)[0]


def _check(records: Sequence[bytes], crcs: Sequence[int], path: Path, first: int) -> None:
    wrong = np.flatnonzero(masked_crc(records) != np.array(crcs, dtype=np.uint32))
    if len(wrong):
        raise DataError(f"'{path}' is damaged: record {first + wrong[0]} does not match its checksum")
