"""As much of the wire format of protocol buffers as the metrics of NAS-Bench-101 need."""

from __future__ import annotations

import struct
from collections.abc import Iterator

Value = int | float | bytes


def fields(message: bytes) -> Iterator[tuple[int, Value]]:
    """Yield (field number, value) of a message in order: doubles, integers, and what is length-delimited as bytes.

    Raises: ValueError when the message is cut short or of another form.
    """
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield number, value
        elif kind == 1:
            yield number, struct.unpack_from("<d", _taken(message, at, 8))[0]
            at += 8
        elif kind == 2:
            length, at = _varint(message, at)
            yield number, _taken(message, at, length)
            at += length
        elif kind == 5:
            yield number, struct.unpack_from("<f", _taken(message, at, 4))[0]
            at += 4
        else:
            raise ValueError(f"field {number} has the wire type {kind}, which is not used any more")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        octet = _taken(message, at, 1)[0]
        at += 1
        value |= (octet & 0x7F) << shift
        if octet < 0x80:
            return value, at
    raise ValueError("a number is longer than ten bytes")


def _taken(message: bytes, at: int, length: int) -> bytes:
    part = message[at : at + length]
    if len(part) < length:
        raise ValueError(f"the message ends {length - len(part)} bytes early")
    return part
