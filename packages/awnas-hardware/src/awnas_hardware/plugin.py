"""What awnas-hardware adds to awnas."""

from __future__ import annotations

from awnas_core import CommandSpec, hookimpl

awnas_api = 1


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
