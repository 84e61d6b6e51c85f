"""The bundle: every official distribution, and a command that works."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

from awnas_core.plugins.official import OFFICIAL


def test_the_bundle_needs_every_official_distribution():
    needed = {re.match(r"[\w-]+", requirement)[0] for requirement in requires("awnas")}
    assert needed == set(OFFICIAL) - {"awnas"}


def test_the_command_is_there():
    done = subprocess.run(
        [Path(sys.executable).with_name("awnas"), "registry"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "cnn" in done.stdout
