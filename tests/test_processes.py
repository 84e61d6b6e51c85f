"""Two processes with a batch each are one process with the doubled batch: searching, training, after a kill."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from awnas_core.run.checkpoint import open_checkpoint
from tests.conftest import Done

# what each process draws for itself would differ: no dropout
SEARCH = ["weights_manager_cfg.dropout_rate=0.0"]
FINAL = [
    "final_model_cfg.dropout_rate=0.0",
    "final_model_cfg.dropout_path_rate=0.0",
    "final_trainer_cfg.epochs=2",
    "final_trainer_cfg.learning_rate=0.01",  # large steps make rounding grow
    "final_trainer_cfg.valid_portion=0.1099",  # leaves 20 whole batches: processes drop what is left of a pass
]


def overrides(*texts: str) -> list[str]:
    return [part for text in texts for part in ("--set", text)]


def torchrun(*arguments: object) -> Done:
    """Start a command of awnas twice, as a user would."""
    start = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*start, "-m", "awnas_core", *map(str, arguments)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=180)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # its children too: they may wait for each other for ever
        raise
    assert process.returncode == 0, err
    return Done(process.returncode, out, err)


def metrics(run: Path) -> list[dict[str, float]]:
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in row.items() if key != "time"} for row in rows]


def assert_equal_up_to_rounding(run: Path, other: Path) -> None:
    assert len(metrics(run)) == len(metrics(other)) >= 2
    for row, expected in zip(metrics(run), metrics(other), strict=True):
        assert row == pytest.approx(expected, rel=1e-4, abs=1e-5)
    role = "final_model" if (run / "final" / "final_model").exists() else "weights_manager"
    weights, expected = (open_checkpoint(path).states[role]["weights"] for path in (run, other))
    assert weights.keys() == expected.keys()
    for name, tensor in weights.items():
        torch.testing.assert_close(tensor, expected[name], rtol=1e-3, atol=1e-4)


def test_a_search_in_two_processes_is_one_with_the_doubled_batch(awnas, search_cfg, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    awnas("search", search_cfg, "--train-dir", one, "--seed", 7, *overrides(*SEARCH))
    halved = overrides(*SEARCH, "evaluator_cfg.batch_size=8")
    done = torchrun("mpsearch", search_cfg, "--train-dir", two, "--seed", 7, "--device", "cpu", *halved)
    assert_equal_up_to_rounding(two, one)
    genotypes, expected = (yaml.safe_load((run / "genotypes.yaml").read_text()) for run in (two, one))
    assert set(genotypes) == set(expected)
    assert done.out.splitlines() == [genotypes[0]]  # only one of them speaks


class Ranks:
    """Two processes of one run, split off this one, with what torchrun sets."""

    def __init__(self, awnas, monkeypatch, *arguments):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        self.processes = []
        for rank in range(2):
            with monkeypatch.context() as patch:
                for name, value in (shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)}).items():
                    patch.setenv(name, value)
                self.processes.append(awnas.start(*arguments))

    def wait(self):
        """Wait for both; when one fails, the other would wait for it for half an hour and is killed."""
        ended = self.processes[0].when(self.processes[1].has_ended)
        first, last = self.processes[::-1] if ended else self.processes
        done = {id(first): first.wait()}
        if done[id(first)].code != 0:
            last.send(signal.SIGKILL)
        done[id(last)] = last.wait()
        return [done[id(process)] for process in self.processes]


GRADIENT_SEARCH = [
    *SEARCH,
    "search_space_cfg={num_layers: 2, cell_layout: [0, 1], num_steps: 2}",
    "weights_manager_cfg.init_channels=4",
    "controller_cfg.use_edge_normalization=true",
    "evaluator_cfg.data_portion=[0.2, 0.1, 0.05]",
    "trainer_cfg.epochs=2",
    "trainer_cfg.controller_steps=3",
    "trainer_cfg.derive_samples=2",
]


@pytest.mark.parametrize("preset", ["darts2-digits", "gdas-digits"])
def test_a_search_by_gradients_in_two_processes_is_one_with_the_doubled_batch(
    awnas, tmp_path, monkeypatch, preset
):
    one, two = tmp_path / "one", tmp_path / "two"
    doubled, halved = (overrides(*GRADIENT_SEARCH, f"evaluator_cfg.batch_size={size}") for size in (16, 8))
    awnas("search", preset, "--train-dir", one, "--seed", 7, *doubled)
    command = ["mpsearch", preset, "--train-dir", two, "--seed", 7, "--device", "cpu", *halved]
    ended = Ranks(awnas, monkeypatch, *command).wait()
    assert [done.code for done in ended] == [0, 0], ended
    assert_equal_up_to_rounding(two, one)
    logits, expected = (open_checkpoint(run).states["controller"]["logits"] for run in (two, one))
    for name, values in logits.items():
        torch.testing.assert_close(values, expected[name], rtol=1e-3, atol=1e-4)


GROWING_SEARCH = [
    *(text for text in GRADIENT_SEARCH if not text.startswith("controller_cfg")),
    "controller_cfg={population_size: 3, parent_pool_size: 2}",
    "weights_manager_cfg.num_blocks=2",
    "weights_manager_cfg.schedule_cfg.active_blocks={type: add, start: 1, step: 1, every: 1}",
    "evaluator_cfg.switch_epochs=[2]",
    "trainer_cfg.evaluator_steps=4",
]


def test_blocks_of_close_are_drawn_alike_in_two_processes(awnas, tmp_path, monkeypatch):
    one, two = tmp_path / "one", tmp_path / "two"
    doubled, halved = (overrides(*GROWING_SEARCH, f"evaluator_cfg.batch_size={size}") for size in (16, 8))
    awnas("search", "closenet-digits", "--train-dir", one, "--seed", 7, *doubled)
    command = ["mpsearch", "closenet-digits", "--train-dir", two, "--seed", 7, "--device", "cpu", *halved]
    ended = Ranks(awnas, monkeypatch, *command).wait()
    assert [done.code for done in ended] == [0, 0], ended
    assert_equal_up_to_rounding(two, one)


TWO_OF_A_TRAINING = overrides(
    *FINAL, "final_trainer_cfg.batch_size=32", "final_trainer_cfg.eval_batch_size=64"
)


def test_a_training_in_two_processes_is_one_with_the_doubled_batch(awnas, final_cfg, tmp_path, monkeypatch):
    one, two = tmp_path / "one", tmp_path / "two"
    awnas("train", final_cfg, "--train-dir", one, "--seed", 7, *overrides(*FINAL))
    command = ["mptrain", final_cfg, "--train-dir", two, "--seed", 7, "--device", "cpu", *TWO_OF_A_TRAINING]
    ended = Ranks(awnas, monkeypatch, *command).wait()
    assert [done.code for done in ended] == [0, 0], ended
    assert ended[1].out == ended[1].err == ""
    assert_equal_up_to_rounding(two, one)


@pytest.mark.slow
def test_a_training_started_by_torchrun_is_one_with_the_doubled_batch(awnas, final_cfg, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    awnas("train", final_cfg, "--train-dir", one, "--seed", 7, *overrides(*FINAL))
    torchrun("mptrain", final_cfg, "--train-dir", two, "--seed", 7, "--device", "cpu", *TWO_OF_A_TRAINING)
    assert_equal_up_to_rounding(two, one)


def test_a_killed_search_of_two_processes_goes_on_to_the_same_end(awnas, search_cfg, tmp_path, monkeypatch):
    command = ["mpsearch", search_cfg, "--seed", 7, "--device", "cpu"]
    whole = Ranks(awnas, monkeypatch, *command, "--train-dir", tmp_path / "whole").wait()
    assert [done.code for done in whole] == [0, 0], whole
    run = tmp_path / "killed"
    killed = Ranks(awnas, monkeypatch, *command, "--train-dir", run)
    assert killed.processes[0].when((run / "2" / "manifest.json").exists)
    for process in killed.processes:
        process.send(signal.SIGKILL)
    killed.wait()
    tensors = max((run / "2").rglob("*.safetensors"), key=lambda file: file.stat().st_size)
    tensors.write_bytes(tensors.read_bytes()[:-1])  # and the newest checkpoint is damaged
    resumed = Ranks(awnas, monkeypatch, *command, "--train-dir", run, "--resume").wait()
    assert [done.code for done in resumed] == [0, 0], resumed
    assert (run / "2.damaged-1").is_dir()
    assert metrics(run) == metrics(tmp_path / "whole")
    assert (run / "genotypes.yaml").read_bytes() == (tmp_path / "whole" / "genotypes.yaml").read_bytes()


@pytest.mark.parametrize("command", ["mpsearch", "mptrain"])
def test_without_torchrun_the_command_says_how_to_start_it(awnas, search_cfg, final_cfg, command):
    done = awnas(command, search_cfg if command == "mpsearch" else final_cfg, code=2)
    assert "not started by torchrun: RANK, WORLD_SIZE" in done.err
    assert "torchrun --nproc-per-node 2 -m awnas_core" in done.err


def test_a_numbered_device_is_refused_with_several_processes(awnas, search_cfg, monkeypatch):
    names = {
        "RANK": "0",
        "WORLD_SIZE": "2",
        "LOCAL_RANK": "0",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": "1",
    }
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    assert "give auto, cpu or cuda" in awnas("mpsearch", search_cfg, "--device", "cuda:1", code=2).err
