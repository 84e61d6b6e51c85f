"""What awnas-hardware adds to awnas."""

from __future__ import annotations

from awnas_core import CommandSpec, ComponentSpec, PresetSpec, hookimpl

awnas_api = 1


_SMALL = (
    "trainer_cfg.evaluator_steps=2",
    "trainer_cfg.controller_steps=2",
    "trainer_cfg.controller_train_begin=1",
    "trainer_cfg.controller_samples=2",
    "trainer_cfg.derive_samples=2",
    "trainer_cfg.test_every=2",
    "evaluator_cfg.batch_size=8",
    "evaluator_cfg.data_portion=[0.2, 0.1]",
)


@hookimpl
def awnas_components() -> list[ComponentSpec]:
    """What a search hears of devices."""
    return [
        ComponentSpec(
            kind="objective",
            name="hardware",
            target="awnas_hardware.objective:HardwareObjective",
            summary="Latency or energy as a cost model predicts it, without running anything.",
        ),
    ]


@hookimpl
def awnas_presets() -> list[PresetSpec]:
    """A search within a budget."""
    return [
        PresetSpec(
            name="latency-digits",
            path="awnas_hardware:presets/latency-digits.yaml",
            summary="Evolution within a latency budget over a trained supernet, on the digits.",
            trials=(_SMALL,),
        ),
    ]


@hookimpl
def awnas_commands() -> list[CommandSpec]:
    """What is done with devices."""
    return [
        CommandSpec(
            name="hw",
            target="awnas_hardware.command:app",
            summary="Measure networks on a device, model their cost, predict it.",
        ),
    ]
