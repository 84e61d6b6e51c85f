"""A sample config shows every option, and passes the check once its comment signs are taken off."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from awnas_core import PresetSpec
from awnas_core.config.check import check_config
from awnas_core.config.sample import gen_sample
from awnas_core.config.source import parse_source
from awnas_core.errors import AwnasError
from awnas_core.plugins.registry import Registry


def uncommented(text: str) -> str:
    assert all(line == "#" or line.startswith("# ") for line in text.splitlines())
    return "".join(line[2:] + "\n" for line in text.splitlines())


def test_an_uncommented_search_sample_passes_the_check(toys: Registry):
    text = uncommented(gen_sample(toys, "discrete", "image"))
    config = check_config(parse_source(text), toys, family="search")
    assert config.rollout_type == "discrete"
    assert {"dataset", "weights_manager", "objective"} <= set(config.components)


def test_an_uncommented_final_sample_passes_with_an_example_of_a_genotype(toys: Registry):
    text = uncommented(gen_sample(toys, "discrete", "image", final=True))
    config = check_config(parse_source(text), toys, family="final")
    assert config.components["final_model"].options["genotypes"].startswith("Cells(4: ")
    assert "# required" in next(line for line in text.splitlines() if "genotypes:" in line)


def test_every_option_stands_there_with_its_value_and_meaning(toys: Registry):
    text = uncommented(gen_sample(toys, "discrete", "image"))
    data = yaml.safe_load(text)
    resolved = check_config(parse_source(text), toys, family="search").resolved()
    for key, value in resolved.items():
        assert data[key] == value
    assert "  # Rollouts kept alive; the oldest leaves first.\n  population: 100\n" in text
    assert "    # Rollouts drawn.\n    size: 25\n" in text
    assert "can change from epoch to epoch: population" in text


def test_other_components_are_listed_when_they_fit_the_data(toys: Registry):
    text = gen_sample(toys, "discrete", "image")
    assert "# #   rl: About rl." in text
    assert "sentences" not in text


def test_components_that_do_not_fit_or_import_are_not_chosen(toys: Registry):
    text = uncommented(gen_sample(toys, "discrete", "image"))
    assert yaml.safe_load(text)["controller_type"] == "aging-evo"
    with pytest.raises(AwnasError, match="no installed search_space fits 'ofa' rollouts"):
        gen_sample(toys, "ofa", "image")
    with pytest.raises(AwnasError, match="no installed dataset fits 'discrete' rollouts and sequence data"):
        gen_sample(toys, "discrete", "sequence", final=True)


def test_an_unknown_rollout_or_data_type_is_explained(toys: Registry):
    with pytest.raises(AwnasError, match="did you mean 'discrete'"):
        gen_sample(toys, "discret", "image")
    with pytest.raises(AwnasError, match="no installed dataset gives imagee data; did you mean 'image'"):
        gen_sample(toys, "discrete", "imagee")


def test_a_preset_that_fits_decides_the_set_and_required_values(toys: Registry, tmp_path: Path, monkeypatch):
    package = tmp_path / "toy_presets"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "search.yaml").write_text(
        "rollout_type: discrete\nsearch_space_type: cells\ncontroller_type: rl\n"
        "controller_cfg: {entropy: 0.5, rl_agent_type: ppo}\nevaluator_type: shared\ndataset_type: pictures\n"
        "weights_manager_type: supernet\nobjective_type: accuracy\ntrainer_type: loop\n"
        "search_space_cfg: {schedule_cfg: {num_steps: {type: value, boundary: [1], value: [2]}}}\n"
    )
    (package / "broken.yaml").write_text("rollout_type: discrete\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    presets = [
        PresetSpec(name=name, path=f"toy_presets:{file}")
        for name, file in [("a", "broken.yaml"), ("b", "search.yaml")]
    ]
    monkeypatch.setattr(Registry, "presets", lambda self: {preset.name: preset for preset in presets})
    text = uncommented(gen_sample(toys, "discrete", "image"))
    assert "entropy: 0.5  # default: 0.01\n" in text
    assert "rl_agent_type: ppo" in text
    config = check_config(parse_source(text), toys, family="search")
    assert config.components["search_space"].schedules["num_steps"].value(1) == 2
