"""Evaluator options of the older layer: each is used, renamed, or dropped with its reason."""

from __future__ import annotations

import pytest

from awnas_core import ConfigError
from awnas_core.testing.making import check
from awnas_training.evaluators.legacy import mepa, shared_weights
from awnas_training.evaluators.surrogate import Surrogate

DARTS = {
    "batch_size": 64,
    "controller_surrogate_steps": 0,
    "mepa_surrogate_steps": 0,
    "disable_step_current": True,
    "data_portion": [0.0, 0.5, 0.5],
    "mepa_optimizer": {"type": "SGD", "lr": 0.025, "momentum": 0.9, "weight_decay": 3e-4},
    "mepa_scheduler": {"type": "CosineAnnealingLR", "T_max": 50, "eta_min": 1e-4},
    "surrogate_optimizer": {"type": "SGD", "lr": 0.001},
    "surrogate_scheduler": None,
    "schedule_every_batch": False,
    "load_optimizer": True,
    "use_maml_plus": False,
    "multi_step_loss_epochs": 10,
    "rollout_batch_size": 1,
}


def test_mepa_without_surrogate_steps_is_plain_weight_sharing():
    options = check("evaluator", "mepa", DARTS).options
    plain = {
        "batch_size": 64,
        "data_portion": [0.5, 0.5],
        "eval_optimizer": DARTS["mepa_optimizer"],
        "eval_scheduler": DARTS["mepa_scheduler"],
    }
    for name in ("discrete_shared_weights", "differentiable_shared_weights"):
        expected = check("evaluator", name, plain)
        assert options == expected.options
        assert check("evaluator", "mepa", DARTS).cls is expected.cls


def test_every_key_of_mepa_is_accounted_for():
    new, notes = mepa(DARTS)
    kept = {key for key in DARTS if key in new and new[key] == DARTS[key]}
    noted = {note.split(":")[0] for note in notes}
    assert kept | noted == set(DARTS)
    assert not kept & noted


def test_surrogate_steps_are_taken_over_with_a_queue_of_their_own():
    cfg = {
        "controller_surrogate_steps": [1, 2],
        "surrogate_optimizer": {"type": "SGD", "lr": 0.1},
        "use_same_surrogate_data": True,
        "mepa_samples": 4,
        "schedule_cfg": {
            "mepa_samples": {"type": "value", "value": [1, 4], "boundary": [1, 5]},
            "mepa_surrogate_steps": {"type": "value", "value": [0, 1], "boundary": [1, 5]},
        },
    }
    checked = check("evaluator", "mepa", cfg)
    assert checked.options["surrogate"] == Surrogate(
        controller_steps=(1, 2),
        weights_steps=1,
        optimizer={"type": "SGD", "lr": 0.1},
        same_data=True,
        own_queue=True,
    )
    assert checked.options["data_portion"] == (0.1, 0.4, 0.5)
    assert checked.options["eval_samples"] == 4
    assert set(checked.schedules) == {"eval_samples", "weights_surrogate_steps"}


def test_steps_that_are_scheduled_only_need_their_queue_too():
    schedule = {"controller_surrogate_steps": {"type": "value", "value": [0, 1], "boundary": [1, 5]}}
    new, _ = mepa({**DARTS, "data_portion": [0.1, 0.4, 0.5], "schedule_cfg": schedule})
    assert new["surrogate"]["own_queue"]
    assert new["data_portion"] == [0.1, 0.4, 0.5]


def test_the_weights_queue_may_serve_surrogate_steps():
    new, _ = mepa({"mepa_as_surrogate": True, "data_portion": [0, 0.5, 0.5]})
    assert new["data_portion"] == [0.5, 0.5]
    assert new["surrogate"]["own_queue"] is False
    with pytest.raises(ConfigError, match=r"first part, for surrogate steps, must be 0, got 0\.1"):
        mepa({"mepa_as_surrogate": True, "data_portion": [0.1, 0.4, 0.5]})


@pytest.mark.parametrize(
    ("cfg", "message"),
    [
        ({"use_maml_plus": True}, r"use_maml_plus: MAML\+\+ .* is not available"),
        (
            {"controller_surrogate_steps": "np.random.randint(3)"},
            "an expression is not evaluated; list the numbers",
        ),
        ({"data_portion": [0.5, 0.5]}, "has 3 or 4 parts"),
    ],
)
def test_what_cannot_be_translated_is_refused(cfg, message):
    with pytest.raises(ConfigError, match=message):
        mepa(cfg)


def test_flags_of_the_older_shared_weights_evaluators_are_dropped():
    new, notes = shared_weights({"batch_size": 8, "pin_memory_per_queue": False, "load_scheduler": True})
    assert new == {"batch_size": 8}
    assert len(notes) == 2


@pytest.mark.parametrize("name", ["mepa", "discrete_shared_weights"])
def test_options_of_single_queues_are_taken_over(name):
    first = [0.0] if name == "mepa" else []
    options = {"batch_size": 8, "num_workers": 3, "no_distributed_sampler": True, "shuffle": False}
    cfg = {"data_portion": [*first, 0.5, ["train", 0.5, options]]}
    cfg |= dict.fromkeys(("controller_surrogate_steps", "mepa_surrogate_steps"), 0) if first else {}
    checked = check("evaluator", name, cfg)
    queue = {"batch_size": 8, "workers": 3, "shuffle": False}
    assert checked.options["data_portion"] == (0.5, ["train", 0.5, queue])


def test_what_becomes_of_options_of_single_queues_is_told():
    _, notes = shared_weights(
        {"data_portion": [0.5, ["train", 0.5, {"num_workers": 3, "no_distributed_sampler": True}]]}
    )
    assert [note.split(",")[0] for note in notes] == [
        "data_portion[1].num_workers: now called workers", "data_portion[1].no_distributed_sampler: dropped"
    ]  # fmt: skip


def test_the_learning_rate_after_a_switch_is_divided_only_where_a_rule_says_so():
    cfg = {"switch_epochs": [401], "lr_factor": 2.0}
    new, notes = shared_weights({**cfg, "lr_schedule": "constant"})
    assert new == cfg
    assert [note.split(":")[0] for note in notes] == ["lr_schedule"]
    new, notes = shared_weights({**cfg, "lr_schedule": None})
    assert new == {"switch_epochs": [401]}
    assert [note.split(":")[0] for note in notes] == ["lr_schedule", "lr_factor"]
    with pytest.raises(ConfigError, match="'constant' or null, got 'cosine'"):
        shared_weights({"lr_schedule": "cosine"})
