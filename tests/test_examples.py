"""The configs of examples/ are ones that can be run."""

from __future__ import annotations

from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "examples"
CONFIGS = sorted(FOLDER.rglob("*.yaml"))


@pytest.mark.parametrize("config", CONFIGS, ids=[str(path.relative_to(FOLDER)) for path in CONFIGS])
def test_an_example_passes_the_check(awnas, config):
    assert ": ok" in awnas("check", config).out


def test_the_readme_names_every_config():
    text = (FOLDER / "README.md").read_text()
    assert [path.name for path in CONFIGS if f"`{path.name}`" not in text] == []
