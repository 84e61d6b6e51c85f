"""A run that is killed goes on exactly where it was: same genotypes, same metrics, whatever the moment."""

from __future__ import annotations

import json
import os
import random
import re
import resource
import signal
import time
from contextlib import contextmanager
from pathlib import Path

import pytest


def metrics(run: Path) -> list[dict[str, float]]:
    """The rows of a run's metrics, what was measured in seconds left out."""
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in row.items() if key != "time"} for row in rows]


def files_of(checkpoint: Path) -> dict[str, bytes]:
    """Every file of a checkpoint but the manifest, which says how long the metrics are, times included."""
    return {
        str(file.relative_to(checkpoint)): file.read_bytes()
        for file in sorted(checkpoint.rglob("*"))
        if file.is_file() and file.name != "manifest.json"
    }


def assert_same_run(run: Path, other: Path) -> None:
    assert metrics(run) == metrics(other)
    assert files_of(run / "final") == files_of(other / "final")
    names = ["genotypes.yaml", "queues.json"] if (other / "genotypes.yaml").exists() else []
    for name in names:
        assert (run / name).read_bytes() == (other / name).read_bytes()
    assert not list(run.glob(".awnas-tmp-*"))


class Goes:
    """One search, or one training, in several goes."""

    def __init__(self, awnas, command: str, cfg: Path, folder: Path, *options: object) -> None:
        self._awnas, self.folder = awnas, folder
        self._arguments = [command, cfg, "--train-dir", folder, "--seed", 7, *options]

    def start(self):
        """Begin, or go on where the run has begun."""
        begun = (self.folder / "environment.json").exists()
        return self._awnas.start(*self._arguments, *(["--resume"] if begun else []))

    def finish(self):
        done = self.start().wait()
        assert done.code == 0, done
        return done

    def kill_at_random(self, seconds: float, rng: random.Random, times: int) -> int:
        """Kill it so often, each time it has gone on for a while; return how often it was still alive."""
        alive = 0
        for _ in range(times):
            process = self.start()
            time.sleep(rng.uniform(0, seconds))
            alive += not process.has_ended()
            process.send(signal.SIGKILL)
            process.wait()
        return alive

    def kill_when(self, condition) -> None:
        """Kill it as soon as ``condition`` holds."""
        process = self.start()
        assert process.when(condition), process.wait()
        process.send(signal.SIGKILL)
        assert process.wait().code == -signal.SIGKILL

    def kill_after_epoch(self, epoch: int) -> None:
        """Kill it when the checkpoint of an epoch is there."""
        self.kill_when((self.folder / str(epoch) / "manifest.json").exists)


@pytest.fixture(params=["search", "train"])
def goes(request, awnas, search_cfg, final_cfg, tmp_path):
    """A search, or a training, to be interrupted."""
    cfg = search_cfg if request.param == "search" else final_cfg
    return Goes(awnas, request.param, cfg, tmp_path / "run")


@pytest.fixture(scope="session")
def whole_runs():
    return {}


@pytest.fixture
def whole(goes, awnas, whole_runs, tmp_path_factory):
    """The same run without interruption, and how many seconds it takes."""
    command, cfg = goes._arguments[:2]
    if command not in whole_runs:
        uninterrupted = Goes(awnas, command, cfg, tmp_path_factory.mktemp("whole") / "run")
        started = time.perf_counter()
        uninterrupted.finish()
        whole_runs[command] = uninterrupted.folder, time.perf_counter() - started
    return whole_runs[command]


def test_a_run_killed_at_random_moments_ends_as_if_it_never_was(goes, whole):
    folder, seconds = whole
    assert goes.kill_at_random(0.7 * seconds, random.Random(0), times=3)
    goes.finish()
    assert_same_run(goes.folder, folder)


def test_a_run_killed_while_it_writes_a_checkpoint_ends_as_if_it_never_was(goes, whole):
    def writes_into_the_second_epochs() -> bool:
        return (goes.folder / "1").exists() and any(goes.folder.glob(".awnas-tmp-*/*"))

    goes.kill_when(writes_into_the_second_epochs)
    assert not (goes.folder / "2").exists()
    assert list(goes.folder.glob(".awnas-tmp-*"))
    goes.finish()
    assert_same_run(goes.folder, whole[0])


def test_a_run_killed_between_its_metrics_and_its_checkpoint_notes_the_epoch_once(goes, whole):
    log = goes.folder / "metrics.jsonl"
    goes.kill_when(lambda: log.exists() and log.read_bytes().count(b"\n") == 2)
    goes.finish()
    assert_same_run(goes.folder, whole[0])


def test_two_data_workers_and_none_give_the_same_killed_or_not(awnas, search_cfg, tmp_path):
    without = Goes(awnas, "search", search_cfg, tmp_path / "without")
    without.finish()
    option = ("--set", "evaluator_cfg.workers_per_queue=2")
    goes = Goes(awnas, "search", search_cfg, tmp_path / "with", *option)
    goes.kill_after_epoch(1)
    goes.kill_after_epoch(2)
    goes.finish()
    assert_same_run(goes.folder, without.folder)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_a_search_killed_at_ten_random_moments_ends_as_if_it_never_was(awnas, search_cfg, tmp_path, workers):
    options = ("--set", f"evaluator_cfg.workers_per_queue={workers}", "--set", "trainer_cfg.epochs=8")
    uninterrupted = Goes(awnas, "search", search_cfg, tmp_path / "whole", *options)
    started = time.perf_counter()
    uninterrupted.finish()
    seconds = time.perf_counter() - started
    goes = Goes(awnas, "search", search_cfg, tmp_path / "killed", *options)
    rng, alive = random.Random(workers), 0
    while alive < 10:
        alive += goes.kill_at_random(0.4 * seconds, rng, times=1)
    goes.finish()
    assert_same_run(goes.folder, uninterrupted.folder)


