"""NAS-Bench-301: features, trees and noise, against the libraries that made the models.

The models below ``data/nb301`` were grown and pickled by XGBoost 1.0.2 and LightGBM 2.3.1, the versions of the
benchmark; features and predictions in ``expected.json`` are those of ConfigSpace 0.4 and these libraries.
"""

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

from awnas_benchmarks.convert import nb301
from awnas_benchmarks.surrogates import lightgbm_model, xgboost_model
from awnas_benchmarks.surrogates.nb301_features import NAMES, features
from awnas_benchmarks.surrogates.trees import Ensemble
from awnas_core import ConfigError, Purpose
from awnas_core.errors import DataError
from awnas_core.testing import EvaluatorContract
from awnas_core.testing.making import build
from awnas_spaces.nb301 import Nb301Space

FILES = Path(__file__).parent / "data" / "nb301"
EXPECTED = json.loads((FILES / "expected.json").read_text())
SPACE = Nb301Space()
ARCHS = [SPACE.parse(text) for text in EXPECTED["genotypes"]]


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """The paths of both converted ensembles."""
    folder = tmp_path_factory.mktemp("nb301")
    paths = {kind: folder / f"{kind}.safetensors" for kind in ("xgb_v1.0", "lgb_runtime_v1.0")}
    for kind, path in paths.items():
        nb301.convert(FILES / kind, path)
    return paths


class TestNb301(EvaluatorContract):
    component = "nb301"

    @pytest.fixture(autouse=True)
    def converted(self, models):
        self.cfg = {
            "path": str(models["xgb_v1.0"]),
            "runtime": str(models["lgb_runtime_v1.0"]),
        }

    def space(self):
        return Nb301Space()


def evaluator(models, seed=0, **cfg):
    options = {"path": str(models["xgb_v1.0"]), **cfg}
    return build("evaluator", "nb301", options, {"search_space": SPACE}, np.random.default_rng(seed))


def test_features_are_those_of_the_configuration_space():
    assert len(NAMES) == 56
    for arch, vector in zip(ARCHS, EXPECTED["vectors"], strict=True):
        assert features(SPACE, arch) == pytest.approx(vector, abs=1e-12)


def test_trees_of_xgboost_predict_what_xgboost_predicts(models):
    predicted = Ensemble.load(models["xgb_v1.0"]).predict(np.array(EXPECTED["vectors"]))
    assert predicted == pytest.approx(np.array(EXPECTED["accuracy"]).T, rel=1e-6)


def test_trees_of_lightgbm_predict_what_lightgbm_predicts(models):
    """The second member predicts with its best three of five trees, as the library does."""
    predicted = Ensemble.load(models["lgb_runtime_v1.0"]).predict(np.array(EXPECTED["vectors"]))
    assert predicted == pytest.approx(np.array(EXPECTED["seconds"]).T, rel=1e-12)


def test_a_feature_at_the_threshold_goes_where_the_library_sends_it():
    """XGBoost goes left below the threshold, LightGBM up to it: both trees split feature 0 at 1."""
    booster = xgb_of_one_split(1.0)
    (trees, base), rows = xgboost_model.read_booster(booster), np.array([[0.999], [1.0], [1.001]])
    ensemble = Ensemble([trees], [base], is_single=True, about={})
    assert ensemble.predict(rows)[:, 0].tolist() == [10.5, 20.5, 20.5]
    text = (
        "tree\nobjective=regression\n\nTree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\nthreshold=1\n"
        "decision_type=2\nleft_child=-1\nright_child=-2\nleaf_value=10 20\n\nend of trees\n"
    )
    light = Ensemble([lightgbm_model.read_booster(text)], [0.0], is_single=False, about={})
    assert light.predict(rows)[:, 0].tolist() == [10.0, 10.0, 20.0]


