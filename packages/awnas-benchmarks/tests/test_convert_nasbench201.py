"""Converting NAS-Bench-201 and NATS-Bench: pickles with the fields, order and types that their API documents."""

import bz2
import collections
import pickle
import sys
import types
import zipfile

import numpy as np
import pytest

from awnas_benchmarks.convert import nasbench201
from awnas_benchmarks.tables.table import Table
from awnas_core.errors import DataError
from awnas_spaces.nasbench201 import NasBench201Space

TEXTS = [
    "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|",
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|",
    "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|",
]
SETS = {
    "cifar10-valid": ("x-valid", "ori-test"),
    "cifar10": ("ori-test",),
    "cifar100": ("ori-test", "x-valid", "x-test"),
    "ImageNet16-120": ("ori-test", "x-valid", "x-test"),
}
CLASSES = {"cifar10-valid": 10, "cifar10": 10, "cifar100": 100, "ImageNet16-120": 120}


def value(index, data, seed, name, epoch):
    """A number that tells where it comes from, in percent with the decimals of 25,000 images."""
    return round(20 + 10 * index + seed / 100 + list(SETS).index(data) + len(name) / 10 + epoch * 0.004, 3)


def results_count(index, data, seed, epochs):
    """``ResultsCount.state_dict()``: everything that one training of one cell left behind."""
    steps = range(epochs)
    return {
        "name": data,
        "net_state_dict": None,
        "train_acc1es": {e: value(index, data, seed, "train", e) for e in steps},
        "train_acc5es": dict.fromkeys(steps, 99.0),
        "train_losses": {e: 2.0 / (e + 1) for e in steps},
        "train_times": dict.fromkeys(steps, 10.0 + index),
        "arch_config": {"arch_str": TEXTS[index], "channel": 16, "num_cells": 5, "class_num": CLASSES[data]},
        "params": 0.129306,
        "flop": 15.64737 - (10 - CLASSES[data]) / 1e6,
        "seed": seed,
        "epochs": epochs,
        "latency": [0.013, 0.015],
        "eval_names": list(SETS[data]),
        "eval_acc1es": {f"{s}@{e}": value(index, data, seed, s, e) for s in SETS[data] for e in steps},
        "eval_times": {f"{s}@{e}": 0.5 for s in SETS[data] for e in steps},
        "eval_losses": {f"{s}@{e}": 3.0 / (e + 1) for s in SETS[data] for e in steps},
    }


def arch_results(index, epochs, seeds):
    """``ArchResults.state_dict()``."""
    return {
        "arch_index": index,
        "arch_str": TEXTS[index],
        "all_results": {
            (data, seed): results_count(index, data, seed, epochs) for data in SETS for seed in seeds
        },
        "dataset_seed": {data: list(seeds) for data in SETS},
        "clear_net_done": True,
    }


def cell(index, keys=("12", "200")):
    seeds = (777, 888, 999)[: 3 - index]
    return collections.OrderedDict(
        [(keys[0], arch_results(index, 12, (777,))), (keys[1], arch_results(index, 200, seeds))]
    )


def whole_file(keys=("12", "200")):
    return {
        "meta_archs": TEXTS,
        "arch2infos": {index: cell(index, keys) for index in range(len(TEXTS))},
        "evaluated_indexes": set(range(len(TEXTS))),
    }


def write_pbz2(path, data, protocol=4):
    with bz2.BZ2File(path, "wb") as file:
        pickle.dump(data, file, protocol=protocol)


def write_folder(path):
    path.mkdir()
    write_pbz2(path / "meta.pickle.pbz2", {"meta_archs": TEXTS, "evaluated_indexes": {0, 1, 2}})
    for index in range(len(TEXTS)):
        write_pbz2(path / f"{index:06d}.pickle.pbz2", dict(cell(index)))


class Tensor:
    """Pickles like a tensor: a call of ``torch._utils._rebuild_tensor_v2`` with a persistent id for its storage."""

    def __reduce__(self):
        return sys.modules["torch._utils"]._rebuild_tensor_v2, (
            Storage(),
            0,
            (2,),
            (1,),
            False,
            collections.OrderedDict(),
        )


class Storage:
    pass


class TorchPickler(pickle.Pickler):
    def persistent_id(self, item):
        if isinstance(item, Storage):
            return ("storage", sys.modules["torch"].FloatStorage, "0", "cpu", 2)
        return None


