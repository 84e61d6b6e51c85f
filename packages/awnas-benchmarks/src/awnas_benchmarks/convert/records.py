"""Rows of CSV and JSON files, compressed or not."""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from awnas_core.errors import DataError

Record = Mapping[str, Any]


def read_records(path: Path) -> list[Record]:
    """Return the rows of ``.csv`` or ``.json`` (a list of objects, or one of key → object), perhaps ``.gz``.

    In a JSON object of objects, each gets its key as ``"key"``. Values of a CSV file are texts.

    Raises: DataError when the file is missing, damaged or of another form.
    """
    try:
        content = path.read_bytes()
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8")
        return _from_json(json.loads(text)) if ".json" in path.suffixes else _from_csv(text)
    except OSError as error:
        raise DataError(f"cannot read '{path}': {error.strerror or error}") from error
    except (EOFError, zlib.error, ValueError, csv.Error) as error:
        raise DataError(f"'{path}' is damaged, or no CSV or JSON file: {error}") from error


def _from_csv(text: str) -> list[Record]:
    reader = csv.DictReader(text.splitlines(), strict=True)
    records: list[Record] = list(reader)
    for number, record in enumerate(records, 2):
        if None in record or None in record.values():
            raise ValueError(f"line {number} has not as many cells as the header")
    return records


def _from_json(data: object) -> list[Record]:
    if isinstance(data, dict) and all(isinstance(value, dict) for value in data.values()):
        return [{"key": key, **value} for key, value in data.items()]
    if isinstance(data, list) and all(isinstance(value, dict) for value in data):
        return data
    raise ValueError("expected a list of objects, or an object of objects")
