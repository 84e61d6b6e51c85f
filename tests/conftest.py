"""The command ``awnas`` for tests: in this process, where torch is loaded only once, or in one that can be killed."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from awnas_core.cli.app import app, main

SEARCH = """\
rollout_type: discrete
search_space_type: cnn
search_space_cfg:
  {num_layers: 2, cell_layout: [0, 1], num_steps: 2, shared_primitives: [skip_connect, max_pool_3x3, conv_bn_relu_1x1]}
dataset_type: digits
weights_manager_type: supernet
weights_manager_cfg: {init_channels: 4}
controller_type: rl
controller_cfg: {controller_network_cfg: {controller_hid: 8, attention_hid: 8}}
objective_type: classification
evaluator_type: discrete_shared_weights
evaluator_cfg: {batch_size: 16, data_portion: [0.2, 0.1, 0.05], workers_per_queue: 0}
trainer_type: simple
trainer_cfg:
  {epochs: 3, test_every: 2, evaluator_steps: 4, controller_steps: 3, controller_samples: 2, derive_samples: 3}
"""
GENOTYPE = (
    "CNNGenotype(normal_0=(('conv_bn_relu_1x1', 0, 2), ('skip_connect', 1, 2), ('max_pool_3x3', 2, 3), "
    "('conv_bn_relu_1x1', 1, 3)), reduce_1=(('max_pool_3x3', 0, 2), ('conv_bn_relu_1x1', 1, 2), "
    "('skip_connect', 2, 3), ('max_pool_3x3', 0, 3)))"
)
FINAL = f"""\
search_space_type: cnn
search_space_cfg:
  {{num_layers: 2, cell_layout: [0, 1], num_steps: 2,
  shared_primitives: [skip_connect, max_pool_3x3, conv_bn_relu_1x1]}}
dataset_type: digits
objective_type: classification
final_model_type: cnn_final_model
final_model_cfg:
  genotypes: "{GENOTYPE}"
  init_channels: 4
  dropout_path_rate: 0.1
final_trainer_type: cnn_trainer
final_trainer_cfg: {{epochs: 3, batch_size: 64, learning_rate: 0.1, workers_per_queue: 0, valid_portion: 0.1}}
"""


@dataclass(frozen=True)
class Done:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


@dataclass
class Process:
    """A command in a process of its own, in a process group of its own."""

    pid: int
    output: Path

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the command alone, not to its data workers."""
        os.kill(self.pid, number)

    def wait(self) -> Done:
        """Wait for the end; the code of a killed process is the negative signal number."""
        _, status = os.waitpid(self.pid, 0)
        return Done(os.waitstatus_to_exitcode(status), self._text("out"), self._text("err"))

    def has_ended(self) -> bool:
        """Whether there is nothing left to kill; the process can still be waited for."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def when(self, condition: Callable[[], bool]) -> bool:
        """Wait until ``condition`` holds; False when the command ends before."""
        while not condition():
            if self.has_ended():
                return False
            time.sleep(0.0005)
        return True

    def _text(self, stream: str) -> str:
        return self.output.with_suffix(f".{stream}").read_text()


class Awnas:
    """The command ``awnas``.

    Args:
        folder: Where the output of processes is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    def __call__(self, *arguments: object, code: int = 0) -> Done:
        """Run a command here and see that it ends with ``code``."""
        result = CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="awnas")
        done = Done(result.exit_code, result.stdout, result.stderr)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert done.code == code, done
        return done

    def json(self, *arguments: object) -> object:
        """Return the JSON that a command prints."""
        return json.loads(self(*arguments).out)

    def start(self, *arguments: object) -> Process:
        """Run a command in a process that was split off this one."""
        self._count += 1
        process = Process(0, self._folder / str(self._count))
        sys.stdout.flush()
        process.pid = os.fork()
        if process.pid == 0:
            _become([str(argument) for argument in arguments], process.output)
        return process


def _become(arguments: list[str], output: Path) -> None:
    """Run the command in this process and end it; nothing of pytest goes on here."""
    code = 99
    try:
        os.setsid()
        for number, stream in ((1, "out"), (2, "err")):
            os.dup2(os.open(output.with_suffix(f".{stream}"), os.O_CREAT | os.O_WRONLY | os.O_APPEND), number)
        sys.stdout = open(1, "w", closefd=False, buffering=1)  # noqa: SIM115 - the process ends with it
        sys.stderr = open(2, "w", closefd=False, buffering=1)  # noqa: SIM115
        sys.argv = ["awnas", *arguments]
        signal.signal(signal.SIGINT, signal.default_int_handler)
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
    except BaseException:  # noqa: BLE001 - whatever it is, pytest must not see it
        traceback.print_exc()
    finally:
        os._exit(code)


@pytest.fixture(scope="session")
def loaded() -> None:
    """Everything that a search imports is loaded, so that a process split off this one need not."""
    import sklearn.datasets  # noqa: F401
    import torch
    import torchvision  # noqa: F401

    torch.optim.SGD([torch.zeros(1)], lr=1.0)  # the first optimizer imports torch's compiler


@pytest.fixture
def awnas(tmp_path_factory, loaded) -> Awnas:
    """The command, its output kept apart from what the test writes."""
    return Awnas(tmp_path_factory.mktemp("output"))


@pytest.fixture
def search_cfg(tmp_path) -> Path:
    """A config of a small search on the digits: a second an epoch."""
    path = tmp_path / "search.yaml"
    path.write_text(SEARCH)
    return path


@pytest.fixture
def final_cfg(tmp_path) -> Path:
    """A config that trains a small network on the digits."""
    path = tmp_path / "final.yaml"
    path.write_text(FINAL)
    return path


@pytest.fixture(scope="session")
def trained(loaded, tmp_path_factory) -> Path:
    """The folder of a finished search of ``SEARCH`` and a finished training of ``FINAL``, with their configs."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "search.yaml").write_text(SEARCH)
    (folder / "final.yaml").write_text(FINAL)
    awnas = Awnas(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWNAS_HOME", str(folder / "home"))
        awnas("search", folder / "search.yaml", "--train-dir", folder / "search", "--seed", 3)
        awnas("train", folder / "final.yaml", "--train-dir", folder / "final", "--seed", 3)
    return folder


@pytest.fixture
def small_data(own_home) -> Path:
    """A data folder with a few examples of every data set that has to be downloaded, in the true formats."""
    from tests import small_data as sets  # needs what the parts alone do not bring

    sets.write_all(own_home / "data")
    return own_home / "data"
