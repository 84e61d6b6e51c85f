"""A config is checked as a whole: every mistake at once, nothing built, only what is named imported."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings, strategies as st

from awnas_core import ComponentSpec, KindSpec
from awnas_core.config.build import Assembly
from awnas_core.config.check import CheckedConfig, check_config
from awnas_core.config.problems import ConfigProblems, Problem
from awnas_core.config.source import apply_overrides, parse_source
from awnas_core.options import Child, Children
from awnas_core.plugins.registry import Registry

SEARCH = """\
rollout_type: discrete
search_space_type: cells
controller_type: aging-evo
controller_cfg:
  population: 50
dataset_type: pictures
weights_manager_type: supernet
objective_type: accuracy
evaluator_type: shared
trainer_type: loop
"""
FINAL = """\
search_space_type: cells
dataset_type: pictures
objective_type: accuracy
final_model_type: net
final_model_cfg: {genotypes: "Cells(4: 1)"}
final_trainer_type: fit
"""


def checked(
    text: str, registry: Registry, family: Any = "search", overrides: tuple[str, ...] = ()
) -> CheckedConfig:
    return check_config(apply_overrides(parse_source(text, "s.yaml"), overrides), registry, family=family)


def complaints(
    text: str, registry: Registry, family: Any = "search", overrides: tuple[str, ...] = ()
) -> list[str]:
    with pytest.raises(ConfigProblems) as caught:
        checked(text, registry, family, overrides)
    return [str(problem) for problem in caught.value.problems]


def complaint(*arguments: Any, **settings: Any) -> str:
    (only,) = complaints(*arguments, **settings)
    return only


def test_a_good_search_config_is_looked_up_and_filled_in(toys: Registry):
    config = checked(SEARCH, toys)
    assert config.rollout_type == "discrete"
    assert config.components["controller"].options["population"] == 50
    assert config.components["controller"].options["tournament"].size == 25
    assert config.components["trainer"].options["epochs"] == 10
    assert config.notes == ()


def test_a_good_final_config_needs_no_rollout_type(toys: Registry):
    config = checked(FINAL, toys, "final")
    assert config.components["final_model"].options == {"genotypes": "Cells(4: 1)", "channels": 36}
    assert config.rollout_type == "discrete"


def test_planted_mistakes_of_every_kind_are_all_reported_in_one_call(toys: Registry):
    text = """\
rollout_type: ofa
hardware_type: gpu
controller_type: rl
controller_cfg:
  entropi: 0.1
  rl_agent_type: pgg
search_space_type: cells
search_space_cfg:
  num_steps: no
  schedule_cfg:
    num_steps: {type: value, boundary: [2], value: [3]}
dataset_type: sentences
weights_manager_typ: supernet
objective_type: accurcy
evaluator_type: shared
evaluator_cfg:
  batch_size: 0
trainer_type: loop
trainer_cfg:
  epochs: 3
  epochs: 4
