"""Pickles of strangers: what is harmless is read, whatever else is named is refused before it runs."""

import bz2
import collections
import datetime
import io
import os
import pickle
import zipfile

import numpy as np
import pytest

from awnas_benchmarks.convert import hw_nas_bench, nasbench201
from awnas_benchmarks.convert.pickles import read_pickle, read_torch
from awnas_benchmarks.tables.table import Table
from awnas_core.errors import DataError
from awnas_spaces.nasbench201 import NasBench201Space

HARMLESS = {
    "list": [1, 2.5, None, True, "text", b"bytes", (1, 2), {3}, frozenset({4})],
    "nested": collections.OrderedDict(a=collections.defaultdict(list, b=[1])),
    "array": np.arange(6, dtype=np.float32).reshape(2, 3),
    "scalars": [np.float64(0.5), np.int64(3)],
    "buffer": bytearray(b"123"),
}


class Call:
    """Pickles as a call of a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def assert_same(a, b):
    if isinstance(a, dict):
        assert type(a) is type(b)
        assert a.keys() == b.keys()
        for key in a:
            assert_same(a[key], b[key])
    else:
        assert np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b


@pytest.mark.parametrize("protocol", range(5))
def test_containers_numbers_and_arrays_come_back(protocol, tmp_path):
    (tmp_path / "file.pickle").write_bytes(pickle.dumps(HARMLESS, protocol=protocol))
    assert_same(read_pickle(tmp_path / "file.pickle"), HARMLESS)


def hostile(marker):
    """Objects that would leave a mark, each in its own way."""
    command = f"touch {marker}"
    return {
        "os.system": Call(os.system, command),
        "eval": Call(eval, f"open({str(marker)!r}, 'w')"),
        "exec": Call(exec, f"open({str(marker)!r}, 'w')"),
        "open": Call(open, str(marker), "w"),
        "getattr": Call(getattr, "text", "upper"),
        "inside": {"meta_archs": ["x"], "arch2infos": {0: {"12": [Call(os.system, command)]}}},
        "key": {Call(os.system, command): 1},
        "class": datetime.date(2020, 1, 1),
    }


@pytest.mark.parametrize("protocol", range(6))
def test_whatever_would_run_is_refused_and_does_not_run(protocol, tmp_path):
    marker = tmp_path / "marker"
    for thing in hostile(marker).values():
        content = pickle.dumps(thing, protocol=protocol)
        plain, packed = tmp_path / "file.pickle", tmp_path / "file.pickle.pbz2"
        plain.write_bytes(content)
        packed.write_bytes(bz2.compress(content))
        for path, read in [
            (plain, read_pickle),
            (packed, read_pickle),
            (packed, lambda path: nasbench201.convert(path, tmp_path / "table")),
            (plain, lambda path: hw_nas_bench.convert(path, tmp_path / "table")),
        ]:
            with pytest.raises(DataError, match=r"refused, nothing of it was run"):
                read(path)
        assert not marker.exists()
    assert not (tmp_path / "table").exists()


def test_an_opcode_that_names_a_function_in_one_line_is_refused(tmp_path):
    for content in (
        b"cos\nsystem\n(S'touch x'\ntR.",
        b"(S'touch x'\nios\nsystem\n.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93.",
    ):
        (tmp_path / "file.pickle").write_bytes(content)
        with pytest.raises(DataError, match=r"os\.system"):
            read_pickle(tmp_path / "file.pickle")


def test_archives_and_older_files_of_torch_are_as_strict(tmp_path):
    marker = tmp_path / "marker"
    evil = pickle.dumps(Call(os.system, f"touch {marker}"), protocol=2)
    with zipfile.ZipFile(tmp_path / "zip.pth", "w") as archive:
        archive.writestr("archive/data.pkl", evil)
    legacy = io.BytesIO()
    for part in (0x1950A86A20F9469CFC6C, 1001, {}):
        pickle.dump(part, legacy, protocol=2)
    (tmp_path / "legacy.pth").write_bytes(legacy.getvalue() + evil)
    (tmp_path / "first.pth").write_bytes(evil)
    for name in ("zip.pth", "legacy.pth", "first.pth"):
        with pytest.raises(DataError, match="nothing of it was run"):
            read_torch(tmp_path / name)
    with zipfile.ZipFile(tmp_path / "other.pth", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(DataError, match=r"no data\.pkl"):
        read_torch(tmp_path / "other.pth")
    assert not marker.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80",
        b"garbage",
        b"\x80\x04K\x01",
        b"(((((",
        b"\x80\x04r\xff\xff\xff\x7f.",
        b"\x80\x04\x8d" + b"\xff" * 8,
        b"0.",
    ],
)
def test_what_is_no_pickle_is_refused_in_one_line(content, tmp_path):
    (tmp_path / "file.pickle").write_bytes(content)
    with pytest.raises(DataError, match=r"file\.pickle"):
        read_pickle(tmp_path / "file.pickle")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"no file '.*nothing\.pickle'"):
        read_pickle(tmp_path / "nothing.pickle")


TEXTS = [
    "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|",
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|",
]
DEVICES = (
    "edgegpu_latency",
    "edgegpu_energy",
    "edgetpu_latency",
    "eyeriss_latency",
    "eyeriss_energy",
    "fpga_energy",
)


def hw_nas_bench_file():
    """``HW-NAS-Bench-v1_0.pickle``: search space → data set → metric → list over cells; configs beside them."""
    cells = {}
    for classes, dataset in ((10, "cifar10"), (100, "cifar100"), (120, "ImageNet16-120")):
        config = [
            {"name": "infer.tiny", "C": 16, "N": 5, "arch_str": text, "num_classes": classes}
            for text in TEXTS
        ]
        metrics = {name: [classes + place, classes + place + 0.5] for place, name in enumerate(DEVICES)}
        cells[dataset] = {"config": config, **metrics, "edgetpu_latency": np.array([-1.0, 0.25])}
    return {"nasbench201": cells, "fbnet": {"cifar100": {"edgegpu_latency": {}}}}


def test_hw_nas_bench_is_converted(tmp_path):
    (tmp_path / "HW.pickle").write_bytes(pickle.dumps(hw_nas_bench_file(), protocol=3))
    hw_nas_bench.convert(tmp_path / "HW.pickle", tmp_path / "table")
    table, space = Table(tmp_path / "table"), NasBench201Space()
    rows = table.rows(space.benchmark_keys(np.array([space.parse(text) for text in TEXTS])))
    assert table.values("cifar100/latency_ms/edgegpu", rows).tolist() == [100.0, 100.5]
    assert table.values("imagenet16/energy_mj/eyeriss", rows).tolist() == [124.0, 124.5]
    tpu = table.values("cifar10/latency_ms/edgetpu", rows)
    assert np.isnan(tpu[0])
    assert tpu[1] == 0.25
    assert len(table.columns) == 3 * len(DEVICES)


def test_hw_nas_bench_of_another_form_is_refused(tmp_path):
    for change, complaint in [
        (lambda data: data.pop("nasbench201"), "nasbench201"),
        (lambda data: data["nasbench201"].pop("cifar100"), "nasbench201"),
        (lambda data: data["nasbench201"]["cifar10"].pop("config"), "genotype text"),
        (lambda data: data["nasbench201"]["cifar100"].update(fpga_energy=[1.0]), "expected 2 values"),
        (lambda data: data["nasbench201"]["cifar100"].update(fpga_energy=["a", "b"]), "expected numbers"),
    ]:
        data = hw_nas_bench_file()
        change(data)
        (tmp_path / "HW.pickle").write_bytes(pickle.dumps(data))
        with pytest.raises(DataError, match=complaint):
            hw_nas_bench.convert(tmp_path / "HW.pickle", tmp_path / "table")
