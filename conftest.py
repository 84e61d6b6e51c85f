"""What every test of the workspace starts from: one thread, a home of its own, no plugin of the developer."""

from __future__ import annotations

import os
import sys

# Read once, when the numeric libraries are loaded: two cores shared by several threads cost time and repeatability.
os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

# Commands that tests start may cache what they compile: importing torch takes three times as long without.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

import pytest
from hypothesis import settings

settings.register_profile("awnas", deadline=None)  # a busy machine is slow, not wrong
settings.load_profile("awnas")


def pytest_configure(config):
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory, monkeypatch):
    """No test sees or writes the home, data or plugins of whoever runs it."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("AWNAS_HOME", str(home))
    monkeypatch.setenv("AWNAS_DATA", str(home / "data"))
    for name in [
        name for name in os.environ if name.startswith(("AWNAS_PLUGIN", "AWNAS_DISABLE", "AWNAS_LOG"))
    ]:
        monkeypatch.delenv(name)
    return home
