"""Pickles that others published are read as data, and run nothing."""

from __future__ import annotations

import collections
import contextlib
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from awnas_core.errors import DataError
from awnas_core.foreign import read_pickle


class Runs:
    """Writes a file when it is unpickled by someone careless."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_data_comes_back_whatever_the_protocol(tmp_path, protocol):
    data = {
        "text": "ü",
        b"bytes": b"\xff\x00",
        "numbers": [1, -2.5, True, None, 10**30],
        "nested": (collections.OrderedDict(a={1, 2}), frozenset({3})),
        "arrays": [np.arange(6, dtype=np.uint8).reshape(2, 3), np.array([1.5]), np.asfortranarray(np.eye(3))],
        "scalar": np.float32(0.1),
    }
    path = tmp_path / "data"
    path.write_bytes(pickle.dumps(data, protocol=protocol))
    back = read_pickle(path)
    arrays, expected = back.pop("arrays"), data.pop("arrays")
    assert back == data
    for array, original in zip(arrays, expected, strict=True):
        assert array.dtype == original.dtype
        np.testing.assert_array_equal(array, original)


def test_text_of_python_2_comes_as_bytes(tmp_path):
    path = tmp_path / "data"
    path.write_bytes(b"\x80\x02}q\x00U\x06labelsq\x01]q\x02K\x03as.")  # as python 2 wrote {'labels': [3]}
    assert read_pickle(path) == {b"labels": [3]}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_would_run_something_is_refused_and_runs_nothing(tmp_path, protocol):
    path, trace = tmp_path / "data", tmp_path / "trace"
    path.write_bytes(pickle.dumps([Runs(trace)], protocol=protocol))
    with pytest.raises(DataError, match=r"names posix\.mkdir"):
        read_pickle(path)
    assert not trace.exists()


def test_code_inside_an_array_of_objects_is_refused_too(tmp_path):
    path, trace = tmp_path / "data", tmp_path / "trace"
    path.write_bytes(pickle.dumps(np.array([Runs(trace), None], dtype=object)))
    with pytest.raises(DataError, match="not plain data"):
        read_pickle(path)
    assert not trace.exists()


@pytest.mark.parametrize("cut", [0, 1, 10, -1])
def test_a_damaged_file_is_told(tmp_path, cut):
    path = tmp_path / "data"
    path.write_bytes(pickle.dumps({"a": np.arange(10)})[:cut])
    with pytest.raises(DataError, match="data"):
        read_pickle(path)


def test_random_bytes_are_refused_or_data(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "data"
    for _ in range(300):
        path.write_bytes(rng.bytes(40))
        with contextlib.suppress(DataError):
            read_pickle(path)
