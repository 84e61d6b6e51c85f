"""Configs of the older layer are taken, and what is dropped is said."""

import pytest

from awnas_controllers import legacy
from awnas_core.config.component_check import ComponentCheck
from awnas_core.config.source import ConfigSource, Place
from awnas_core.testing.making import registry_with


def test_the_mode_of_a_controller_is_dropped_with_its_reason():
    cfg, notes = legacy.controller_options({"mode": "eval", "independent_cell_group": True})
    assert cfg == {"independent_cell_group": True}
    assert notes == ["mode is dropped: every call of sample now says what it is for"]


def test_the_batch_update_of_an_agent_is_dropped_with_its_reason():
    cfg, notes = legacy.agent_options({"batch_update": True, "alpha": 0.9})
    assert cfg == {"alpha": 0.9}
    assert notes == ["batch_update is dropped: agents always learn from a whole batch"]


def test_the_inspection_of_the_hessian_is_dropped_with_its_reason():
    cfg, notes = legacy.differentiable_options(
        {"use_prob": True, "inspect_hessian_every": -1, "mode": "eval"}
    )
    assert cfg == {"use_prob": True}
    assert [note.split(" is dropped: ")[0] for note in notes] == ["mode", "inspect_hessian_every"]


def test_options_of_today_pass_without_a_note():
    assert legacy.agent_options({"alpha": 0.9}) == ({"alpha": 0.9}, [])


OLD = {
    "evo": {
        "mode": "eval",
        "population_size": 50,
        "parent_pool_size": 5,
        "mutate_kwargs": {},
        "eval_sample_strategy": "all",
        "elimination_strategy": "perf",
        "avoid_repeat": True,
        "avoid_mutate_repeat": False,
        "avoid_repeat_worst_threshold": 7,
        "avoid_mutate_repeat_worst_threshold": 9,
        "avoid_repeat_fallback": "raise",
        "schedule_cfg": None,
    },
    "nasbench-101-evo": {"mode": "train", "population_nums": 40, "parent_pool_size": 4, "mutation_prob": 1.0},
    "pareto-evo": {
        "mode": "eval",
        "init_population_size": 30,
        "perf_names": ["reward", "flops"],
        "mutate_kwargs": {},
        "eval_sample_strategy": "n",
        "avoid_repeat": True,
        "avoid_repeat_from": "gt_population",
        "avoid_mutate_repeat": True,
        "num_eliminate": 10,
    },
    "cars": {
        "mode": "eval",
        "population_size": 20,
        "perf_names": ["acc", "param_size"],
        "mutate_kwargs": {},
        "crossover_kwargs": {},
        "eval_sample_strategy": "half_random",
        "avoid_mutate_repeat": False,
        "avoid_repeat_fallback": "return",
        "prefill_population": True,
    },
    "nasbench-201-sa": {"mode": "train", "temperature": 100, "anneal_coeff": 0.98},
    "nasbench-101-sa": {"temperature": 1000, "anneal_coeff": 0.95, "mutation_edges_prob": 0.5},
    "rejection_sample": {
        "mode": "eval",
        "base_sampler_type": "random_sample",
        "base_sampler_cfg": {"mode": "eval"},
        "rejector_type": "canonical_table",
        "rejector_cfg": {},
        "maximum_sample_threshold": 10,
        "accept_when_reaching_threshold": False,
    },
    "file-sampler": {"mode": "eval", "archs_path": "a.yaml", "shuffle_indexes": True, "avoid_repeat": False},
}


@pytest.mark.parametrize("name", OLD)
def test_options_of_the_older_layer_are_taken_and_each_is_accounted_for(name):
    checker = ComponentCheck(registry_with("controller"), None, None)
    place = Place(ConfigSource({}, "old.yaml", ""))
    checked = checker.check("controller", name, OLD[name], place.at("type"), place.at("cfg"))
    assert not checker.problems
    kept = {key for key in OLD[name] if key in checked.options or key.endswith(("_type", "_cfg"))}
    noted = {
        key
        for key in OLD[name]
        for note in checker.notes
        if f"{key} is dropped" in note or f"{key}: " in note
    }
    assert kept | noted == set(OLD[name])


def test_six_options_about_repeats_become_one():
    cfg, notes = legacy.evo_options(dict(OLD["evo"]))
    assert cfg["repeats"] == {"avoid": "population", "tries": 7, "fallback": "raise"}
    assert sum("now part of repeats" in note for note in notes) == 5
    assert legacy.pareto_evo_options(dict(OLD["pareto-evo"]))[0]["repeats"]["avoid"] == "history"
    assert legacy.evo_options({"avoid_repeat": False})[0]["repeats"]["avoid"] is None
    assert legacy.cars_options({"avoid_repeat_fallback": "raise"})[0]["repeats"]["avoid"] == "population"
    assert "repeats" not in legacy.evo_options({"population_size": 3})[0]


def test_perfs_get_a_direction_and_costs_are_no_longer_negated():
    cfg, notes = legacy.pareto_evo_options({"perf_names": ["reward", "flops", "param_size"]})
    assert cfg["rank_by"] == [
        {"metric": "reward", "direction": "max"},
        {"metric": "flops", "direction": "min"},
        {"metric": "params", "direction": "min"},
    ]
    (note,) = notes
    assert "reward max, flops min, params min" in note


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("population", {"derive_from": "population"}),
        ("all", {"derive_from": "all"}),
        ("population_random", {"derive_from": "population", "train_weights_on": "population"}),
    ],
)
def test_where_evolution_took_its_choice_from_is_kept(old, new):
    cfg, notes = legacy.evo_options({"eval_sample_strategy": old})
    assert cfg == new
    assert notes


def test_reaching_the_threshold_of_rejection_is_said_to_be_an_error_now():
    assert legacy.rejection_options({"maximum_sample_threshold": 10})[1]
    lenient = {"maximum_sample_threshold": 10, "accept_when_reaching_threshold": True}
    assert legacy.rejection_options(lenient) == (lenient, [])
