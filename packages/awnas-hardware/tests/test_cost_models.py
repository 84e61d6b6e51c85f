"""Cost models: they find what made up the costs, and survive being written down."""

from __future__ import annotations

import json
import struct
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import kendalltau

from awnas_core.errors import ConfigError, DataError
from awnas_hardware.accuracy import Accuracy
from awnas_hardware.fitting import fit_model, held_out
from awnas_hardware.model_file import HEADER, read_model
from awnas_hardware.models.base import Sample
from awnas_hardware.models.catalogue import MODELS, model_class
from awnas_hardware.vocabulary import MissingPrimitiveError, Vocabulary

NAMES = tuple(f"conv2d({8 * n}x8x8,k=3)" for n in range(1, 7))
TRUE_PARTS = np.array([0.2, 0.5, 0.1, 0.4, 0.3, 0.7])


def sample(n=200, overhead=1.5, parts=TRUE_PARTS, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 6, (n, len(NAMES))).astype(float)
    costs = (counts @ TRUE_PARTS + overhead) * (1 + noise * rng.standard_normal(n))
    return Sample(counts, costs, NAMES, np.array(parts), Vocabulary(NAMES).descriptors(), np.arange(n))


def test_linear_recovers_parts_and_overhead():
    model = model_class("linear").fit(sample(2000))
    assert model.parts == pytest.approx(TRUE_PARTS, abs=1e-3)
    assert model.fixed == pytest.approx(1.5, abs=1e-2)


def test_a_table_adds_the_overhead_that_the_naive_sum_lacks():
    measured = sample()
    assert model_class("table").fit(measured).predict(measured.counts) == pytest.approx(measured.costs)
    assert model_class("sum").fit(measured).predict(measured.counts) == pytest.approx(measured.costs - 1.5)


def test_a_table_of_what_was_never_measured_is_refused():
    unmeasured = sample(parts=np.where(np.arange(6) == 2, np.nan, TRUE_PARTS))
    with pytest.raises(ConfigError, match=r"for 1 of them, such as conv2d\(24x8x8,k=3\)"):
        model_class("table").fit(unmeasured)


def test_the_naive_sum_and_a_constant_stand_beside_every_model():
    judged = held_out([model_class("linear")], sample(noise=0.02))
    assert set(judged) == {"linear", "constant", "sum"}
    assert judged["linear"].rrmse < judged["sum"].rrmse < 1
    assert judged["linear"].rrmse == pytest.approx(0.02, rel=0.3)


def test_networks_that_are_judged_were_not_seen():
    rng = np.random.default_rng(0)
    names = tuple(map(str, range(40)))
    costs, unknown = rng.uniform(1, 2, 40), np.full(40, np.nan)
    noise = Sample(np.eye(40), costs, names, unknown, Vocabulary(names).descriptors(), np.arange(40))
    assert held_out([model_class("linear")], noise)["linear"].tau < 0.2


@pytest.mark.parametrize("kind", MODELS)
def test_a_model_that_was_written_predicts_the_same(kind, tmp_path):
    measured = sample(40, noise=0.05)
    model, _ = fit_model(
        kind, Vocabulary(NAMES), measured, device={"name": "toy", "threads": 1}, source="a test"
    )
    model.write(tmp_path / "m.safetensors")
    read = read_model(tmp_path / "m.safetensors")
    assert np.array_equal(read.model.predict(measured.counts), model.model.predict(measured.counts))
    assert read.header() == model.header()
    assert (read.name, read.unit, read.training["source"]) == ("toy", "ms", "a test")
    assert read.errors[kind]["n"] == 40


@pytest.mark.parametrize("kind", MODELS)
def test_one_network_alone_is_predicted_as_among_others(kind):
    measured = sample(60, noise=0.05)
    model = model_class(kind).fit(measured)
    together = model.predict(measured.counts)
    assert model.predict(measured.counts[7:8]) == pytest.approx(together[7:8])


def test_boosting_predicts_what_its_trees_do_in_scikit_learn():
    from sklearn.ensemble import GradientBoostingRegressor

    measured = sample(noise=0.05)
    level = measured.costs.mean()
    options = {"n_estimators": 400, "max_depth": 4, "learning_rate": 0.05, "subsample": 0.5}
    other = GradientBoostingRegressor(**options, init="zero", random_state=0)
    other.fit(measured.counts, measured.costs - level)
    own = model_class("boosting").fit(measured)
    assert own.predict(measured.counts) == pytest.approx(other.predict(measured.counts) + level)


def error(model, test):
    return Accuracy.of(model.predict(test.counts), test.costs).rrmse


