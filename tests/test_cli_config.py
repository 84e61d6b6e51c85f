"""Commands about configs: every mistake at once, with its place and its remedy, and configs to start from."""

from __future__ import annotations

import json
import re

import jsonschema
import pytest
import yaml

from awnas_core.config.source import preset_source
from awnas_core.session import installed_registry

PLUGIN = """\
from pathlib import Path
from awnas_core import Dataset, component
from awnas_core.options import ExistingFile

@component("dataset", "sentences", data_types=("sound",))
class Sentences(Dataset):
    def __init__(self, *, corpus: ExistingFile, language: str):
        Path("built").touch()
"""
MISTAKES = """\
rollout_type: differentiable
hardware_type: gpu
search_space_type: cnn
search_space_cfg:
  num_step: 3
  num_layers: three
dataset_type: sentences
dataset_cfg:
  corpus: no/such/file.txt
controller_type: rll
objective_type: classification
weights_manager_type: supernet
evaluator_type: discrete_shared_weights
evaluator_cfg:
  schedule_cfg:
    eval_samples: {type: mul, start: 1, step: 2}
trainer_type: simple
trainer_cfg:
  controller_optimizer: {type: Adma}
  controller_scheduler: {type: CosineAnnealingLR, eta_mn: 0.1}
"""
FOUND = [  # line, key, what was expected and what to do
    (2, "hardware_type", "no installed plugin declares such a kind of component"),
    (5, "search_space_cfg.num_step", "no such option of cnn; did you mean 'num_steps'?"),
    (6, "search_space_cfg.num_layers", "expected a whole number, got text 'three'"),
    (8, "dataset_cfg.language", "required by sentences, but missing"),
    (9, "dataset_cfg.corpus", "expected a file, but there is none at 'no/such/file.txt'"),
    (10, "controller_type", "no controller 'rll'; did you mean 'rl'?"),
    (
        11,
        "objective_type",
        "data, but dataset 'sentences' gives sound; choose another of the two",
    ),
    (12, "weights_manager_type", "'supernet' does not take 'differentiable' rollouts (it takes "),
    (12, "weights_manager_type", "data, but dataset 'sentences' gives sound; choose another of the two"),
    (13, "evaluator_type", "does not take 'differentiable' rollouts (it takes "),
    (13, "evaluator_type", "data, but dataset 'sentences' gives sound; choose another of the two"),
    (16, "evaluator_cfg.schedule_cfg.eval_samples", "exactly one of 'every' and 'boundary'"),
    (19, "trainer_cfg.controller_optimizer.type", "no optimizer 'Adma'; did you mean 'Adamax'?"),
    (20, "trainer_cfg.controller_scheduler.T_max", "required by CosineAnnealingLR, but missing"),
    (
        20,
        "trainer_cfg.controller_scheduler.eta_mn",
        "no such option of CosineAnnealingLR; did you mean 'eta_min'?",
    ),
]


