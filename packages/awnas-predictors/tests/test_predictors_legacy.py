"""Options of an older layer: every key of predictor-based search has its fate."""

from __future__ import annotations

import pytest

from awnas_predictors.legacy import comparator_options, pointwise_options, predictor_based_options


@pytest.mark.parametrize(
    ("old", "today"),
    [
        ({"begin_train_num": 0}, {"init_samples": 1}),
        ({"inner_random_init": True}, {"elite": 0}),
        ({"inner_random_init": False}, {}),
        ({"inner_steps": 7, "acquisition": "ei"}, {"inner_steps": 7, "acquisition": "ei"}),
        (
            {"predictor_train_cfg": {"epochs": 5, "compare": False}},
            {
                "predictor_type": "pointwise",
                "predictor_cfg": {"epochs": 5, "loss": "mse"},
                "acquisition": "mean",
            },
        ),
        (
            {"arch_network_type": "mine", "arch_network_cfg": {"size": 1}},
            {"predictor_type": "mine", "predictor_cfg": {"size": 1}, "acquisition": "mean"},
        ),
    ],
)
def test_options_of_the_controller(old, today):
    found, notes = predictor_based_options(old)
    assert found == today
    assert {note.split(":")[0] for note in notes} >= set(old) - set(today)


@pytest.mark.parametrize(
    ("name", "today"),
    [
        ("nb101-flow", "gates"),
        ("cellss-flow", "gates"),
        ("nb201-fbflow", "ta-gates"),
        ("nb201-linegcn", "linegcn"),
        ("gcn", "gcn"),
        ("nb101-seq", "seq"),
        ("mine", "mine"),
    ],
)
def test_embedders_have_one_name_for_every_space(name, today):
    assert pointwise_options({"arch_embedder_type": name})[0] == {"embedder": today}


def test_options_of_an_embedder_that_it_still_has_are_renamed_and_others_dropped():
    old = {"gcn_out_dims": [8, 8], "use_bn": True, "node_embedding_dim": 4}
    found, notes = pointwise_options({"arch_embedder_type": "gcn", "arch_embedder_cfg": old})
    assert found == {"embedder": "gcn", "embedder_cfg": {"dims": [8, 8]}}
    assert sum("dropped, because" in note for note in notes) == 2


def test_the_loss_and_the_learning_rate_keep_their_meaning():
    old = {"compare_loss_type": "binary_cross_entropy", "optimizer": {"type": "Adam", "lr": 0.01}}
    assert pointwise_options(old)[0] == {"loss": "bce", "learning_rate": 0.01}
    assert pointwise_options({"compare_loss_type": "margin_linear", "loss": "mse"})[0] == {"loss": "mse"}


def test_comparators_call_their_network_a_predictor():
    assert comparator_options({"arch_network_type": "a", "guide_batch_size": 2})[0] == {
        "predictor_type": "a",
        "guide_batch_size": 2,
    }