"""
    found = complaints(text, toys)
    expected = [
        ("2: hardware_type: ", "no installed plugin declares"),
        ("3: controller_type: ", "does not take 'ofa' rollouts (it takes discrete)"),
        ("5: controller_cfg.entropi: ", "did you mean 'entropy'?"),
        ("6: controller_cfg.rl_agent_type: ", "did you mean 'pg'?"),
        ("7: search_space_type: ", "does not give 'ofa' rollouts"),
        ("9: search_space_cfg.num_steps: ", "expected a whole number, got false (YAML reads no as false"),
        ("11: search_space_cfg.schedule_cfg.num_steps: ", "the first boundary must be 1, got 2"),
        ("12: dataset_cfg.corpus: ", "required by sentences, but missing"),
        ("13: weights_manager_typ: ", "did you mean 'weights_manager_type'?"),
        ("14: objective_type: ", "did you mean 'accuracy'?"),
        ("15: evaluator_type: ", "takes image data, but dataset 'sentences' gives sequence"),
        ("17: evaluator_cfg.batch_size: ", "expected at least 1, got 0"),
        ("21: trainer_cfg.epochs: ", "given twice, first on line 20"),
    ]
    assert len(found) == len(expected)
    for message, (place, words) in zip(found, expected, strict=True):
        assert message.startswith(f"s.yaml:{place}")
        assert words in message


def test_a_missing_component_is_named_with_who_needs_it_and_what_there_is(toys: Registry):
    found = complaints(
        "rollout_type: discrete\nsearch_space_type: cells\ncontroller_type: rl\nevaluator_type: shared\n",
        toys,
    )
    assert found == [
        "s.yaml:1: dataset_type: required by evaluator 'shared', but missing; there are pictures, sentences",
        "s.yaml:1: objective_type: required by evaluator 'shared', but missing; there are accuracy",
        "s.yaml:1: trainer_type: required by a search, but missing; there are loop",
        "s.yaml:1: weights_manager_type: required by evaluator 'shared', but missing; there are supernet",
    ]


def test_whoever_asks_for_facts_of_the_data_needs_a_dataset(make_registry: Callable[..., Registry]):
    class Counts:
        def __init__(self, num_classes: int) -> None: ...

    class Nothing:
        def __init__(self) -> None: ...

    specs = [
        ComponentSpec(kind=kind, name="x", target=Nothing)
        for kind in ("search_space", "controller", "trainer")
    ]
    specs += [
        ComponentSpec(kind="evaluator", name="x", target=Counts),
        ComponentSpec(kind="rollout", name="r", target="a:b"),
    ]
    kinds = [KindSpec(name=spec.kind) for spec in specs] + [
        KindSpec(name="dataset", provides=("num_classes",))
    ]
    text = "rollout_type: r\n" + "".join(f"{spec.kind}_type: x\n" for spec in specs[:-1])
    message = complaint(text, make_registry(specs, kinds))
    assert (
        message == "s.yaml:1: dataset_type: required by evaluator 'x', but missing; there are none installed"
    )
    without = [kind for kind in kinds if kind.name != "dataset"]
    assert "asks for 'num_classes', which nothing provides" in complaint(text, make_registry(specs, without))


def test_an_evaluator_that_needs_no_data_needs_no_dataset(toys: Registry):
    text = (
        "".join(SEARCH.splitlines(keepends=True)[:2])
        + "controller_type: rl\nevaluator_type: table\ntrainer_type: loop\n"
    )
    assert set(checked(text, toys).components) == {"search_space", "controller", "evaluator", "trainer"}


def test_roles_that_nothing_asks_for_are_left_out_with_a_note(toys: Registry):
    config = checked(SEARCH.replace("evaluator_type: shared", "evaluator_type: table"), toys)
    assert "weights_manager" not in config.components
    assert "weights_manager 'supernet' is not built: nothing in this config asks for it" in config.notes


def test_other_components_that_nothing_asks_for_are_mistakes(toys: Registry):
    assert "rl_agent_type: nothing reads it" in complaint(SEARCH + "rl_agent_type: pg\n", toys)
    assert "final_model_type: nothing reads it" in complaint(
        SEARCH + "final_model_type: net\nfinal_model_cfg: {genotypes: x}\n", toys
    )
    assert "controller_type: nothing reads it" in complaint(FINAL + "controller_type: rl\n", toys, "final")


def test_a_required_option_is_missed(toys: Registry):
    text = FINAL.replace('final_model_cfg: {genotypes: "Cells(4: 1)"}\n', "")
    message = complaint(text, toys, "final")
    assert (
        message == "s.yaml:4: final_model_cfg.genotypes: required by net, but missing: Text of the genotype."
    )


def test_a_component_that_cannot_be_imported_is_a_problem_of_the_config(toys: Registry):
    message = complaint(SEARCH.replace("aging-evo\ncontroller_cfg:\n  population: 50", "broken"), toys)
    assert message.startswith(
        "s.yaml:3: controller_type: controller 'broken' of awnas-toys cannot be imported"
    )
    assert "ModuleNotFoundError" in message


def test_a_missing_official_component_says_what_to_install(toys: Registry):
    message = complaint(SEARCH.replace("search_space_type: cells", "search_space_type: cnn"), toys)
    assert "pip install awnas-spaces" in message


def test_only_the_named_components_are_imported(
    make_registry: Callable[..., Registry], tmp_path: Path, monkeypatch
):
    for name in ("named", "unnamed"):
        (tmp_path / f"toy_{name}.py").write_text("class Thing:\n    def __init__(self, *, x: int = 3): ...\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    kinds = ["search_space", "controller", "evaluator", "trainer"]
    specs = [
        ComponentSpec(kind=kind, name=name, target=f"toy_{name}:Thing")
        for kind in kinds
        for name in ("named", "unnamed")
    ]
    specs.append(ComponentSpec(kind="rollout", name="discrete", target="toy_unnamed:Thing"))
    registry = make_registry(specs, [KindSpec(name=kind) for kind in [*kinds, "rollout"]])
    checked("rollout_type: discrete\n" + "".join(f"{kind}_type: named\n" for kind in kinds), registry)
    assert "toy_named" in sys.modules
    assert "toy_unnamed" not in sys.modules


def test_names_are_folded_and_aliases_resolved(toys: Registry):
    assert (
        checked(SEARCH.replace("aging-evo", "Aging_Evo"), toys).components["controller"].spec.name
        == "aging-evo"
    )
    assert checked(SEARCH.replace("aging-evo", "evo"), toys).resolved()["controller_type"] == "aging-evo"


def test_nested_components_are_checked_at_their_place(toys: Registry):
    text = SEARCH.replace(
        "aging-evo\ncontroller_cfg:\n  population: 50", "rl\ncontroller_cfg:\n  rl_agent_cfg: {clip: 1}"
    )
    message = "s.yaml:5: controller_cfg.rl_agent_cfg.clip: no such option of pg; it takes gamma"
    assert complaint(text, toys) == message
    config = checked(text.replace("rl_agent_cfg", "rl_agent_type: ppo\n  rl_agent_cfg"), toys)
    assert config.components["controller"].children["rl_agent"].options == {"gamma": 1.0, "clip": 1.0}


def test_a_nested_component_without_default_must_be_named(make_registry: Callable[..., Registry]):
    class Agent:
        def __init__(self, *, x: int = 3) -> None: ...

    class Parent:
        def __init__(
            self, *, agent: Any = Child("rl_agent"), other: Any = Child("rl_agent", "a", {"x": 5})
        ) -> None: ...

    kinds = ["search_space", "controller", "evaluator", "trainer"]
    specs = [ComponentSpec(kind=kind, name="p", target=Parent) for kind in kinds]
    specs += [
        ComponentSpec(kind="rl_agent", name="a", target=Agent),
        ComponentSpec(kind="rollout", name="r", target="a:b"),
    ]
    registry = make_registry(specs, [KindSpec(name=kind) for kind in [*kinds, "rl_agent", "rollout"]])
    text = "rollout_type: r\n" + "".join(f"{kind}_type: p\n" for kind in kinds)
    found = complaints(text, registry)
    assert found[0] == "s.yaml:2: search_space_cfg.agent_type: required: the name of a rl_agent; there are a"
    assert len(found) == 4
    config = checked(text, registry, overrides=tuple(f"{kind}_cfg.agent_type=a" for kind in kinds))
    children = config.components["trainer"].children
    assert (children["agent"].options, children["other"].options) == ({"x": 3}, {"x": 5})


@pytest.fixture
def listed(make_registry: Callable[..., Registry]) -> Registry:
    """A registry whose trainer takes a list of agents."""

    class Agent:
        def __init__(self, *, x: int = 3) -> None:
            self.x = x

    class Parent:
        def __init__(self, *, agents: tuple[Any, ...] = Children("rl_agent")) -> None:
            self.agents = agents

    class Plain:
        pass

    kinds = ["search_space", "controller", "evaluator", "trainer"]
    specs = [ComponentSpec(kind=kind, name="p", target=Plain) for kind in kinds]
    specs += [
        ComponentSpec(kind="trainer", name="many", target=Parent),
        ComponentSpec(kind="rl_agent", name="a", target=Agent),
        ComponentSpec(kind="rollout", name="r", target="a:b"),
    ]
    return make_registry(specs, [KindSpec(name=kind) for kind in [*kinds, "rl_agent", "rollout"]])


LISTED = """\
rollout_type: r
search_space_type: p
controller_type: p
evaluator_type: p
trainer_type: many
trainer_cfg:
  agents:
  - {rl_agent_type: a}
  - rl_agent_type: a
    rl_agent_cfg: {x: 5}