@pytest.fixture
def torch_names(monkeypatch):
    """The two names of torch that such a file holds, so that torch need not be there to write one."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    torch.FloatStorage = type("FloatStorage", (), {"__module__": "torch"})

    def rebuild(*parts):
        raise AssertionError("nothing of torch is called")

    rebuild.__module__, rebuild.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = torch._utils = rebuild
    torch._utils = utils
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)


def write_legacy_pth(path, data):
    """``torch.save`` before 1.6: magic, protocol, system, object, keys of storages, then their numbers."""
    sizes = {"short": 2, "int": 4, "long": 4}
    with path.open("wb") as file:
        pickle.dump(0x1950A86A20F9469CFC6C, file, protocol=2)
        pickle.dump(1001, file, protocol=2)
        pickle.dump({"protocol_version": 1001, "little_endian": True, "type_sizes": sizes}, file, protocol=2)
        TorchPickler(file, protocol=2).dump(data)
        pickle.dump(["0"], file, protocol=2)
        file.write((2).to_bytes(8, "little") + np.zeros(2, dtype="<f4").tobytes())


def write_zip_pth(path, data):
    """``torch.save`` since 1.6: an archive with the pickle and a file for each storage."""
    import io

    buffer = io.BytesIO()
    TorchPickler(buffer, protocol=2).dump(data)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", buffer.getvalue())
        archive.writestr("archive/data/0", np.zeros(2, dtype="<f4").tobytes())
        archive.writestr("archive/version", "3\n")


def with_weights(data):
    """The full archives keep the weights of every network."""
    data["arch2infos"][0]["full"]["all_results"]["cifar10", 777]["net_state_dict"] = collections.OrderedDict(
        [("stem.0.weight", Tensor())]
    )
    return data


WRITERS = {
    "NATS-tss-v1_0-3ffb9.pickle.pbz2": lambda path: write_pbz2(path, whole_file()),
    "NATS-tss-v1_0-3ffb9-simple": write_folder,
    "NAS-Bench-201-v1_1-096897.pth": lambda path: write_legacy_pth(
        path, with_weights(whole_file(("less", "full")))
    ),
    "NAS-Bench-201-zip.pth": lambda path: write_zip_pth(path, with_weights(whole_file(("less", "full")))),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_form_of_the_file_gives_the_same_table(name, tmp_path, torch_names):
    WRITERS[name](tmp_path / name)
    nasbench201.convert(tmp_path / name, tmp_path / "table")
    check_values(Table(tmp_path / "table"))


def check_values(table):
    space = NasBench201Space()
    rows = table.rows(space.benchmark_keys(np.array([space.parse(text) for text in TEXTS])))
    assert (rows >= 0).all()
    names = {
        "cifar10/valid_accuracy": ("cifar10-valid", "x-valid"),
        "cifar10/partial_test_accuracy": ("cifar10-valid", "ori-test"),
        "cifar10/test_accuracy": ("cifar10", "ori-test"),
        "cifar10/train_accuracy": ("cifar10", "train"),
        "cifar100/valid_accuracy": ("cifar100", "x-valid"),
        "cifar100/test_accuracy": ("cifar100", "x-test"),
        "imagenet16/test_accuracy": ("ImageNet16-120", "x-test"),
    }
    for name, (data, split) in names.items():
        found = table.values(f"{name}@200", rows)
        assert table.column(f"{name}@200").runs == (777, 888, 999)
        for index in range(len(TEXTS)):
            for run, seed in enumerate((777, 888, 999)):
                expected = value(index, data, seed, split, 199) / 100 if run < 3 - index else np.nan
                assert found[index, run] == pytest.approx(expected, abs=1e-12, nan_ok=True)
        assert table.values(f"{name}@12", rows)[0] == pytest.approx(value(0, data, 777, split, 11) / 100)
    assert table.values("cifar10/valid_loss@200", rows)[0, 0] == pytest.approx(3 / 200)
    assert table.values("cifar10/valid_seconds@200", rows)[1, 0] == pytest.approx(200 * 11.0 + 0.5)
    assert table.values("cifar10/train_seconds@12", rows)[2, 0] == pytest.approx(12 * 12.0)
    assert table.column("cifar10/valid_accuracy@12").cost == "cifar10/valid_seconds@12"
    assert table.values("cifar10/params", rows).tolist() == [129_306] * 3
    for dataset in ("cifar10", "cifar100", "imagenet16"):
        assert table.values(f"{dataset}/macs", rows).tolist() == [15_647_360] * 3
    assert table.values("cifar100/latency_ms/gpu", rows) == pytest.approx([14.0] * 3)


def test_real_torch_writes_what_is_read(tmp_path):
    torch = pytest.importorskip("torch")
    data = whole_file(("less", "full"))
    data["arch2infos"][0]["full"]["all_results"]["cifar10", 777]["net_state_dict"] = {"w": torch.zeros(3)}
    for zipped in (False, True):
        torch.save(data, tmp_path / "file.pth", _use_new_zipfile_serialization=zipped)
        nasbench201.convert(tmp_path / "file.pth", tmp_path / "table")
        check_values(Table(tmp_path / "table"))


def test_curves_are_kept_when_asked_for(tmp_path):
    write_pbz2(tmp_path / "nats.pickle.pbz2", whole_file())
    nasbench201.convert(tmp_path / "nats.pickle.pbz2", tmp_path / "table", curves=True)
    table, space = Table(tmp_path / "table"), NasBench201Space()
    check_values(table)
    rows = table.rows(space.benchmark_keys(np.array([space.parse(TEXTS[1])])))
    for epoch in (1, 57, 200):
        expected = value(1, "cifar10-valid", 888, "x-valid", epoch - 1) / 100
        assert table.values(f"cifar10/valid_accuracy@{epoch}/200", rows)[0, 1] == pytest.approx(expected)
    assert table.values("cifar10/valid_seconds@57/200", rows)[0, 0] == pytest.approx(57 * 11.0 + 0.5)


def test_sets_that_were_only_measured_at_the_end_have_holes_before(tmp_path):
    data = whole_file()
    for training in data["arch2infos"][0]["200"]["all_results"].values():
        for part in ("eval_acc1es", "eval_losses", "eval_times"):
            training[part] = {key: v for key, v in training[part].items() if key.endswith("@199")}
    write_pbz2(tmp_path / "nats.pickle.pbz2", data)
    nasbench201.convert(tmp_path / "nats.pickle.pbz2", tmp_path / "table", curves=True)
    table, space = Table(tmp_path / "table"), NasBench201Space()
    rows = table.rows(space.benchmark_keys(np.array([space.parse(TEXTS[0])])))
    assert np.isnan(table.values("cifar10/test_accuracy@57/200", rows)).all()
    assert np.isfinite(table.values("cifar10/test_accuracy@200", rows)).all()


@pytest.mark.parametrize("name", WRITERS)
def test_cut_files_are_refused(name, tmp_path, torch_names):
    WRITERS[name](tmp_path / name)
    file = tmp_path / name if (tmp_path / name).is_file() else tmp_path / name / "000001.pickle.pbz2"
    content = file.read_bytes()
    for length in (0, 20, len(content) // 2, len(content) * 9 // 10):
        file.write_bytes(content[:length])
        with pytest.raises(DataError, match=file.name):
            nasbench201.convert(tmp_path / name, tmp_path / "table")
    assert not (tmp_path / "table").exists()


def test_files_of_another_benchmark_are_refused(tmp_path):
    for data, complaint in [
        ([1, 2], "meta_archs"),
        ({"meta_archs": TEXTS}, "arch2infos"),
        ({"meta_archs": ["64:64:64"], "arch2infos": {}}, "64:64:64"),
        ({"meta_archs": TEXTS, "arch2infos": {0: {"12": {}}}}, "cell 0"),
        ({"meta_archs": TEXTS, "arch2infos": {0: {"7": arch_results(0, 12, (1,))}}}, "cell 0"),
    ]:
        write_pbz2(tmp_path / "file.pickle.pbz2", data)
        with pytest.raises(DataError, match=complaint):
            nasbench201.convert(tmp_path / "file.pickle.pbz2", tmp_path / "table")
    (tmp_path / "file.pth").write_bytes(pickle.dumps("no torch"))
    with pytest.raises(DataError, match=r"file\.pth"):
        nasbench201.convert(tmp_path / "file.pth", tmp_path / "table")
