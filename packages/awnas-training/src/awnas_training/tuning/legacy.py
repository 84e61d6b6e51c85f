"""Options of ``tune`` and ``bf_tune`` in an older layer, turned into today's."""

from __future__ import annotations

from typing import Any

from awnas_training.evaluators.legacy import Translated
from awnas_training.legacy import translated

RENAMED = {"template_cfg_file": "final", "bf_checkpoints": "rungs"}
DROPPED = {"save_every": "a training is kept after every epoch"}


def tune(cfg: dict[str, Any]) -> Translated:
    """Return today's options, and what became of the others."""
    return translated(cfg, RENAMED, DROPPED)
