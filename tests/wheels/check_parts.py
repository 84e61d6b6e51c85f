"""awnas-core and awnas-controllers, installed from wheels with what they need; run by the session 'wheels'."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest

from awnas_core.plugins.official import OFFICIAL

AWNAS = Path(sys.executable).with_name("awnas")
COMPONENTS = {
    (distribution, kind, name)
    for distribution in ("awnas-core", "awnas-controllers")
    for kind, names in OFFICIAL[distribution].items()
    for name in names
}
CONFIG = """\
rollout_type: discrete
search_space_type: cnn
controller_type: rl
evaluator_type: discrete-shared-weights
trainer_type: simple
"""


def awnas(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([AWNAS, *arguments], capture_output=True, text=True, check=False)


def test_only_the_parts_and_what_they_need_are_here():
    ours = {found.name for found in distributions() if found.name.startswith("awnas")}
    assert ours == {"awnas-core", "awnas-controllers", "awnas-torch"}


def test_the_registry_lists_exactly_their_components_and_what_comes_with_them():
    done = awnas("registry", "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["components"]
    listed = {(row["distribution"], row["kind"], row["name"]) for row in rows}
    assert {("awnas-core", "trainer", "simple"), ("awnas-controllers", "controller", "rl")} <= listed
    schedulers = {item for item in listed if item[:2] == ("awnas-torch", "lr_scheduler")}
    assert schedulers
    assert listed - schedulers == COMPONENTS


@pytest.mark.parametrize("command", ["check", "search"])
def test_a_config_that_needs_another_part_names_it(command, tmp_path):
    config = tmp_path / "search.yaml"
    config.write_text(CONFIG)
    done = awnas(command, str(config))
    assert done.returncode == 2, done.stdout + done.stderr
    complaint = done.stdout + done.stderr
    assert f"{config}:2" in complaint
    assert "pip install awnas-spaces" in complaint
    assert [file.name for file in tmp_path.iterdir()] == ["search.yaml"]
