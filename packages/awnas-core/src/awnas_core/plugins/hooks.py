"""The hooks a plugin may implement."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from awnas_core.plugins.spec import CommandSpec, ComponentSpec, KindSpec, PresetSpec
    from awnas_core.rollout import Purpose, Rollout
    from awnas_core.run.run import Run

API_VERSION = 1
"""Version of the plugin protocol; a plugin states the one it was written for as ``awnas_api``."""

hookspec = pluggy.HookspecMarker("awnas")
hookimpl = pluggy.HookimplMarker("awnas")


@hookspec
def awnas_components() -> Sequence[ComponentSpec]:  # type: ignore[empty-body]
    """Return the components that the plugin offers."""


@hookspec
def awnas_kinds() -> Sequence[KindSpec]:  # type: ignore[empty-body]
    """Return kinds of component that the plugin declares."""


@hookspec
def awnas_commands() -> Sequence[CommandSpec]:  # type: ignore[empty-body]
    """Return subcommands that the plugin adds to ``awnas``."""


@hookspec
def awnas_presets() -> Sequence[PresetSpec]:  # type: ignore[empty-body]
    """Return ready configurations shipped with the plugin."""


@hookspec
def awnas_run_started(run: Run) -> None:
    """React to a run that starts or resumes, before its first epoch."""


@hookspec
def awnas_epoch_started(run: Run, epoch: int) -> None:
    """React to the start of an epoch (1-based), after schedules were applied."""


@hookspec
def awnas_rollouts_evaluated(run: Run, rollouts: Sequence[Rollout], purpose: Purpose) -> None:
    """React to rollouts whose evaluation was just recorded."""


@hookspec
def awnas_step_finished(run: Run, phase: str, step: int, steps: int) -> None:
    """React to one step (1-based) of ``steps`` within a phase of an epoch."""


@hookspec
def awnas_epoch_finished(run: Run, epoch: int, metrics: dict[str, float]) -> None:
    """React to the end of an epoch, with all that was reported in it."""


@hookspec
def awnas_checkpoint_saved(run: Run, epoch: int, path: Path) -> None:
    """React to a whole checkpoint on disk."""


@hookspec
def awnas_run_finished(run: Run, status: str) -> None:
    """React to the end of a run: ``"done"``, ``"failed"`` or ``"interrupted"``."""
