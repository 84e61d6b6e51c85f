"""The example plugin, installed beside awnas as anybody would; run by the session 'wheels'."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

AWNAS = Path(sys.executable).with_name("awnas")
SEARCH = [
    "controller_type=hill-climb",
    "controller_cfg={}",
    "objective_type=calm",
    "evaluator_cfg.data_portion=[0.1, 0.1]",
    "trainer_cfg={epochs: 2, evaluator_steps: 2, controller_steps: 2, derive_samples: 1}",
]


def awnas(*arguments: str) -> str:
    done = subprocess.run([AWNAS, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_its_components_are_listed_beside_those_of_awnas():
    rows = json.loads(awnas("registry", "--json"))["components"]
    own = {(row["kind"], row["name"]) for row in rows if row["distribution"] == "awnas-example-plugin"}
    assert own == {("controller", "hill-climb"), ("objective", "calm")}


def test_a_search_uses_them(tmp_path):
    overrides = [text for item in SEARCH for text in ("--set", item)]
    run = tmp_path / "run"
    assert awnas("search", "enas-digits", *overrides, "--train-dir", str(run)).startswith("CNNGenotype(")
    resolved = (run / "resolved.yaml").read_text()
    assert "controller_type: hill-climb" in resolved
    assert "objective_type: calm" in resolved
