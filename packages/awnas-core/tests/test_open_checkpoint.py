"""What ``--load`` takes: a run directory, whatever its name, or one checkpoint of it."""

from __future__ import annotations

import pytest

from awnas_core import CheckpointError
from awnas_core.run.checkpoint import CheckpointStore, open_checkpoint


@pytest.fixture(params=["run", "final", "7"])
def run_directory(request, tmp_path):
    """A run directory with checkpoints of two epochs."""
    folder = tmp_path / request.param
    folder.mkdir()
    store = CheckpointStore(folder)
    for epoch in (1, 2):
        store.save(epoch, {"trainer": {"epoch": epoch}}, {})
    return folder


def test_a_run_directory_gives_its_newest_checkpoint(run_directory):
    checkpoint = open_checkpoint(run_directory)
    assert (checkpoint.epoch, checkpoint.states["trainer"]) == (2, {"epoch": 2})


def test_a_checkpoint_gives_itself(run_directory):
    assert open_checkpoint(run_directory / "1").epoch == 1


def test_a_run_directory_without_a_checkpoint_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="holds no checkpoint"):
        open_checkpoint(tmp_path)


def test_a_checkpoint_without_its_manifest_is_refused_and_stays(run_directory):
    (run_directory / "2" / "manifest.json").unlink()
    with pytest.raises(CheckpointError, match="no readable manifest"):
        open_checkpoint(run_directory / "2")
    assert (run_directory / "2").is_dir()
