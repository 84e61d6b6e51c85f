"""Searching, training and testing from the command line: options, refusals, and what is left on disk."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
import yaml

from awnas_core.run.checkpoint import open_checkpoint
from awnas_core.session import open_session

ONE_EPOCH = ["--set", "trainer_cfg.epochs=1", "--set", "trainer_cfg.test_every=null"]


@pytest.fixture
def run(awnas, search_cfg, tmp_path):
    """The folder of a search that ended after an epoch."""
    folder = tmp_path / "run"
    awnas("search", search_cfg, "--train-dir", folder, "--seed", 1, *ONE_EPOCH)
    return folder


def contents(folder):
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_run_directory_holds_what_it_was_made_with(awnas, run, search_cfg):
    assert {item.name for item in run.iterdir()} == {
        *("1", "final", "config.yaml", "resolved.yaml", "environment.json", "metrics.jsonl", "queues.json"),
        *("genotypes.yaml", "search.log", ".lock"),
    }
    assert (run / "config.yaml").read_text() == search_cfg.read_text()
    resolved = yaml.safe_load((run / "resolved.yaml").read_text())
    assert resolved["trainer_cfg"]["epochs"] == 1
    assert resolved["controller_cfg"]["rl_agent_type"] == "pg"  # a default, filled in
    environment = json.loads((run / "environment.json").read_text())
    assert environment["seed"] == 1
    assert environment["versions"]["torch"] == torch.__version__.partition("+")[0]
    log = (run / "search.log").read_text()
    assert "epoch 1  evaluator: " in log
    assert log.splitlines()[-1].endswith("awnas.run INFO: done")


def test_the_resolved_config_of_a_run_runs_to_the_same_end(awnas, run, tmp_path):
    awnas("search", run / "resolved.yaml", "--train-dir", tmp_path / "again", "--seed", 1)
    assert (tmp_path / "again/genotypes.yaml").read_bytes() == (run / "genotypes.yaml").read_bytes()


def test_without_a_run_directory_nothing_is_written(awnas, search_cfg, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = contents(tmp_path)
    done = awnas("search", search_cfg, "--seed", 1, *ONE_EPOCH)
    assert done.out.startswith("CNNGenotype(")
    assert contents(tmp_path) == before


def test_forward_passes_can_run_in_another_format(awnas, run, search_cfg, tmp_path):
    half = tmp_path / "half"
    awnas("search", search_cfg, "--train-dir", half, "--seed", 1, "--dtype", "bfloat16", *ONE_EPOCH)
    losses = [json.loads((path / "metrics.jsonl").read_text())["evaluator/loss"] for path in (run, half)]
    assert losses[0] != losses[1]
    assert losses[0] == pytest.approx(losses[1], rel=0.05)


@pytest.mark.parametrize("name", ["channels_last", "contiguous"])
def test_images_lie_in_memory_as_asked_for(awnas, search_cfg, monkeypatch, name):
    channels_last = []
    convolve = torch.nn.Conv2d.forward

    def look(module, images):
        if images.shape[1] > 1:  # else the layouts are the same
            channels_last.append(images.stride(1) == 1)
        return convolve(module, images)

    monkeypatch.setattr(torch.nn.Conv2d, "forward", look)
    awnas("search", search_cfg, "--seed", 1, "--memory-format", name, *ONE_EPOCH)
    assert set(channels_last) == {name == "channels_last"}


def test_an_existing_run_is_refused_by_default_and_left_as_it_is(awnas, run, search_cfg):
    before = contents(run)
    done = awnas("search", search_cfg, "--train-dir", run, *ONE_EPOCH, code=2)
    assert f"'{run}' is not empty; go on with --resume, replace the run with --overwrite" in done.err
    assert contents(run) == before


def test_overwriting_replaces_the_run(awnas, run, search_cfg):
    (run / "7").mkdir()
    awnas("search", search_cfg, "--train-dir", run, "--overwrite", "--seed", 2, *ONE_EPOCH)
    assert not (run / "7").exists()
    assert json.loads((run / "environment.json").read_text())["seed"] == 2
    assert len((run / "metrics.jsonl").read_text().splitlines()) == 1


@pytest.mark.parametrize("spelling", ["run", "run/final", "link", "link/1", "run/../run"])
def test_what_is_to_be_loaded_is_never_overwritten(awnas, run, search_cfg, tmp_path, spelling):
    (tmp_path / "link").symlink_to(run)
    before = contents(run)
    command = ["search", search_cfg, "--train-dir", run, "--overwrite", *ONE_EPOCH]
    assert "is to be loaded" in awnas(*command, "--load", tmp_path / spelling, code=2).err
    assert contents(run) == before


def test_what_is_no_run_is_never_overwritten(awnas, search_cfg, tmp_path):
    thesis = tmp_path / "thesis"
    thesis.mkdir()
    (thesis / "chapter1.tex").write_text("years of work")
    done = awnas("search", search_cfg, "--train-dir", thesis, "--overwrite", *ONE_EPOCH, code=2)
    assert "holds no run of awnas" in done.err
    assert contents(thesis) == {"chapter1.tex": b"years of work"}


@pytest.mark.parametrize(
    "mistake",
    [
        "trainer_cfg.epoch=3",  # found by the check
        "evaluator_cfg.eval_optimizer.type=SDG",  # found when the evaluator is built
        "evaluator_cfg.data_portion=[0.5, 0.6]",
    ],
)
def test_a_run_that_cannot_start_destroys_and_leaves_nothing(awnas, run, search_cfg, tmp_path, mistake):
    before = contents(run)
    awnas("search", search_cfg, "--train-dir", run, "--overwrite", "--set", mistake, code=2)
    assert contents(run) == before
    awnas("search", search_cfg, "--train-dir", tmp_path / "new", "--set", mistake, code=2)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--resume"], "--resume and --overwrite need --train-dir"),
        (["--overwrite"], "--resume and --overwrite need --train-dir"),
        (["--train-dir", "run", "--resume", "--overwrite"], "give one of them"),
        (["--train-dir", "run", "--resume", "--load", "run"], "give one of them"),
        (["--train-dir", "new", "--resume"], "no run to resume in 'new'; start one without --resume"),
        (["--train-dir", "new", "--load", "nowhere"], "no checkpoint at 'nowhere'"),
        (["--train-dir", "search.yaml"], "'search.yaml' is a file; give a folder"),
        (["--train-dir", "search.yaml/run"], "cannot make the folder"),
        (["--device", "cuda:0"], "this machine has 0 CUDA devices"),
        (["--gpu", "0"], "this machine has 0 CUDA devices"),
        (["--gpu", "0", "--device", "cpu"], "--gpu 0 contradicts --device cpu"),
        (["--device", "tpu"], "no device 'tpu'; give cpu, cuda:N or auto"),
        (
            ["--dtype", "bfloat"],
            "--dtype bfloat: expected one of float32, bfloat16, float16; did you mean 'bfloat16'?",
        ),
        (["--memory-format", "nchw"], "--memory-format nchw: expected one of channels_last, contiguous"),
        (["--seed", "-1"], "greater than or equal to 0"),
        (["--set", "trainer_cfg.epochs"], "write KEY=VALUE"),
        (["--plugin", "none.py"], "no plugin file 'none.py'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_options_that_cannot_be_met_are_explained(awnas, search_cfg, tmp_path, monkeypatch, options, words):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    before = contents(tmp_path)
    assert words in awnas("search", search_cfg.name, *ONE_EPOCH, *options, code=2).err
    assert contents(tmp_path) == before


def test_a_run_goes_on_with_more_epochs_but_not_with_another_config(awnas, run, search_cfg):
    resume = ["search", search_cfg, "--train-dir", run, "--resume", *ONE_EPOCH]
    done = awnas(*resume, "--set", "trainer_cfg.controller_steps=9", code=2)
    assert "changed: trainer_cfg.controller_steps. Resume with the same config" in done.err
    awnas(*resume, "--set", "trainer_cfg.epochs=2")
    assert [json.loads(line)["epoch"] for line in (run / "metrics.jsonl").read_text().splitlines()] == [1, 2]


def test_checkpoints_are_kept_for_the_last_two_epochs_and_every_nth(awnas, search_cfg, tmp_path):
    run = tmp_path / "run"
    quick = [f"trainer_cfg.{name}=1" for name in ("evaluator_steps", "controller_steps", "derive_samples")]
    options = [text for item in ["trainer_cfg.epochs=7", *quick] for text in ("--set", item)]
    awnas("search", search_cfg, "--train-dir", run, "--save-every", 3, *options)
    assert {item.name for item in run.iterdir() if item.is_dir()} == {"3", "6", "7", "final"}


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["derive", "search.yaml", "--load", "final", "-o", "x.yaml"], "it holds no controller"),
        (
            ["eval-arch", "search.yaml", "search/genotypes.yaml", "--load", "final"],
            "it holds no weights_manager",
        ),
        (["test", "final.yaml", "--load", "search"], "it holds no final_model"),
        (["train", "final.yaml", "--load", "search", "--train-dir", "new"], "it holds no final_model"),
        (["search", "final.yaml"], "use it with awnas train"),
        (["train", "search.yaml"], "use it with awnas search"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else None,
)
def test_a_run_or_config_of_the_other_kind_is_refused(awnas, trained, monkeypatch, command, words):
    monkeypatch.chdir(trained)
    assert words in awnas(*command, code=2).err
    assert not (trained / "new").exists()


def test_states_that_do_not_fit_name_the_keys_that_differ(awnas, trained):
    final = trained / "final"
    options = ["--load", final, "--set", "final_model_cfg.init_channels=6"]
    done = awnas("test", trained / "final.yaml", *options, code=2)
    assert "holds another final_model than this config has" in done.err
    assert f"differs in final_model_cfg.init_channels; use it instead: {final / 'resolved.yaml'}" in done.err
    assert len(done.err.splitlines()) == 2
    awnas("test", final / "resolved.yaml", "--load", final)


def accuracy_by_hand(cfg, weights):
    """Accuracy on the held-out digits, by a plain loop over the images one at a time."""
    session = open_session(cfg, "final", seed=0)
    model, images = session.get("final_model"), session.get("dataset").splits()["test"]
    model.load_state(weights)
    model.eval()
    with torch.no_grad():
        hits = [
            int(model(image[None]).argmax()) == int(label)
            for image, label in map(images.__getitem__, range(len(images)))
        ]
    return float(np.mean(hits))


def test_test_measures_what_a_plain_loop_measures(awnas, trained, tmp_path):
    out = tmp_path / "t.json"
    command = ["test", trained / "final.yaml", "--load", trained / "final", "--json", out]
    done = awnas(*command, "-s", "test", "-s", "train")
    results = json.loads(out.read_text())
    weights = open_checkpoint(trained / "final").states["final_model"]
    by_hand = accuracy_by_hand(trained / "final.yaml", weights)
    assert results["test"]["acc"] == pytest.approx(by_hand)
    assert by_hand > 0.15  # it has learnt something
    assert [line.split(":")[0] for line in done.out.splitlines()] == list(results) == ["test", "train"]
    assert "no split tset; the data set has" in awnas(*command, "-s", "tset", code=2).err


def test_a_test_follows_the_genotype_of_the_run(awnas, trained, tmp_path):
    other = (
        "CNNGenotype(normal_0=(('skip_connect', 0, 2), ('skip_connect', 1, 2), ('conv_bn_relu_1x1', 2, 3), "
        "('conv_bn_relu_1x1', 2, 3)), reduce_1=(('max_pool_3x3', 0, 2), ('max_pool_3x3', 1, 2), "
        "('max_pool_3x3', 2, 3), ('max_pool_3x3', 2, 3)))"
    )
    file, run = tmp_path / "genotypes.yaml", tmp_path / "run"
    file.write_text(yaml.safe_dump([other]))
    cfg = trained / "final.yaml"
    awnas("train", cfg, "--genotype", file, "--train-dir", run, "--set", "final_trainer_cfg.epochs=1")
    assert "acc: " in awnas("test", cfg, "--load", run).out
    awnas("test", cfg, "--load", run, "--genotype", other)


def test_a_search_starts_from_the_weights_and_the_controller_of_another(awnas, run, search_cfg, tmp_path):
    no_step = ["--set", "trainer_cfg.controller_steps=0"]
    start = ["--train-dir", tmp_path / "on", "--load", run, "--seed", 5]
    awnas("search", search_cfg, *start, *ONE_EPOCH, *no_step)
    before, after = (open_checkpoint(path).states for path in (run, tmp_path / "on"))
    policies = [state["controller"]["policies"][0] for state in (before, after)]
    assert all(torch.equal(policies[0][name], policies[1][name]) for name in policies[0])  # as loaded
    weights = [state["weights_manager"]["weights"]["network.classifier.weight"] for state in (before, after)]
    assert torch.dist(*weights) < 0.3 * weights[0].norm()  # a few steps away, not drawn anew
