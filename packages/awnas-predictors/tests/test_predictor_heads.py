"""Pairwise, multi-fidelity and ensemble heads."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from awnas_core.errors import ConfigError
from awnas_predictors.dynamic_ensemble import DynamicEnsemblePredictor, Experts
from awnas_predictors.embedders.named import make_embedder
from awnas_predictors.encoding import encode
from awnas_predictors.fidelities import FidelityHeads, MultiFidelityPredictor
from awnas_predictors.graph_features import graph_features
from awnas_predictors.losses import bce_loss
from awnas_predictors.pairwise import PairwisePredictor
from awnas_spaces.nasbench201 import NasBench201Space

CODES = np.random.default_rng(1).integers(5, size=(120, 6))
GRAPHS = encode(NasBench201Space(), CODES)
COUNTS = graph_features(GRAPHS)[:, :4].astype(float)  # skips, 1×1, 3×3, pools that count
TRAIN, TEST = slice(90), slice(90, None)
SMALL = {"hiddens": (32,), "epochs": 60}


def embedder(seed: int = 0, name: str = "seq", **options: object):
    return make_embedder(name, GRAPHS, np.random.default_rng(seed), **options)


def agreement(a: np.ndarray, b: np.ndarray) -> float:
    """Return the share of pairs in the same order."""
    pairs = [(i, j) for i, j in itertools.combinations(range(len(b)), 2) if b[i] != b[j]]
    return float(np.mean([(a[i] > a[j]) == (b[i] > b[j]) for i, j in pairs]))


def test_the_cross_entropy_of_pairs_is_that_of_their_order() -> None:
    scores, targets = torch.tensor([0.2, -0.3, 0.9]), torch.tensor([2.0, 1.0, 2.0])
    won = torch.sigmoid(torch.tensor([0.2 + 0.3, 0.9 + 0.3]))  # the tie of first and last does not count
    torch.testing.assert_close(bce_loss(scores, targets), -won.log().mean())


@pytest.mark.parametrize("loss", ["bce", "hinge"])
def test_a_comparator_orders_cells_it_has_not_seen(loss) -> None:
    predictor = PairwisePredictor(embedder(), np.random.default_rng(0), loss=loss, **SMALL)
    predictor.fit(GRAPHS[TRAIN], COUNTS[TRAIN, 2])
    assert agreement(predictor.predict(GRAPHS[TEST]), COUNTS[TEST, 2]) > 0.8


def test_a_pair_turned_round_has_the_opposite_probability_and_a_cell_draws_with_itself() -> None:
    predictor = PairwisePredictor(embedder(name="gcn"), np.random.default_rng(0), **SMALL)
    one, other = GRAPHS[:30], GRAPHS[30:60]
    there, back = predictor.compare(one, other), predictor.compare(other, one)
    np.testing.assert_allclose(there + back, 1, atol=1e-5)
    np.testing.assert_allclose(predictor.compare(one, one), 0.5, atol=1e-6)
    assert np.abs(there - 0.5).max() > 1e-4


def test_the_score_of_a_cell_is_how_often_it_should_win() -> None:
    predictor = PairwisePredictor(
        embedder(), np.random.default_rng(0), opponents=10**6, hiddens=(8,), epochs=3
    )
    predictor.fit(GRAPHS[:20], COUNTS[:20, 2])
    won = [predictor.compare(GRAPHS[np.full(20, cell)], GRAPHS[:20]).mean() for cell in range(40, 50)]
    np.testing.assert_allclose(predictor.predict(GRAPHS[40:50]), won, atol=1e-5)


def test_a_comparator_that_was_never_fitted_has_no_scores() -> None:
    with pytest.raises(ConfigError, match="fit it first"):
        PairwisePredictor(embedder(), np.random.default_rng(0)).predict(GRAPHS)


@pytest.mark.parametrize(("name", "options"), [("seq", {}), ("ta-gates", {"dims": (16, 16, 16), "steps": 2})])
def test_each_fidelity_is_ranked_by_its_own_head(name: str, options: dict[str, object]) -> None:
    targets = COUNTS[:, [1, 2]].copy()
    targets[:45, 1] = np.nan  # only half of the cells were measured to the end
    predictor = MultiFidelityPredictor(
        embedder(name=name, **options), np.random.default_rng(0), fidelities=2, hiddens=(32,), epochs=60
    )
    predictor.fit(GRAPHS[TRAIN], targets[TRAIN])
    found = predictor.predict_all(GRAPHS[TEST])
    assert agreement(found[:, 0], targets[TEST, 0]) > 0.8
    assert agreement(found[:, 1], targets[TEST, 1]) > 0.8
    assert np.array_equal(found[:, 1], predictor.predict(GRAPHS[TEST]))


def test_an_earlier_fidelity_is_read_from_an_earlier_step() -> None:
    gates = embedder(name="ta-gates", dims=(16, 16))
    predictor = MultiFidelityPredictor(gates, np.random.default_rng(0), fidelities=2, hiddens=(8,))
    assert isinstance(predictor.network, FidelityHeads)
    with torch.no_grad():
        first, _ = gates.anytime(*gates.prepare(GRAPHS))
        expected = predictor.network.heads[0](first).squeeze(1).numpy()
    np.testing.assert_allclose(predictor.predict_all(GRAPHS)[:, 0], expected, atol=1e-6)


def test_a_fidelity_that_nobody_measured_changes_nothing() -> None:
    predictor = MultiFidelityPredictor(
        embedder(), np.random.default_rng(0), fidelities=2, hiddens=(8,), epochs=2
    )
    before = predictor.predict(GRAPHS)
    predictor.fit(GRAPHS, np.stack([COUNTS[:, 2], np.full(len(GRAPHS), np.nan)], 1))
    assert np.array_equal(predictor.predict(GRAPHS), before)


def test_steps_and_fidelities_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ConfigError, match="3 steps; give it 1, or 2"):
        MultiFidelityPredictor(embedder(name="ta-gates", steps=3), np.random.default_rng(0), fidelities=2)


def ensemble() -> DynamicEnsemblePredictor:
    return DynamicEnsemblePredictor(embedder, np.random.default_rng(0), experts=3, **SMALL)


def test_an_ensemble_weighs_its_experts_for_each_cell() -> None:
    predictor = ensemble()
    network, (inputs,) = predictor.network, predictor.prepare(GRAPHS)
    assert isinstance(network, Experts)
    with torch.no_grad():
        opinions = torch.stack([expert(inputs) for expert in network.experts], 1)
        weights = torch.exp(network.gate(network.embedder(inputs)))
        expected = (weights * opinions).sum(1) / weights.sum(1)
    np.testing.assert_allclose(predictor.predict(GRAPHS), expected, atol=1e-5)
    assert (weights / weights.sum(1, keepdim=True)).std(0).min() > 1e-4


def test_each_expert_learns_its_own_measurement_before_what_counts_is_known() -> None:
    predictor = ensemble()
    predictor.fit_experts(GRAPHS[TRAIN], COUNTS[TRAIN, 1:])
    network, inputs = predictor.network, predictor.prepare(GRAPHS[TEST])
    assert isinstance(network, Experts)
    opinions = network.opinions(*inputs).detach().numpy()
    for place in range(3):
        assert agreement(opinions[:, place], COUNTS[TEST, 1 + place]) > 0.8


def test_experts_of_what_decides_make_few_measurements_enough() -> None:
    """Accuracy here is decided by three counts; 12 cells that say so leave a perceptron alone with noise."""
    truth = COUNTS[:, 1] + 3 * COUNTS[:, 2] - COUNTS[:, 3]
    taught, alone = ensemble(), ensemble()
    taught.fit_experts(GRAPHS[TRAIN], COUNTS[TRAIN, 1:])
    for predictor in (taught, alone):
        predictor.fit(GRAPHS[:12], truth[:12])
    taught_found, alone_found = (agreement(p.predict(GRAPHS[TEST]), truth[TEST]) for p in (taught, alone))
    assert taught_found > alone_found + 0.05