@pytest.fixture
def mistakes(tmp_path, monkeypatch):
    """A folder with a config full of mistakes, and a plugin that tells when it is built."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sentences.py").write_text(PLUGIN)
    (tmp_path / "mistakes.yaml").write_text(MISTAKES)
    return tmp_path


@pytest.mark.parametrize("command", [["check"], ["search", "--train-dir", "run"]], ids=" ".join)
def test_every_mistake_of_a_config_is_told_in_one_call_and_nothing_is_built(awnas, mistakes, command):
    done = awnas(command[0], "mistakes.yaml", "--plugin", "sentences.py", *command[1:], code=2)
    lines = done.err.removeprefix("error: ").splitlines()
    assert len(lines) == len(FOUND)
    for line, (number, key, words) in zip(lines, FOUND, strict=True):
        assert line.startswith(f"mistakes.yaml:{number}: {key}: ")
        assert words in line
    assert done.out == ""
    assert {item.name for item in mistakes.iterdir()} == {"mistakes.yaml", "sentences.py"}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\n\tb: 2\n", 2, "tab"),
        ("a: [1, 2\nb: 3\n", 2, "expected ',' or ']'"),
        ("a: 1\n b: 2\n", 2, "mapping values are not allowed"),
        ("a: &x [*x]\n", 1, "itself"),
        ("a: !!python/object:os.system {}\n", 1, "tag"),
        ("- a\n", 1, "a config is a mapping"),
        ("", 1, "it is empty"),
    ],
)
def test_what_is_no_yaml_is_told_with_its_line(awnas, tmp_path, text, line, words):
    config = tmp_path / "bad.yaml"
    config.write_text(text)
    message = awnas("search", config, "--train-dir", tmp_path / "run", code=2).err
    assert message.startswith(f"error: {config}:{line}: ")
    assert words in message
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "no such file"), (b"\xff\xfe\x00", "not UTF-8 text"), ("folder", "this is a folder")],
)
def test_what_is_no_text_file_is_told(awnas, tmp_path, content, words):
    config = tmp_path / "config.yaml"
    if content == "folder":
        config.mkdir()
    elif content:
        config.write_bytes(content)
    assert f"{config}: {words}" in awnas("check", config, code=2).err


def test_a_name_that_is_neither_a_file_nor_a_preset_gets_the_nearest(awnas):
    assert "did you mean 'enas-digits'?" in awnas("search", "enas-digit", code=2).err


def test_a_config_may_have_a_name_in_any_script(awnas, search_cfg, tmp_path):
    config = tmp_path / "поиск-搜索 1.yaml"
    config.write_text("# größer\n" + search_cfg.read_text(), encoding="utf-8")
    assert awnas("check", config).out.startswith(f"{config}: ok (")


def test_every_key_of_a_config_is_told_when_asked(awnas, search_cfg):
    header, *rows = awnas(
        "check", search_cfg, "--keys", "--set", "weights_manager_cfg.gpus=[0]"
    ).out.splitlines()
    assert header.split("\t") == ["key", "fate", "about"]
    assert "evaluator_cfg.batch_size\tused\t" in rows
    (dropped,) = (row for row in rows if "\tdropped\t" in row)
    assert dropped.startswith("weights_manager_cfg.gpus\tdropped\tseveral processes")


def test_several_overrides_apply_in_order_and_reach_into_lists(awnas, search_cfg, tmp_path):
    def resolved(*overrides):
        run = tmp_path / str(len(list(tmp_path.iterdir())))
        sets = [text for item in ("trainer_cfg.epochs=1", *overrides) for text in ("--set", item)]
        awnas("search", search_cfg, *sets, "--train-dir", run, "--seed", 0)
        return yaml.safe_load((run / "resolved.yaml").read_text())

    config = resolved(
        "evaluator_cfg.data_portion.1=0.05", "evaluator_cfg.batch_size=32", "evaluator_cfg.batch_size=8"
    )
    assert config["evaluator_cfg"]["data_portion"] == [0.2, 0.05, 0.05]
    assert config["evaluator_cfg"]["batch_size"] == 8


@pytest.mark.parametrize(
    ("override", "words"),
    [
        (
            "trainer_cfg.epoch=3",
            "--set trainer_cfg.epoch=3: trainer_cfg.epoch: no such option of simple; did you mean 'epochs'",
        ),
        ("trainer_cfg.epochs=no", "expected a whole number, got false"),
        ("evaluator_cfg.data_portion.7=1", "choose an item by its number, 0 to 2, got '7'"),
        ("=3", "write KEY=VALUE"),
        ("trainer_cfg={", "the value is"),
    ],
)
def test_an_override_that_does_not_fit_is_told_with_its_text(awnas, search_cfg, override, words):
    assert words in awnas("check", search_cfg, "--set", override, code=2).err


def uncommented(path):
    path.write_text("".join(line.removeprefix("# ") for line in path.read_text().splitlines(keepends=True)))


def test_a_sample_config_is_all_comments_and_runs_when_they_are_taken_off(awnas, tmp_path):
    sample = tmp_path / "my.yaml"
    assert f"sample config: {sample}" in awnas("gen-sample-config", sample).err
    assert yaml.safe_load(sample.read_text()) is None
    uncommented(sample)
    assert "ok (" in awnas("check", sample).out
    quick = [
        f"trainer_cfg.{name}=1"
        for name in ("epochs", "evaluator_steps", "controller_steps", "derive_samples")
    ]
    quick += ["trainer_cfg.controller_train_begin=1", "weights_manager_cfg.init_channels=2"]
    overrides = [text for item in quick for text in ("--set", item)]
    awnas("search", sample, *overrides, "--train-dir", tmp_path / "run", "--seed", 0)
    assert (tmp_path / "run" / "genotypes.yaml").exists()


def test_a_sample_of_a_final_training_runs_when_its_comments_are_taken_off(awnas, tmp_path):
    sample = tmp_path / "my.yaml"
    awnas("gen-final-sample-config", sample)
    assert yaml.safe_load(sample.read_text()) is None
    uncommented(sample)
    assert "ok (" in awnas("check", sample).out
    quick = [
        "final_trainer_cfg.epochs=1",
        "final_model_cfg.init_channels=2",
        "final_trainer_cfg.batch_size=512",
    ]
    awnas("train", sample, *[text for item in quick for text in ("--set", item)])


def test_a_sample_config_explains_every_option_and_never_replaces_a_file(awnas, tmp_path):
    sample = tmp_path / "my.yaml"
    awnas("gen-sample-config", sample)
    text = sample.read_text()
    assert re.search(r"#   # Examples in a batch, .*\.\n#   batch_size: ", text)
    assert "#   cifar10: CIFAR-10" in text  # the others of a kind
    assert "exists already" in awnas("gen-sample-config", sample, code=2).err
    assert sample.read_text() == text


@pytest.mark.parametrize(
    ("options", "words"),
    [(["-d", "smell"], "no installed dataset gives smell data"), (["-r", "round"], "no rollout 'round'")],
)
def test_a_sample_of_what_there_is_not_is_refused(awnas, tmp_path, options, words):
    assert words in awnas("gen-sample-config", tmp_path / "x.yaml", *options, code=2).err
    assert not (tmp_path / "x.yaml").exists()


def test_the_schema_takes_every_preset_and_refuses_a_misspelt_key(awnas, mistakes):
    validator = jsonschema.Draft202012Validator(awnas.json("schema"))
    for preset in installed_registry().presets().values():
        config = dict(preset_source(preset).data)
        assert not list(validator.iter_errors(config)), preset.name
        assert list(validator.iter_errors(config | {"dataset_typ": "digits"}))
        assert list(validator.iter_errors(config | {"search_space_cfg": {"num_stps": 3}}))


def test_presets_are_listed_with_what_they_are_for(awnas):
    rows = [line.split("\t") for line in awnas("presets").out.splitlines()]
    assert rows[0] == ["preset", "for", "summary", "package"]
    assert ["enas-digits", "search", "ENAS on the 8×8 digits, in minutes.", "awnas-training"] in rows
    assert {"enas-digits", "enas-digits-final"} <= {
        preset["name"] for preset in awnas.json("presets", "--json")
    }


def test_the_registry_is_filtered_by_kind_and_name(awnas):
    def names(*options):
        return [
            (row["kind"], row["name"]) for row in awnas.json("registry", "--json", *options)["components"]
        ]

    assert names("-t", "rl_agent") == names("-t", "rl-agent") == [("rl_agent", "pg"), ("rl_agent", "ppo")]
    assert names("-n", "pg", "-n", "random_sample") == [("controller", "random-sample"), ("rl_agent", "pg")]
    assert names("-t", "rl_agent", "-r", "-n", "p.o") == [("rl_agent", "ppo")]
    assert names("-n", "nor_conv_3x3") == [("primitive", "relu_conv_bn_3x3")]  # by an alias
    assert "no kind 'agent'" in awnas("registry", "-t", "agent", code=2).err
    assert "did you mean 'ppo'?" in awnas("registry", "-n", "pppo", code=2).err
    assert "not a regular expression" in awnas("registry", "-r", "-n", "(", code=2).err


def test_plugins_are_listed_with_versions(awnas):
    rows = [line.split("\t") for line in awnas("plugins").out.splitlines()]
    assert rows[0] == ["plugin", "status", "version", "origin", "note"]
    assert [row[:2] for row in rows if row[3] == "awnas-core"] == [["core", "loaded"]]
    assert json.loads(awnas("plugins", "--json").out)["refused"] == []
