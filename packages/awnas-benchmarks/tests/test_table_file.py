"""Tables on disk: whole, checked, readable by others, and never run."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from awnas_benchmarks.tables.columns import Column
from awnas_benchmarks.tables.file import ArrayFile, write_arrays
from awnas_benchmarks.tables.table import Table, TableInfo, write_table
from awnas_core import ConfigError
from awnas_core.errors import DataError

INFO = TableInfo(name="tiny", space="toy", signal="a/valid_accuracy@2", report="a/test_accuracy@2")


@pytest.fixture
def tiny(tmp_path):
    """A table of five rows with known values."""
    path = tmp_path / "tiny.safetensors"
    curve = np.arange(5 * 2 * 3, dtype=float).reshape(5, 2, 3) / 100
    curve[3, 1] = np.nan
    write_table(
        path,
        INFO,
        [
            Column(name="a/valid_accuracy@2", decimals=4),
            Column(name="a/test_accuracy@2", runs=(7, 8), curve=(1, 4, 9)),
            Column(name="a/params", direction="min", scope="architecture"),
        ],
        {
            "a/valid_accuracy@2": np.array([0.1234, 0.5, np.nan, 0.9999, 0.0]),
            "a/test_accuracy@2": curve,
            "a/params": np.array([1, 2, 3, 4, 2**40]),
        },
        keys=np.array([50, 10, 40, 20, 2**63], dtype=np.uint64),
    )
    return path


def test_values_come_back_exactly_by_key(tiny):
    table = Table(tiny)
    rows = table.rows(np.array([10, 50, 2**63, 11, 40], dtype=np.uint64))
    assert rows[3] == -1
    there = rows[[0, 1, 2, 4]]
    assert table.values("a/valid_accuracy@2", there).tolist()[:3] == [0.5, 0.1234, 0.0]
    assert np.isnan(table.values("a/valid_accuracy@2", there)[3])
    assert table.values("a/params", there).tolist() == [2, 1, 2**40, 3]


def test_an_epoch_of_a_curve_is_not_the_end_of_a_shorter_training(tiny):
    table = Table(tiny)
    (row,) = table.rows(np.array([10], dtype=np.uint64))
    assert table.values("a/test_accuracy@2", np.array([row])).tolist() == [[0.08, 0.11]]
    with pytest.raises(ConfigError, match="no column 'a/test_accuracy@9'"):
        table.column("a/test_accuracy@9")
    with pytest.raises(ConfigError, match="epochs 1 … 9"):
        table.column("a/test_accuracy@3/2")
    assert table.values("a/test_accuracy@4/2", np.array([row])).tolist() == [[0.07, 0.1]]


def test_a_misspelt_column_gets_a_suggestion(tiny):
    with pytest.raises(ConfigError, match="did you mean 'a/valid_accuracy@2'"):
        Table(tiny).column("a/valid_acuracy@2")


def test_safetensors_reads_a_table_and_a_table_reads_only_its_own(tiny, tmp_path):
    arrays = load_file(tiny)
    assert arrays["keys"].tolist() == [10, 20, 40, 50, 2**63]
    assert arrays["a/valid_accuracy@2"].dtype == np.uint16
    save_file({"a": np.zeros(3)}, tmp_path / "foreign.safetensors", {"format": "np"})
    with pytest.raises(DataError, match="not a table of awnas"):
        Table(tmp_path / "foreign.safetensors")


def test_every_array_survives_whatever_its_type_and_shape(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {
        dtype: rng.integers(0, 100, shape).astype(dtype)
        for dtype, shape in {
            "u1": (3,),
            "i2": (5, 2),
            "u4": (1, 2, 3),
            "i8": (0, 4),
            "f4": (7,),
            "f8": (),
        }.items()
    }
    write_arrays(tmp_path / "a", {}, arrays)
    file = ArrayFile(tmp_path / "a")
    for name, array in arrays.items():
        assert np.array_equal(file.array(name), array)
        assert file.array(name).dtype == array.dtype
        assert not file.array(name).flags.writeable


def test_a_file_cut_anywhere_is_refused(tiny):
    content = tiny.read_bytes()
    for length in [0, 1, 7, 8, 9, 100, len(content) // 2, len(content) - 1]:
        tiny.write_bytes(content[:length])
        with pytest.raises(DataError):
            Table(tiny)


def test_any_flipped_byte_is_noticed(tiny):
    content = bytearray(tiny.read_bytes())
    for place in [*range(0, len(content), 37), len(content) - 1]:
        content[place] ^= 0x10
        tiny.write_bytes(content)
        with pytest.raises(DataError):
            read_everything(tiny)
        content[place] ^= 0x10
    tiny.write_bytes(content)
    read_everything(tiny)


def read_everything(path):
    table = Table(path)
    rows = table.rows(np.array([10], dtype=np.uint64))
    return [table.values(name, rows) for name in table.columns]


def test_a_header_that_lies_about_the_places_of_arrays_is_refused(tiny):
    content = tiny.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    header["a/params"]["data_offsets"] = [0, 2**60]
    text = json.dumps(header).encode()
    tiny.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + length :])
    with pytest.raises(DataError, match="damaged"):
        Table(tiny)


def test_a_table_of_a_newer_version_asks_for_an_upgrade(tiny):
    tiny.write_bytes(tiny.read_bytes().replace(b'"version": "1"', b'"version": "2"'))
    with pytest.raises(DataError, match="upgrade"):
        Table(tiny)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"nothing\.safetensors"):
        Table(tmp_path / "nothing.safetensors")
