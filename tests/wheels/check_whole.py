"""All of awnas, installed from wheels; run by the session 'wheels'."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

AWNAS = Path(sys.executable).with_name("awnas")
ROOT = Path(__file__).parents[2]
PARTS = sorted({file.parent.name for file in ROOT.glob("packages/*/pyproject.toml")} - {"awnas"})


def awnas(*arguments: str) -> str:
    done = subprocess.run([AWNAS, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("part", PARTS)
def test_a_part_comes_from_its_wheel(part):
    origin = Path(find_spec(part.replace("-", "_")).origin)
    assert origin.is_relative_to(sys.prefix)


@pytest.mark.parametrize("part", PARTS)
def test_a_wheel_holds_every_file_of_its_package(part):
    source = ROOT / "packages" / part / "src"
    files = {file.relative_to(source).as_posix() for file in source.rglob("*") if file.is_file()}
    shipped = {str(file) for file in distribution(part).files}
    assert {file for file in files if "__pycache__" not in file} - shipped == set()


@pytest.mark.parametrize("part", PARTS)
def test_a_wheel_is_typed_and_licensed(part):
    names = {Path(str(file)).name for file in distribution(part).files}
    assert {"py.typed", "LICENSE"} <= names


def test_every_part_offers_a_plugin_that_loads():
    plugins = json.loads(awnas("plugins", "--json"))["plugins"]
    assert {plugin["origin"] for plugin in plugins if plugin["status"] == "loaded"} == set(PARTS)


def test_every_preset_passes_check():
    names = [preset["name"] for preset in json.loads(awnas("presets", "--json"))]
    assert "enas-digits" in names
    for name in names:
        awnas("check", name)


def test_the_cell_space_samples_from_a_preset(tmp_path):
    awnas("random-sample", "enas-digits", "-o", str(tmp_path / "archs.yaml"), "-n", "2")
    assert len(yaml.safe_load((tmp_path / "archs.yaml").read_text())) == 2
