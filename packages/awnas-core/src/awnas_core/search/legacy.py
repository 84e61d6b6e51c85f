"""Options of the simple trainer and its relatives in an older layer, turned into today's."""

from __future__ import annotations

from typing import Any

from awnas_core.errors import ConfigError


def simple(cfg: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Drop what other components know themselves.

    Raises: ConfigError when samples are to share a batch, which only the controller can see to.
    """
    new = {key: value for key, value in cfg.items() if key not in ("is_differentiable", "rollout_batch_size")}
    notes = []
    if "is_differentiable" in cfg:
        notes.append("is_differentiable: dropped, because the controller says whether it wants gradients")
    if "rollout_batch_size" in cfg:
        if cfg["rollout_batch_size"] not in (1, None):
            raise ConfigError(
                "rollout_batch_size is now an option of the controller: move it to "
                f"controller_cfg.rollout_batch_size: {cfg['rollout_batch_size']}"
            )
        notes.append("rollout_batch_size: dropped, because it is an option of the controller")
    return new, notes