def xgb_of_one_split(threshold):
    """A booster of one tree in XGBoost's binary form, written from its headers."""
    import struct

    learner = struct.pack("<fIiii2I27i", 0.5, 1, 0, 0, 0, 1, 0, *[0] * 27)
    names = b"".join(struct.pack("<Q", len(name)) + name for name in (b"reg:squarederror", b"gbtree"))
    forest = struct.pack("<4iq2i32i", 1, 1, 1, 0, 0, 1, 0, *[0] * 32)
    tree = struct.pack("<6i31i", 1, 3, 0, 1, 1, 0, *[0] * 31)
    nodes = struct.pack("<iiiIf", -1, 1, 2, 0x80000000, threshold)
    nodes += struct.pack("<iiiIf", 0, -1, -1, 0, 10.0) + struct.pack("<iiiIf", 0, -1, -1, 0, 20.0)
    return learner + names + forest + tree + nodes + bytes(3 * 16) + struct.pack("<i", 0)


def test_the_mean_is_the_final_choice_and_noise_has_the_spread_of_the_ensemble(models):
    members = np.array(EXPECTED["accuracy"])[:, 1] / 100
    (final,) = evaluator(models).evaluate_rollouts([SPACE.rollout(ARCHS[1])], Purpose.DERIVE)
    assert final.reward == pytest.approx(members.mean(), rel=1e-6)
    noisy = evaluator(models).evaluate_rollouts([SPACE.rollout(ARCHS[1]) for _ in range(2_000)])
    rewards = np.array([rollout.reward for rollout in noisy])
    assert rewards.mean() == pytest.approx(members.mean(), abs=4 * members.std() / 2_000**0.5)
    assert rewards.std() == pytest.approx(members.std(), rel=0.1)
    (quiet,) = evaluator(models, with_noise=False).evaluate_rollouts([SPACE.rollout(ARCHS[1])])
    assert quiet.reward == final.reward


def test_the_runtime_is_paid_for(models):
    paying = evaluator(models, runtime=str(models["lgb_runtime_v1.0"]))
    paying.evaluate_rollouts([SPACE.rollout(arch) for arch in ARCHS])
    paying.evaluate_rollouts([SPACE.rollout(ARCHS[0])], Purpose.DERIVE)
    assert paying.seconds == pytest.approx(np.mean(EXPECTED["seconds"], axis=0).sum())


def test_models_of_another_quantity_and_missing_ones_are_refused(models):
    with pytest.raises(ConfigError, match="predicts seconds, not accuracy"):
        evaluator(models, path=str(models["lgb_runtime_v1.0"]))
    with pytest.raises(ConfigError, match="awnas bench convert nb301"):
        evaluator(models, path="nowhere")


@pytest.mark.parametrize("kind", ["xgb_v1.0", "lgb_runtime_v1.0"])
def test_damaged_and_hostile_models_are_refused(kind, tmp_path):
    shutil.copytree(FILES / kind, tmp_path / kind)
    model = tmp_path / kind / "1" / "surrogate_model.model"
    content = model.read_bytes()
    for length in (0, 10, len(content) // 2, len(content) - 1):
        model.write_bytes(content[:length])
        with pytest.raises(DataError, match="surrogate_model"):
            nb301.convert(tmp_path / kind, tmp_path / "out")
    model.write_bytes(pickle.dumps({"handle": "x"}))
    with pytest.raises(DataError, match="holds no booster"):
        nb301.convert(tmp_path / kind, tmp_path / "out")
    (tmp_path / kind / "1" / "model_config.json").write_text('{"model": "gnn_gin"}')
    with pytest.raises(DataError, match="all alike"):
        nb301.convert(tmp_path / kind, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_models_are_called_after_what_they_predict():
    assert nb301.default_name(FILES / "xgb_v1.0") == "nb301-accuracy"
    assert nb301.default_name(FILES / "lgb_runtime_v1.0") == "nb301-seconds"


def test_a_folder_without_models_is_named(tmp_path):
    with pytest.raises(DataError, match=r"surrogate_model\.model"):
        nb301.convert(tmp_path, tmp_path / "out")