def cut_short(checkpoint: Path) -> None:
    file = max(checkpoint.rglob("*.safetensors"), key=lambda file: file.stat().st_size)
    file.write_bytes(file.read_bytes()[:-100])


def flip_one_bit(checkpoint: Path) -> None:
    file = max(checkpoint.rglob("*.safetensors"), key=lambda file: file.stat().st_size)
    content = bytearray(file.read_bytes())
    content[-100] ^= 1
    file.write_bytes(content)


def lose_a_file(checkpoint: Path) -> None:
    next(checkpoint.rglob("state.json")).unlink()


def empty_the_manifest(checkpoint: Path) -> None:
    (checkpoint / "manifest.json").write_text("")


@pytest.mark.parametrize("damage", [cut_short, flip_one_bit, lose_a_file, empty_the_manifest])
@pytest.mark.parametrize("goes", ["search"], indirect=True)
def test_a_damaged_checkpoint_is_set_aside_and_the_one_before_is_used(goes, whole, damage):
    goes.kill_after_epoch(2)
    damage(goes.folder / "2")
    said = goes.finish().err
    assert f"checkpoint '{goes.folder / '2'}'" in said
    assert "moved to '2.damaged-1', the one before is used" in said
    assert (goes.folder / "2.damaged-1").is_dir()
    assert_same_run(goes.folder, whole[0])


@pytest.mark.parametrize("goes", ["search"], indirect=True)
def test_without_any_whole_checkpoint_a_resumed_run_begins_again(goes, whole):
    goes.kill_after_epoch(1)
    flip_one_bit(goes.folder / "1")
    goes.finish()
    assert_same_run(goes.folder, whole[0])


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_says_how_to_go_on_and_can(goes, whole, number, code):
    process = goes.start()
    assert process.when((goes.folder / "1").exists)
    process.send(number)
    done = process.wait()
    assert done.code == code
    assert re.search(f"interrupted; --train-dir {goes.folder} --resume goes on after epoch [12]\n", done.err)
    assert "Traceback" not in done.err
    goes.finish()
    assert_same_run(goes.folder, whole[0])


def test_ctrl_c_at_a_terminal_reaches_the_data_workers_and_leaves_a_resumable_run(
    awnas, search_cfg, tmp_path
):
    option = ("--set", "evaluator_cfg.workers_per_queue=2")
    goes = Goes(awnas, "search", search_cfg, tmp_path / "run", *option)
    process = goes.start()
    assert process.when((goes.folder / "1").exists)
    os.killpg(process.pid, signal.SIGINT)
    done = process.wait()
    assert done.code == 130
    assert "Traceback" not in done.err
    goes.finish()


@pytest.mark.parametrize("goes", ["search"], indirect=True)
def test_a_checkpoint_that_does_not_fit_on_the_disk_ends_the_run_and_spoils_nothing(goes, whole):
    goes.kill_after_epoch(1)
    largest = max(file.stat().st_size for file in (goes.folder / "1").rglob("*"))
    with file_size_limited_to(largest - 1):
        process = goes.start()
    done = process.wait()
    assert done.code == 1
    assert f"error: cannot write '{goes.folder / '2'}'" in done.err
    assert "Traceback" not in done.err
    goes.finish()
    assert_same_run(goes.folder, whole[0])


@contextmanager
def file_size_limited_to(size: int):
    """Let processes that start now write no larger files: to them the disk is full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)


@pytest.mark.parametrize("goes", ["search"], indirect=True)
def test_a_run_that_began_with_loaded_weights_goes_on_with_them(awnas, search_cfg, goes, whole, tmp_path):
    load = ("--load", whole[0])
    uninterrupted = Goes(awnas, "search", search_cfg, tmp_path / "uninterrupted", *load)
    uninterrupted.finish()
    process = awnas.start("search", search_cfg, "--train-dir", goes.folder, "--seed", 7, *load)
    assert process.when((goes.folder / "0").exists)
    process.send(signal.SIGKILL)
    process.wait()
    goes.finish()
    assert_same_run(goes.folder, uninterrupted.folder)
    assert metrics(goes.folder) != metrics(whole[0])


@pytest.mark.parametrize("goes", ["search"], indirect=True)
def test_deriving_from_a_search_that_runs_leaves_it_alone(awnas, search_cfg, goes, whole):
    process = goes.start()
    assert process.when((goes.folder / "1").exists)
    process.send(signal.SIGSTOP)
    (half_written := goes.folder / ".awnas-tmp-half").mkdir()
    awnas("derive", search_cfg, "--load", goes.folder, "-o", goes.folder.parent / "genotypes.yaml")
    half_written.rmdir()  # it is still there
    done = awnas("search", search_cfg, "--train-dir", goes.folder, "--resume", code=2)
    assert f"another process is writing '{goes.folder}'" in done.err
    process.send(signal.SIGCONT)
    assert process.wait().code == 0
    assert_same_run(goes.folder, whole[0])
