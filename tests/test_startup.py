"""What the command line loads, writes and sees when it starts, in an environment with everything installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

HEAVY = ("torch", "torchvision", "sklearn", "scipy")
REPORT = """\
import sys
from awnas_core.cli.app import main
sys.argv = ["awnas", *sys.argv[1:]]
try:
    main()
finally:
    print(*{name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
"""
PLUGIN = """\
from awnas_core import ComponentSpec, hookimpl
awnas_api = 1

@hookimpl
def awnas_components():
    return [ComponentSpec(kind="controller", name="guest", target="awnas_guest:Guest", summary="A guest.")]
"""


@pytest.fixture
def visitor(tmp_path, monkeypatch):
    """A user with an empty home and no settings; returns the home."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("AWNAS_HOME")
    monkeypatch.delenv("AWNAS_DATA")
    monkeypatch.chdir(home)
    return home


def run(*arguments: str, path: str | os.PathLike[str] = "") -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(path)}
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (["--help"], (*HEAVY, "numpy", "pydantic", "rich", "yaml")),
        (["registry"], HEAVY),
        (["registry", "--json"], HEAVY),
        (["plugins"], HEAVY),
        (["presets"], HEAVY),
    ],
    ids=" ".join,
)
def test_a_command_that_only_lists_loads_nothing_heavy(arguments, unwanted):
    loaded = set(run("-c", REPORT, *arguments).stderr.split())
    assert "awnas_core" in loaded
    assert not loaded.intersection(unwanted)


@pytest.mark.parametrize("arguments", [["--help"], ["registry"], ["search", "--help"]], ids=" ".join)
def test_looking_around_writes_no_file(visitor, arguments):
    run("-m", "awnas_core", *arguments)
    assert list(visitor.rglob("*")) == []


def controllers(path):
    rows = json.loads(run("-m", "awnas_core", "registry", "--json", path=path).stdout)["components"]
    return {(row["name"], row["distribution"], row["version"]) for row in rows if row["kind"] == "controller"}


def test_a_plugin_is_seen_as_soon_as_it_is_installed_and_no_longer(visitor, tmp_path):
    site = tmp_path / "site"
    metadata = site / "awnas_guest-1.2.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: awnas-guest\nVersion: 1.2\n")
    (site / "awnas_guest.py").write_text(PLUGIN)
    guest = ("guest", "awnas-guest", "1.2")
    assert guest not in controllers(site)
    (metadata / "entry_points.txt").write_text("[awnas]\nguest = awnas_guest\n")
    assert guest in controllers(site)
    (metadata / "entry_points.txt").unlink()
    assert guest not in controllers(site)
