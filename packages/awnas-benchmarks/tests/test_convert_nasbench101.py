"""Converting NAS-Bench-101: files written here after the documentation of TFRecord, protobuf and the benchmark."""

import base64
import hashlib
import json
import random
import struct

import numpy as np
import pytest

from awnas_benchmarks.convert import nasbench101, protobuf, tfrecord
from awnas_benchmarks.tables.table import Table
from awnas_core import Purpose
from awnas_core.errors import DataError
from awnas_core.testing.making import build
from awnas_spaces.nasbench101 import NasBench101Space

CELLS = [
    ("0100001000010000", "input,conv3x3-bn-relu,maxpool3x3,output"),
    ("0110000100010000", "input,conv1x1-bn-relu,conv3x3-bn-relu,output"),
    ("0100", "input,output"),
]
BUDGETS = (4, 12, 36, 108)


def crc32c(data):
    """CRC-32C bit by bit; check value: crc32c(b"123456789") == 0xE3069283 (RFC 3720)."""
    crc = 0xFFFFFFFF
    for octet in data:
        crc ^= octet
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def tfrecord_of(records):
    """length, masked crc of length, data, masked crc of data."""
    parts = []
    for record in records:
        length = struct.pack("<Q", len(record))
        parts += [length, struct.pack("<I", masked(length)), record, struct.pack("<I", masked(record))]
    return b"".join(parts)


def varint(number):
    out = b""
    while True:
        number, low = number >> 7, number & 0x7F
        out += bytes([low | (0x80 if number else 0)])
        if not number:
            return out


def double(field, value):
    return varint(field << 3 | 1) + struct.pack("<d", value)


def message(field, content):
    return varint(field << 3 | 2) + varint(len(content)) + content


def model_metrics(params, evaluations, total_time):
    """message ModelMetrics {evaluation_data = 1; trainable_parameters = 2; total_time = 3}."""
    content = b""
    for epoch, seconds, train, valid, test in evaluations:
        data = double(1, epoch) + double(2, seconds) + double(3, train) + double(4, valid) + double(5, test)
        content += message(1, data + message(6, b"/path/model.ckpt-1"))
    return content + varint(2 << 3) + varint(params) + double(3, total_time)


def published_hash(adjacency, operations):
    """The benchmark's rule, written out: degrees and labels, then as many rounds over neighbours as vertices."""
    size = len(operations)
    order = {"input": -1, "conv3x3-bn-relu": 0, "conv1x1-bn-relu": 1, "maxpool3x3": 2, "output": -2}
    matrix = np.array([int(entry) for entry in adjacency]).reshape(size, size)

    def md5(text):
        return hashlib.md5(text.encode("utf-8")).hexdigest()

    hashes = [
        md5(str((int(matrix[v].sum()), int(matrix[:, v].sum()), order[operations[v]]))) for v in range(size)
    ]
    for _ in range(size):
        hashes = [
            md5(
                "".join(sorted(hashes[w] for w in range(size) if matrix[w, v]))
                + "|"
                + "".join(sorted(hashes[w] for w in range(size) if matrix[v, w]))
                + "|"
                + hashes[v]
            )
            for v in range(size)
        ]
    return md5(str(sorted(hashes)))


def accuracy(correct):
    return float(np.float32(correct / 10_000))  # as TensorFlow measured it


def record(cell, epochs, repeat, adjacency, operations):
    base = 1000 * cell + 10 * repeat + epochs
    metrics = model_metrics(
        2_694_282 + cell,
        [
            (0.0, 0.0, accuracy(1000), accuracy(1001), accuracy(1002)),
            (epochs / 2, base / 2, accuracy(base), accuracy(base + 1), accuracy(base + 2)),
            (float(epochs), float(base), accuracy(base + 3), accuracy(base + 4), accuracy(base + 5)),
        ],
        base + 50.0,
    )
    raw = base64.b64encode(metrics).decode("utf-8")
    row = [published_hash(adjacency, operations.split(",")), epochs, adjacency, operations, raw]
    return json.dumps(row).encode("utf-8")


def all_records(budgets=BUDGETS):
    rows = [
        record(cell, epochs, repeat, *text)
        for cell, text in enumerate(CELLS)
        for epochs in budgets
        for repeat in range(3)
    ]
    random.Random(0).shuffle(rows)
    return rows


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nasbench101")
    (folder / "nasbench_full.tfrecord").write_bytes(tfrecord_of(all_records()))
    nasbench101.convert(folder / "nasbench_full.tfrecord", folder / "nasbench-101.safetensors")
    return folder / "nasbench-101.safetensors"


def test_the_checksum_is_the_documented_one():
    assert crc32c(b"123456789") == 0xE3069283
    records = [b"", b"a", b"123456789", bytes(range(256)) * 3]
    assert tfrecord.masked_crc(records).tolist() == [masked(record) for record in records]


