"""Drawing architectures; a drawing that fails never stops a run."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from awnas_core.rollout import Rollout


def plot_rollouts(rollouts: Sequence[Rollout], folder: Path) -> list[Path]:
    """Draw each rollout into ``folder`` and return the files; failures are logged and left out."""
    files: list[Path] = []
    for index, rollout in enumerate(rollouts):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            files += rollout.space.plot(rollout, folder / f"arch-{index}")
        except Exception as error:  # noqa: BLE001 - foreign code: anything can happen
            logging.getLogger("awnas.plots").warning("architecture %d was not drawn: %s", index, error)
    return files
