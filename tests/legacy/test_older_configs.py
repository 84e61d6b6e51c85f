"""Configs of published searches, written for an older layer, load as they are and tell what became of every key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from awnas_core.config.checked import CheckedComponent
from awnas_core.device import Device
from awnas_core.rollout import Purpose
from awnas_core.session import Session, family_of, find_config, installed_registry, open_session

CONFIGS = sorted(Path(__file__).parent.glob("*.yaml"))


def opened(path: Path) -> Session:
    registry = installed_registry()
    family = family_of(find_config(path, registry))
    return open_session(path, family, registry=registry, device=Device("cpu"), seed=0)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_key_is_used_renamed_or_dropped_with_its_reason(path):
    session = opened(path)
    given = yaml.safe_load(path.read_text())
    for kind, component in session.config.components.items():
        for key in unused(given.get(f"{kind}_cfg") or {}, component):
            about = [
                note for note in session.config.notes if f" {key}: " in note or f" {key} is dropped" in note
            ]
            assert about, f"nothing is said of {kind}_cfg.{key}"


def unused(cfg: dict, component: CheckedComponent) -> Iterator[str]:
    """Yield the keys of a cfg, nested ones too, that no option took."""
    for key, value in cfg.items():
        child = component.children.get(key.removesuffix("_cfg"))
        if key.endswith("_cfg") and isinstance(child, CheckedComponent):
            yield from unused(value or {}, child)
        elif key not in component.schema.keys and value is not None:
            yield key


@pytest.mark.parametrize(
    "name",
    [
        "enas",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("darts", "snas", "pc_darts", "close")),
    ],
)
def test_a_search_takes_two_steps_on_a_few_images(small_data, name):
    session = opened(Path(__file__).parent / f"{name}.yaml")
    evaluator, controller = session.get("evaluator"), session.get("controller")
    session.get("trainer")  # hands the controller its optimizer
    for _ in range(2):
        assert float(evaluator.update_evaluator(controller)["loss"]) > 0
        rollouts = controller.sample(1, Purpose.PROPOSE)
        evaluator.evaluate_rollouts(rollouts, Purpose.PROPOSE, gradient=controller.wants_gradient)
        assert rollouts[0].status == "ok"
        controller.step(rollouts)
    (derived,) = controller.sample(1, Purpose.DERIVE)
    assert str(derived.genotype).startswith("CNNGenotype(")