def test_messages_are_read_field_by_field_and_unknown_ones_passed_on():
    content = (
        double(2, 1.5)
        + varint(7 << 3)
        + varint(300)
        + message(6, b"text")
        + varint(9 << 3 | 5)
        + struct.pack("<f", 0.5)
    )
    assert list(protobuf.fields(content)) == [(2, 1.5), (7, 300), (6, b"text"), (9, 0.5)]
    for length in (1, 8, 10, 11, 14, 17, len(content) - 1):
        with pytest.raises(ValueError, match="early"):
            list(protobuf.fields(content[:length]))


def test_every_value_of_the_file_is_in_the_table(table):
    found, space = Table(table), NasBench101Space()
    assert (found.size, found.info.space) == (3, "nasbench-101")
    for cell, (adjacency, operations) in enumerate(CELLS):
        inner = operations.split(",")[1:-1]
        size = len(inner) + 2
        edges = [f"{i // size}-{i % size}" for i, entry in enumerate(adjacency) if entry == "1"]
        arch = space.parse(f"NasBench101({', '.join(inner)}; {', '.join(edges)})")
        rows = found.rows(space.benchmark_keys(np.array([arch])))
        assert rows[0] >= 0
        assert found.values("cifar10/params", rows)[0] == 2_694_282 + cell
        for epochs in BUDGETS:
            bases = {1000 * cell + 10 * repeat + epochs for repeat in range(3)}
            for name, shift in (("train", 3), ("valid", 4), ("test", 5)):
                end = found.values(f"cifar10/{name}_accuracy@{epochs}", rows)[0]
                half = found.values(f"cifar10/{name}_accuracy@{epochs // 2}/{epochs}", rows)[0]
                assert set(end) == {(base + shift) / 10_000 for base in bases}
                assert set(half) == {(base + shift - 3) / 10_000 for base in bases}
            assert set(found.values(f"cifar10/train_seconds@{epochs}", rows)[0]) == bases


def test_the_evaluator_believes_one_training_and_pays_for_it(table):
    space = NasBench101Space()
    arch = space.parse("NasBench101(conv3x3-bn-relu, maxpool3x3; 0-1, 1-2, 2-3)")
    cfg = {"table": str(table), "run": "random", "signal": "cifar10/valid_accuracy@54/108"}
    evaluator = build("evaluator", "nasbench-101", cfg, {"search_space": space})
    rollouts = evaluator.evaluate_rollouts([space.rollout(arch) for _ in range(60)])
    bases = [10 * repeat + 108 for repeat in range(3)]
    seen = {(rollout.reward, rollout.evaluation.fidelity["seconds"]) for rollout in rollouts}
    assert seen == {((base + 1) / 10_000, base / 2) for base in bases}
    assert evaluator.epochs == 60 * 54
    (final,) = evaluator.evaluate_rollouts([space.rollout(arch)], Purpose.DERIVE)
    assert final.perf["cifar10/test_accuracy@108"] == pytest.approx(
        np.mean([base + 5 for base in bases]) / 10_000
    )
    (unknown,) = evaluator.evaluate_rollouts(space.random_samples(1, np.random.default_rng(0)))
    assert unknown.status == "infeasible"


def test_a_table_of_one_budget_is_made_of_the_small_file(tmp_path):
    (tmp_path / "only108").write_bytes(tfrecord_of(all_records((108,))))
    nasbench101.convert(tmp_path / "only108", tmp_path / "table")
    assert set(Table(tmp_path / "table").columns) == {
        "cifar10/params",
        *(
            f"cifar10/{name}@108"
            for name in ("train_accuracy", "valid_accuracy", "test_accuracy", "train_seconds")
        ),
    }


def test_cut_and_damaged_files_are_refused_with_the_record(tmp_path):
    content = bytearray(tfrecord_of(all_records((108,))))
    source = tmp_path / "file.tfrecord"
    for length in (5, 11, 13, 100, len(content) - 1):
        source.write_bytes(content[:length])
        with pytest.raises(DataError, match="cut short at record"):
            nasbench101.convert(source, tmp_path / "table")
    for place in (0, 9, 50, len(content) - 2):
        content[place] ^= 1
        source.write_bytes(content)
        with pytest.raises(DataError, match="record"):
            nasbench101.convert(source, tmp_path / "table")
        content[place] ^= 1
    source.write_bytes(b"")
    with pytest.raises(DataError, match="no record"):
        nasbench101.convert(source, tmp_path / "table")
    assert not (tmp_path / "table").exists()


def test_records_of_another_kind_are_refused(tmp_path):
    good = json.loads(all_records((108,))[0])
    wrong = [
        (b"no json", "record 0"),
        (json.dumps({"a": 1}).encode(), "expected"),
        (json.dumps([*good[:4], "!!!"]).encode(), "record 0"),
        (
            json.dumps([*good[:4], base64.b64encode(model_metrics(1, [], 0.0)).decode()]).encode(),
            "evaluations",
        ),
        (json.dumps(["0" * 32, *good[1:]]).encode(), "hash"),
        (json.dumps([good[0], 108, "01", *good[3:]]).encode(), "entries of the matrix"),
    ]
    for content, complaint in wrong:
        (tmp_path / "file").write_bytes(tfrecord_of([content]))
        with pytest.raises(DataError, match=complaint):
            nasbench101.convert(tmp_path / "file", tmp_path / "table")
