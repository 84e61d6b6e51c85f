"""The JSON Schema says what the check says, as far as one file alone can tell."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from awnas_core.config.check import check_config
from awnas_core.config.json_schema import config_schema
from awnas_core.config.sample import gen_sample
from awnas_core.config.source import parse_source
from awnas_core.plugins.registry import Registry

jsonschema = pytest.importorskip("jsonschema")

GOOD = """\
rollout_type: discrete
search_space_type: cells
search_space_cfg: {schedule_cfg: {num_steps: {type: value, boundary: [1], value: [3]}}}
controller_type: rl
controller_cfg: {entropy: 0.1, rl_agent_type: ppo, rl_agent_cfg: {clip: 0.1}}
dataset_type: pictures
weights_manager_type: supernet
weights_manager_cfg:
objective_type: accuracy
evaluator_type: shared
trainer_type: loop
trainer_cfg: {epochs: 3, controller_optimizer: {type: Adam, lr: 0.1}}
goals: [{metric: acc}]
"""


def mistakes(text: str, schema: dict[str, Any]) -> list[str]:
    validator = jsonschema.Draft202012Validator(schema)
    return [".".join(map(str, error.absolute_path)) for error in validator.iter_errors(yaml.safe_load(text))]


@pytest.fixture
def schema(toys: Registry) -> dict[str, Any]:
    return config_schema(toys)


def test_it_is_a_valid_schema_and_plain_json(schema: dict[str, Any]):
    jsonschema.Draft202012Validator.check_schema(schema)
    assert json.loads(json.dumps(schema)) == schema


def test_it_takes_what_the_check_takes(schema: dict[str, Any], toys: Registry):
    check_config(parse_source(GOOD), toys, family="search")
    assert mistakes(GOOD, schema) == []
    resolved = check_config(parse_source(GOOD), toys, family="search").resolved()
    assert mistakes(yaml.safe_dump(resolved), schema) == []
    sample = "".join(
        line[2:] + "\n" for line in gen_sample(toys, "discrete", "image", final=True).splitlines()
    )
    assert mistakes(sample, schema) == []


@pytest.mark.parametrize(
    ("before", "after", "place"),
    [
        ("epochs: 3", "epoch: 3", "trainer_cfg"),
        ("epochs: 3", "epochs: x", "trainer_cfg.epochs"),
        ("epochs: 3", "epochs: 0", "trainer_cfg.epochs"),
        ("controller_type: rl", "controller_type: rll", "controller_type"),
        ("clip: 0.1", "clip: x", "controller_cfg"),
        ("rl_agent_type: ppo, ", "", "controller_cfg"),  # the default agent has no clip
        ("num_steps: {type", "num_step: {type", "search_space_cfg"),
        ("type: value", "type: valu", "search_space_cfg"),
        ("metric: acc", "metrc: acc", "goals.0"),
        ("rollout_type: discrete", "rl_agent_type: pg", ""),  # stands inside controller_cfg only
        ("rollout_type: discrete", "rolout_type: discrete", ""),
    ],
)
def test_it_refuses_what_the_check_refuses(schema: dict[str, Any], before: str, after: str, place: str):
    assert before in GOOD
    found = mistakes(GOOD.replace(before, after), schema)
    assert found
    assert all(place.startswith(path) or path.startswith(place) for path in found)


def test_old_spellings_and_defaults_are_known_to_it(schema: dict[str, Any]):
    assert (
        mistakes(
            GOOD.replace("controller_type: rl", "controller_type: aging_evo").replace(
                "controller_cfg: {entropy: 0.1, rl_agent_type: ppo, rl_agent_cfg: {clip: 0.1}}",
                "controller_cfg: {population: 5}",
            ),
            schema,
        )
        == []
    )
    population = schema["$defs"]["controller.aging-evo"]["properties"]["population"]
    assert population["default"] == 100
    assert population["description"] == "Rollouts kept alive; the oldest leaves first."


def test_a_component_that_cannot_be_imported_stays_with_its_reason(schema: dict[str, Any]):
    assert "cannot be imported" in schema["$defs"]["controller.broken"]["description"]
