"""The predictors that a config can name keep the contract of their kind."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest

from awnas_core.errors import ConfigError
from awnas_core.testing.making import build
from awnas_core.testing.toys import ToySpace
from awnas_predictors.components.pointwise import EmbedderName
from awnas_predictors.embedders.named import EMBEDDERS
from awnas_predictors.testing import PredictorContract
from awnas_spaces.nasbench201 import NasBench201Space
from awnas_spaces.nasbench_macro import NasBenchMacroSpace

SMALL: dict[str, Any] = {
    "embedder_cfg": {"dims": (8, 8), "op_dim": 8},
    "hiddens": (16,),
    "epochs": 20,
    "batch_size": 32,
    "learning_rate": 0.01,
}


class TestGaussianProcess(PredictorContract):
    component = "gaussian-process"


class TestGaussianProcessOfRanks(PredictorContract):
    component = "gaussian-process"
    cfg = {"targets": "ranks", "features": "one-hot"}

    def space(self):
        return ToySpace(num_decisions=5)


class TestRelevanceProcess(PredictorContract):
    component = "relevance-process"
    cfg = {"steps": 20}


class TestProcessForest(PredictorContract):
    component = "process-forest"
    cfg = {"trees": 10}


class TestRandomForest(PredictorContract):
    component = "random-forest"
    cfg = {"trees": 8}

    def space(self):
        return NasBenchMacroSpace()


class TestBoostedTrees(PredictorContract):
    component = "boosted-trees"
    cfg = {"rounds": 30}


class TestGatesNetwork(PredictorContract):
    component = "pointwise"
    cfg = SMALL


class TestEnsemble(PredictorContract):
    component = "ensemble"
    cfg = {
        "size": 2,
        "member_cfg": {**SMALL, "embedder": "graph-features", "embedder_cfg": None, "loss": "mse"},
    }


CODES = NasBench201Space().sample_codes(30, np.random.default_rng(0))
TARGETS = CODES.sum(1) / 20


def made(name: str, cfg: dict[str, Any]) -> Any:
    return build("predictor", name, cfg, {"search_space": NasBench201Space()})


def test_an_ensemble_is_unsure_by_the_disagreement_of_members_and_their_own_doubt():
    ensemble = made("ensemble", {"member_type": "random-forest", "member_cfg": {"trees": 5}, "size": 3})
    ensemble.fit(CODES, TARGETS, np.random.default_rng(0))
    answers = [member.predict(CODES) for member in ensemble.members]
    draws = np.concatenate([[a.mean + a.deviation, a.mean - a.deviation] for a in answers])
    found = ensemble.predict(CODES)
    np.testing.assert_allclose(found.mean, draws.mean(0))  # of a mixture of two points for each member
    np.testing.assert_allclose(found.deviation, draws.std(0))
    assert found.deviation.min() > 0


def test_a_forest_is_unsure_by_the_disagreement_of_its_trees():
    one_tree, many = made("random-forest", {"trees": 1}), made("random-forest", {"trees": 30})
    for forest in (one_tree, many):
        forest.fit(CODES, TARGETS, np.random.default_rng(0))
    assert one_tree.predict(CODES).deviation.max() == 0
    assert many.predict(CODES).deviation.max() > 0


@pytest.mark.parametrize("unit", [0.01, 100.0])
@pytest.mark.parametrize("name", ["gaussian-process", "random-forest", "boosted-trees"])
def test_predictions_have_the_unit_of_the_targets(name, unit):
    predictor = made(name, {})
    predictor.fit(CODES, 7 + unit * TARGETS, np.random.default_rng(0))
    assert np.abs(predictor.predict(CODES).mean - 7 - unit * TARGETS).mean() < 0.1 * unit


def test_a_space_without_cells_is_refused_by_graph_features():
    predictor = build("predictor", "gaussian-process", {}, {"search_space": ToySpace()})
    with pytest.raises(ConfigError, match="no cells to encode"):
        predictor.fit(np.zeros((2, 4), dtype=np.int64), np.arange(2.0), np.random.default_rng(0))


def test_an_option_that_the_embedder_lacks_is_refused_before_anything_is_trained():
    with pytest.raises(ConfigError, match=r"embedder 'gcn' has no option stages; it has dims, op_dim"):
        made("pointwise", {"embedder": "gcn", "embedder_cfg": {"stages": 2}})


def test_every_embedder_can_be_named():
    assert set(get_args(EmbedderName)) == set(EMBEDDERS)