def test_drift_is_told_from_the_architectures():
    """Latency swings while networks are measured; to a model that knows no order that is noise."""
    measured, test = sample(100), sample(300, seed=1)
    drifting = replace(measured, costs=measured.costs + 2 * np.sin(np.arange(100) / 5))
    scattered = replace(drifting, order=np.random.default_rng(2).permutation(100) * 1000)
    ranks = [
        Accuracy.of(model_class("gaussian").fit(s).predict(test.counts), test.costs).tau
        for s in (drifting, scattered)
    ]
    assert ranks[0] > ranks[1] + 0.05


def test_networks_that_were_disturbed_count_less():
    measured, test = sample(120, noise=0.01), sample(300, seed=1)
    outliers = np.where(np.arange(120) % 12 == 0, 4.0, 1.0)
    spoilt = replace(measured, costs=measured.costs * outliers)
    assert error(model_class("gaussian").fit(spoilt), test) < 0.2 * error(
        model_class("linear").fit(spoilt), test
    )


def test_primitives_that_were_hardly_seen_cost_what_others_tell_of_them():
    """The cost follows the arithmetic; half of the primitives stand in a single measured network each."""
    rng = np.random.default_rng(0)
    names = tuple(f"conv2d({8 * n}x8x8,k=3)" for n in range(1, 41))
    macs = Vocabulary(names).descriptors()[:, 1]
    counts = rng.integers(0, 3, (80, 40)).astype(float)
    counts[:60, 20:] = 0
    fresh = rng.integers(0, 3, (200, 40)).astype(float)
    costs = 1 + counts @ macs * (1 + 0.01 * rng.standard_normal(80))
    known = Sample(counts, costs, names, np.full(40, np.nan), Vocabulary(names).descriptors(), np.arange(80))
    test = Sample(fresh, 1 + fresh @ macs, names, known.parts, known.descriptors, np.arange(200))
    assert error(model_class("gaussian").fit(known), test) < 0.3 * error(
        model_class("linear").fit(known), test
    )


@pytest.fixture
def file(tmp_path):
    model, _ = fit_model("linear", Vocabulary(NAMES), sample())
    model.write(tmp_path / "m.safetensors")
    return tmp_path / "m.safetensors"


def changed(file, **header):
    """Rewrite the description in a model file, as an attacker or a newer version would."""
    content = file.read_bytes()
    (size,) = struct.unpack("<Q", content[:8])
    outer = json.loads(content[8 : 8 + size])
    outer["__metadata__"][HEADER] = json.dumps(json.loads(outer["__metadata__"][HEADER]) | header)
    text = json.dumps(outer).encode()
    file.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + size :])


def test_a_cut_file_is_refused(file):
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(DataError, match="cannot read the cost model"):
        read_model(file)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"version": 2}, "has version 2, this awnas-hardware reads version 1"),
        ({"kind": "os.system"}, "no cost model 'os.system'"),
        ({"primitives": ["conv2d(8x8x8)"]}, "is damaged"),
        ({"primitives": 7}, "is damaged"),
        ({"device": "cpu"}, "is damaged"),
    ],
)
def test_a_file_of_something_else_is_refused(file, header, message):
    changed(file, **header)
    with pytest.raises(DataError, match=message):
        read_model(file)


@pytest.mark.parametrize("content", [b"", b"\x80\x04cos\nsystem\n.", b"{}"])
def test_what_is_no_model_is_refused(tmp_path, content):
    (tmp_path / "m").write_bytes(content)
    with pytest.raises(DataError):
        read_model(tmp_path / "m")


def test_a_missing_primitive_is_named_with_the_field_that_differs():
    with pytest.raises(MissingPrimitiveError, match=r"conv2d\(8x8x8,k=5\).*kernel_size 5 vs 3"):
        Vocabulary(NAMES).matrix([{"conv2d(8x8x8,k=5)": 1.0, NAMES[0]: 2.0}])


def test_figures_of_accuracy_are_those_of_their_definitions():
    measured, predicted = np.array([1.0, 2.0, 4.0, 8.0]), np.array([1.1, 1.8, 4.0, 16.0])
    accuracy = Accuracy.of(predicted, measured)
    assert accuracy.rrmse == pytest.approx(np.sqrt((0.1**2 + 0.1**2 + 0 + 1) / 4))
    assert accuracy.median_error == pytest.approx(0.1)
    assert accuracy.within_5 == 0.25
    assert accuracy.tau == pytest.approx(kendalltau(predicted, measured).statistic)


def test_last_bits_do_not_decide_ranks():
    measured = np.array([1.0, 1.0, 2.0, 2.0])
    assert Accuracy.of(measured + np.array([0, 1e-14, 0, -1e-14]), measured).tau == pytest.approx(1)
