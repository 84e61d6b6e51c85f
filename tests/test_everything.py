"""Every component of awnas runs from a shipped preset: for two epochs, killed in the second, and on to the same end.

A new component needs no test here, only a preset tagged ``test`` that names it, or a trial of one (see
:class:`awnas_core.PresetSpec`). Either must take seconds.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from awnas_core import Component, PresetSpec
from awnas_core.config.check import CheckedConfig, check_config
from awnas_core.config.source import apply_overrides, preset_source
from awnas_core.plugins.official import OFFICIAL
from awnas_core.plugins.registry import Registry, load_target
from awnas_core.plugins.spec import fold
from awnas_core.session import installed_registry

TWO_EPOCHS = {"search": "trainer_cfg.epochs=2", "final": "final_trainer_cfg.epochs=2"}
KILLER = """\
import os, signal
from awnas_core import hookimpl

def die():
    os.kill(os.getpid(), signal.SIGKILL)

@hookimpl
def awnas_step_finished(run):
    if run.epoch == 2:
        die()

@hookimpl
def awnas_epoch_finished(epoch):
    if epoch == 2:
        die()
"""


def official_presets() -> list[PresetSpec]:
    presets = installed_registry().presets().values()
    return [preset for preset in presets if preset.distribution in OFFICIAL]


def trials() -> Iterator[tuple[PresetSpec, tuple[str, ...]]]:
    """Yield (preset, overrides) of every run to make."""
    for preset in official_presets():
        for overrides in (*([()] if "test" in preset.tags else []), *preset.trials):
            yield preset, overrides


TRIALS = [pytest.param(*trial, id=f"{trial[0].name}-{number}") for number, trial in enumerate(trials())]


@pytest.fixture
def options(small_data, tmp_path):
    """The killer, and a place for data sets that are not shipped: a few examples in the true formats."""
    (tmp_path / "killer.py").write_text(KILLER)
    return ["--plugin", tmp_path / "killer.py"]


@pytest.mark.parametrize(("preset", "overrides"), TRIALS)
def test_a_preset_goes_on_after_a_kill_and_ends_the_same(awnas, options, tmp_path, preset, overrides):
    command = {"search": "search", "final": "train"}[preset.kind]
    sets = [text for item in (*overrides, TWO_EPOCHS[preset.kind]) for text in ("--set", item)]
    awnas(command, preset.name, *sets, "--train-dir", tmp_path / "whole", "--seed", 0)

    run = tmp_path / "killed"
    killed = awnas.start(command, preset.name, *sets, "--train-dir", run, "--seed", 0, *options).wait()
    assert killed.code == -signal.SIGKILL, killed
    assert (run / "1" / "manifest.json").exists()
    assert not (run / "2").exists()
    awnas(command, preset.name, *sets, "--train-dir", run, "--resume")
    assert metrics(run) == metrics(tmp_path / "whole")
    assert len(metrics(run)) == 2

    if preset.kind == "search":
        assert (run / "genotypes.yaml").read_bytes() == (tmp_path / "whole" / "genotypes.yaml").read_bytes()
        derived = tmp_path / "derived.yaml"
        awnas("derive", preset.name, *sets, "--load", run, "-o", derived)
        done = awnas("eval-arch", preset.name, *sets, derived, "--load", run, "--steps", 1)
        assert len(done.out.splitlines()) == len(yaml.safe_load(derived.read_text())) >= 1
    else:
        assert "test: " in awnas("test", preset.name, *sets, "--load", run).out


def metrics(run: Path) -> list[dict[str, float]]:
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in row.items() if key != "time"} for row in rows]


def test_every_component_is_exercised_by_a_preset():
    registry = installed_registry()
    everything = {(spec.kind, spec.name) for spec in registry.specs() if spec.distribution in OFFICIAL}
    exercised = {
        named for preset, overrides in trials() for named in components_of(registry, preset, overrides)
    }
    missing = "\n".join(f"  {kind} {name}" for kind, name in sorted(everything - exercised))
    assert not missing, (
        f"no preset exercises\n{missing}\nGive each a preset tagged 'test', or a trial of one that is there."
    )


def components_of(registry: Registry, preset: PresetSpec, overrides: tuple[str, ...]) -> set[tuple[str, str]]:
    """Return (kind, name) of every component that a run of a preset uses, nested and by name."""
    source = apply_overrides(preset_source(preset), overrides)
    config = check_config(source, registry, family=preset.kind)
    nested = {
        (part.spec.kind, part.spec.name) for whole in config.components.values() for part in whole.tree()
    }
    return {*nested, *named_as_values(registry, config), ("rollout", config.rollout_type)}


def named_as_values(registry: Registry, config: CheckedConfig) -> Iterator[tuple[str, str]]:
    """Yield the components that an option names by its value, as a space names its primitives.

    Only kinds whose members are no components of a config in their own right are looked for.
    """
    values = {fold(value) for value in strings_in(config.resolved())}
    for kind in registry.kinds.values():
        base = load_target(kind.base, kind.name)
        if isinstance(base, type) and issubclass(base, Component):
            continue
        for spec in registry.specs(kind.name):
            if kind.name != "rollout" and values.intersection(spec.names):
                yield kind.name, spec.name


def strings_in(data: object) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for value in data.values():
            yield from strings_in(value)
    elif isinstance(data, list):
        for value in data:
            yield from strings_in(value)


def test_every_preset_passes_the_check(awnas):
    for preset in official_presets():
        awnas("check", preset.name)
