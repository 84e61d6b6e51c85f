"""The objective ``hardware``: predicted costs, worked out once, and budgets that nothing can keep."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from awnas_core import Batch, ConfigError, Constraint, RelaxedRollout
from awnas_core.layers import LayerSpec
from awnas_core.testing import ObjectiveContract
from awnas_core.testing.toys import ToySpace
from awnas_hardware.devices import model_paths, open_model
from awnas_hardware.model_file import DeviceModel
from awnas_hardware.models.additive import LinearModel
from awnas_hardware.objective import HardwareObjective
from awnas_hardware.published import NasBench201
from awnas_hardware.vocabulary import MissingPrimitiveError, Vocabulary

WIDTHS = (8, 16, 24)


class ChainSpace(ToySpace):
    """Four convolutions, each of one of three widths; the layers asked for are counted."""

    def __init__(self):
        super().__init__(num_decisions=4)
        self.asked = Counter()

    def layers(self, rollout):
        self.asked[rollout.arch] += 1
        shapes = [(WIDTHS[code], 8, 8) for code in rollout.arch]
        return [
            LayerSpec(name=f"{i}", op="conv2d", input_shape=s, output_shape=s) for i, s in enumerate(shapes)
        ]


@pytest.fixture
def model(tmp_path):
    """1 ms, and 1, 2 or 3 ms for each convolution."""
    names = tuple(f"conv2d({width}x8x8)" for width in WIDTHS)
    path = tmp_path / "toy.safetensors"
    fitted = LinearModel(np.array([1.0, 2.0, 3.0]), 1.0)
    DeviceModel(model=fitted, vocabulary=Vocabulary(names), device={"name": "toy"}).write(path)
    return str(path)


def objective(model, *bounds, space=None):
    constraints = tuple(Constraint(metric="latency_ms", bound=bound) for bound in bounds)
    return HardwareObjective(
        space or ChainSpace(), np.random.default_rng(0), constraints=constraints, model=model
    )


def test_the_cost_is_the_sum_of_its_primitives(model):
    space = ChainSpace()
    measured = objective(model, space=space).measure(space.rollout((0, 1, 2, 2)))
    assert measured == {"latency_ms": 1 + 1 + 2 + 3 + 3}


def test_the_cost_is_worked_out_once_for_each_architecture(model):
    space = ChainSpace()
    measuring = objective(model, space=space)
    for _ in range(3):
        for arch in ((0, 1, 2, 2), (1, 1, 1, 1)):
            measuring.measure(space.rollout(arch))
    assert space.asked == {(0, 1, 2, 2): 1, (1, 1, 1, 1): 1}


def test_a_relaxed_architecture_costs_what_its_most_likely_one_does(model):
    space = ChainSpace()
    weights = {f"d{i}": np.eye(3)[[2 - i % 2]] for i in range(4)}
    assert objective(model, space=space).measure(RelaxedRollout(space, weights)) == {
        "latency_ms": 1 + 3 + 2 + 3 + 2
    }


def test_a_budget_that_one_architecture_keeps_is_taken(model):
    assert objective(model, 5.0).metrics()[0].direction == "min"  # 1 of 81 architectures costs 5 ms


def test_a_budget_that_none_keeps_is_refused_with_the_least_cost(model):
    with pytest.raises(
        ConfigError, match=r"keeps the budget on toy: .*latency_ms is 5, the bound is max 4\.9"
    ):
        objective(model, 4.9)


def test_a_bound_on_another_metric_is_left_to_its_objective(model):
    HardwareObjective(
        ChainSpace(),
        np.random.default_rng(0),
        constraints=(Constraint(metric="params", bound=1),),
        model=model,
    )


def test_an_architecture_with_an_unknown_primitive_is_an_error(model, monkeypatch):
    space = ChainSpace()
    measuring = objective(model, space=space)
    monkeypatch.setattr(f"{__name__}.WIDTHS", (8, 16, 32))
    with pytest.raises(
        MissingPrimitiveError, match=r"conv2d\(32x8x8\); the nearest known differs in input 32x8x8 vs"
    ):
        measuring.measure(space.rollout((2, 2, 2, 2)))


def test_a_space_that_knows_no_layers_is_refused(model):
    with pytest.raises(ConfigError, match="weights_manager_type"):
        objective(model, space=ToySpace()).measure(ToySpace().rollout((0, 0, 0, 0)))


class CellSpace(ToySpace):
    """Cells as NAS-Bench-201 writes them."""

    def __init__(self):
        super().__init__(num_decisions=6, num_choices=5)

    def genotype(self, arch):
        names = [NasBench201.operations[code] for code in arch]
        edges = iter(f"{name}~{source}" for name, source in zip(names, (0, 0, 1, 0, 1, 2), strict=True))
        return "+".join(f"|{'|'.join(next(edges) for _ in range(count))}|" for count in (1, 2, 3))


class TestHardwareObjective(ObjectiveContract):
    component = HardwareObjective
    cfg = {"model": "nasbench-201/raspi4"}

    def collaborators(self):
        return {"search_space": CellSpace()}

    def batches(self):
        return [Batch(None, None, None, size=size) for size in (3, 2)]


def test_a_device_of_a_published_table_is_asked_in_the_words_of_the_table():
    space = CellSpace()
    costs = [
        objective("nasbench-201/1080ti_256", space=space).measure(space.rollout((code,) * 6))["latency_ms"]
        for code in (0, 2, 3)
    ]
    assert costs == sorted(costs)


def test_every_shipped_model_says_where_it_comes_from():
    assert len(model_paths()) >= 58
    for name in model_paths():
        model = open_model(name)
        assert model.training["licence"] == "MIT"
        assert model.training["source"]
        assert model.errors[model.model.kind]["tau"] > 0.5


def test_an_unknown_device_is_refused_with_the_nearest_name():
    with pytest.raises(ConfigError, match="did you mean 'fbnet/pixel2'"):
        open_model("fbnet/pixel-2")


def test_ones_own_model_is_found_by_its_name(model, own_home):
    folder = own_home / "data" / "devices"
    folder.mkdir(parents=True)
    (folder / "mine.safetensors").write_bytes(Path(model).read_bytes())
    assert open_model("mine").name == "toy"
