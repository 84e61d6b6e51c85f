"""Options of an older layer's evaluators, and what they are called today."""

from __future__ import annotations

from typing import Any

Translated = tuple[dict[str, Any], list[str]]
"""Options of today, and a note for every key that was changed."""


def nasbench101_options(cfg: dict[str, Any]) -> Translated:
    """Name the columns of ``use_epoch``, and say which training was believed."""
    cfg, notes = dict(cfg), []
    if "use_epoch" in cfg:
        epochs = cfg.pop("use_epoch")
        cfg |= {"signal": f"cifar10/valid_accuracy@{epochs}", "report": f"cifar10/test_accuracy@{epochs}"}
        notes.append("use_epoch: now the columns signal and report")
    return _run(cfg, notes, "use_mean_valid_as_reward", is_mean=True)


def nasbench201_options(cfg: dict[str, Any]) -> Translated:
    """Say which training was believed; the reward then was ``cifar10/valid_accuracy@200``."""
    return _run(dict(cfg), [], "sample_query", is_mean=False)


def _run(cfg: dict[str, Any], notes: list[str], name: str, *, is_mean: bool) -> Translated:
    if name in cfg:
        cfg["run"] = "mean" if bool(cfg.pop(name)) == is_mean else "random"
        notes.append(f"{name}: now called run: {cfg['run']}")
    return cfg, notes