"""


def test_a_list_of_nested_components_is_checked_built_and_written_back(listed: Registry):
    config = checked(LISTED, listed)
    assert [agent.x for agent in Assembly(config, listed).get("trainer").agents] == [3, 5]
    again = check_config(parse_source(yaml.safe_dump(config.resolved())), listed, family="search")
    assert again.resolved() == config.resolved()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{x: 5}", "{y: 5}", "s.yaml:10: trainer_cfg.agents.1.rl_agent_cfg.y: no such option of a"),
        (
            "{rl_agent_type: a}",
            "a",
            "s.yaml:8: trainer_cfg.agents.0: expected {rl_agent_type: …, rl_agent_cfg: …}",
        ),
        ("{rl_agent_type: a}", "{rl_agent_type: b}", "no rl_agent 'b'"),
        ("{rl_agent_type: a}", "{rl_agent_typ: a}", "did you mean 'rl_agent_type'?"),
        ("{rl_agent_type: a}", "{rl_agent_cfg: {}}", "required: the name of a rl_agent"),
    ],
)
def test_what_is_wrong_in_a_list_of_components_is_told_where_it_stands(listed: Registry, old, new, message):
    assert any(message in found for found in complaints(LISTED.replace(old, new), listed))


@pytest.mark.parametrize("agents", ["[]", "a", "null", "{rl_agent_type: a}"])
def test_a_list_of_components_has_at_least_one(listed: Registry, agents: str):
    text = LISTED[: LISTED.index("  agents")] + f"  agents: {agents}\n"
    assert "trainer_cfg.agents: expected a list of at least one {rl_agent_type: …" in complaint(text, listed)


def test_a_mistake_of_a_plugins_author_is_a_problem_where_the_component_is_named(
    make_registry: Callable[..., Registry],
):
    class Wrong:
        def __init__(self, *, lock: threading.Thread = None) -> None: ...  # noqa: RUF013

    kinds = ["search_space", "controller", "evaluator", "trainer"]
    specs = [ComponentSpec(kind=kind, name="w", target=Wrong) for kind in kinds]
    specs.append(ComponentSpec(kind="rollout", name="r", target="a:b"))
    registry = make_registry(specs, [KindSpec(name=kind) for kind in [*kinds, "rollout"]])
    found = complaints("rollout_type: r\n" + "".join(f"{kind}_type: w\n" for kind in kinds), registry)
    assert len(found) == 4
    assert all("no config can hold the type or the default of option 'lock'" in message for message in found)


def test_schedules_are_parsed_and_checked(toys: Registry):
    schedule = "{type: value, boundary: [1, 3], value: [2, 4]}"
    cfg = f"search_space_type: cells\nsearch_space_cfg: {{schedule_cfg: {{num_steps: {schedule}}}}}"
    config = checked(SEARCH.replace("search_space_type: cells", cfg), toys)
    assert [config.components["search_space"].schedules["num_steps"].value(e) for e in (1, 2, 3)] == [2, 2, 4]
    assert "expected at least 1, got 0" in complaint(
        SEARCH.replace("search_space_type: cells", cfg.replace("[2, 4]", "[2, 0]")), toys
    )
    assert "no such attribute to schedule; did you mean 'num_steps'?" in complaint(
        SEARCH.replace("search_space_type: cells", cfg.replace("num_steps", "num_step")), toys
    )
    assert "expected a mapping of attributes" in complaint(
        SEARCH, toys, overrides=("search_space_cfg.schedule_cfg=3",)
    )
    assert "nothing that can be scheduled" in complaint(
        SEARCH, toys, overrides=("trainer_cfg.schedule_cfg={epochs: 3}",)
    )


def test_a_class_names_the_option_at_fault(toys: Registry):
    message = complaint(SEARCH.replace("population: 50", "population: 3"), toys)
    assert (
        message
        == "s.yaml:4: controller_cfg.tournament.size: a tournament cannot be larger than the population"
    )


def test_old_options_are_translated_and_told(toys: Registry):
    config = checked(SEARCH, toys, overrides=("evaluator_cfg.mepa_samples=4",))
    assert config.components["evaluator"].options["samples"] == 4
    assert config.notes == ("s.yaml:9: evaluator_cfg: mepa_samples is called samples now",)
    (changed,) = (fate for fate in config.keys if fate.fate != "used")
    assert (changed.key, changed.fate) == ("evaluator_cfg.mepa_samples", "renamed")
    assert "has no counterpart" in complaint(SEARCH, toys, overrides=("evaluator_cfg.mepa_samples=0",))


def test_a_component_may_have_a_rollout_type_of_its_own(toys: Registry):
    config = checked(SEARCH, toys, overrides=("controller_cfg.rollout_type=ofa",))
    assert config.resolved()["controller_cfg"]["rollout_type"] == "ofa"
    assert "does not take 'differentiable'" in complaint(
        SEARCH, toys, overrides=("controller_cfg.rollout_type=differentiable",)
    )
    assert "no rollout 'offa'" in complaint(SEARCH, toys, overrides=("controller_cfg.rollout_type=offa",))


def test_goals_and_constraints_are_checked(toys: Registry):
    goals = "goals:\n- {metric: acc}\n- {metric: macs, direction: min, coefficient: 0.5}\n"
    text = SEARCH + goals + "constraints: [{metric: macs, bound: 1e6}]\n"
    config = checked(text, toys)
    assert [(g.metric, g.direction, g.coefficient) for g in config.goals] == [
        ("acc", "max", 1.0),
        ("macs", "min", 0.5),
    ]
    assert config.constraints[0].bound == 1e6
    bad = complaints(SEARCH + "goals: [{metrc: acc}, {metric: a, coefficient: 0}]\nconstraints: 3\n", toys)
    assert len(bad) == 4
    assert any(
        "goals.0.metrc: no such option of a config; did you mean 'metric'?" in message for message in bad
    )
    assert any("coefficient of goal 'a' must be positive" in message for message in bad)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("rollout_type=discret", "did you mean 'discrete'?"),
        ("rollout_type=3", "expected the name of a rollout, got 3"),
        ("controller_type=no", "expected the name of a controller, got false"),
        ("controller_cfg=[1]", "expected a mapping of options, got a list of 1"),
        ("search-space_type=cells", "means the same as 'search_space_type'"),
        ("rollout_cfg={}", "no installed plugin declares"),
        ("rolout_type=discrete", "did you mean 'rollout_type'?"),
        ("nonsense=1", "no such key; there are rollout_type, goals"),
        ("final_trainer_cfg.epochs=3", "options without a component: add 'final_trainer_type'"),
    ],
)
def test_a_mistake_at_the_top_is_explained(toys: Registry, override: str, words: str):
    assert words in complaint(SEARCH, toys, overrides=(override,))


def test_empty_options_are_no_options(toys: Registry):
    assert checked(SEARCH + "trainer_cfg:\n", toys).components["trainer"].options["epochs"] == 10


def test_the_resolved_config_passes_the_check_and_is_its_own_resolution(toys: Registry):
    text = SEARCH.replace("aging-evo\ncontroller_cfg:\n  population: 50", "rl") + "goals: [{metric: acc}]\n"
    cfg = "{schedule_cfg: {num_steps: {type: value, boundary: [1], value: [2]}}}"
    config = checked(text, toys, overrides=(f"search_space_cfg={cfg}",))
    resolved = config.resolved()
    assert resolved["controller_cfg"] == {
        "entropy": 0.01,
        "rl_agent_type": "pg",
        "rl_agent_cfg": {"gamma": 1.0},
    }
    assert checked(yaml.safe_dump(resolved), toys).resolved() == resolved


KEYS = st.sampled_from(
    [
        *yaml.safe_load(SEARCH + FINAL),
        *(
            "goals",
            "constraints",
            "evaluator_cfg",
            "rl_agent_type",
            "rl_agent_cfg",
            "tournament",
            "schedule_cfg",
        ),
        *("num_steps", "population", "size", "type", "boundary", "value", "metric", "junk", "", 3, None),
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 5)
    | st.sampled_from(["rl", "evo", "cells", "shared", "discrete", "mul", 0.5]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(changes=st.dictionaries(KEYS, VALUES, max_size=6), family=st.sampled_from(["search", "final"]))
def test_whatever_stands_in_a_config_is_taken_or_explained(
    toys: Registry, changes: dict[Any, Any], family: Any
):
    data = yaml.safe_load(SEARCH if family == "search" else FINAL) | changes
    config, problems = outcome(yaml.safe_dump(data), toys, family)
    assert all(problem.line and problem.message for problem in problems)
    if config is not None:
        resolved = config.resolved()
        assert checked(yaml.safe_dump(resolved), toys, family).resolved() == resolved


def outcome(text: str, registry: Registry, family: Any) -> tuple[CheckedConfig | None, tuple[Problem, ...]]:
    try:
        return checked(text, registry, family), ()
    except ConfigProblems as error:
        return None, error.problems
