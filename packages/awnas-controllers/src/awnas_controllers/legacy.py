"""Options of an older layer that the controllers no longer have, and why."""

from __future__ import annotations

from typing import Any

Translated = tuple[dict[str, Any], list[str]]
"""Options of today, and a note for every key that was changed or dropped."""


def controller_options(cfg: dict[str, Any]) -> Translated:
    """Drop ``mode``, which said what a sample was for."""
    return _without(cfg, {"mode": "every call of sample now says what it is for"})


def differentiable_options(cfg: dict[str, Any]) -> Translated:
    """Drop ``mode`` and the inspection of the Hessian, which a controller that sees no network cannot make."""
    cfg, notes = controller_options(cfg)
    reason = "the Hessian takes the network, which the evaluator alone has"
    cfg, more = _without(cfg, {"inspect_hessian_every": reason})
    return cfg, notes + more


def agent_options(cfg: dict[str, Any]) -> Translated:
    """Drop ``batch_update``, of which only one value worked."""
    return _without(cfg, {"batch_update": "agents always learn from a whole batch"})


def _without(cfg: dict[str, Any], dropped: dict[str, str]) -> Translated:
    notes = [f"{key} is dropped: {reason}" for key, reason in dropped.items() if key in cfg]
    return {key: value for key, value in cfg.items() if key not in dropped}, notes
