"""Options of objectives in an older layer, turned into today's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from awnas_core.plugins.spec import fold

Translated = tuple[dict[str, Any], list[str]]
"""Options of today, and a note for every key that was changed or dropped."""

DROPPED = {
    "aggregate_as_list": "a metric is one number, over all examples",
    "return_param": "a container with the objective flops reports params",
    "reg_lambda": "nothing ever used it",
}


def classification(cfg: dict[str, Any]) -> Translated:
    """Drop what is not needed, and call the budget what it is."""
    new = {key: value for key, value in cfg.items() if key not in DROPPED}
    notes = [f"{key}: dropped, because {DROPPED[key]}" for key in cfg if key in DROPPED]
    if new.get("label_smooth", 0) is None:
        new["label_smooth"] = 0.0
        notes.append("label_smooth: null is now written 0")
    if "flops_budget" in new:
        new["macs_budget"] = new.pop("flops_budget")
        notes.append("flops_budget: now called macs_budget, because it counts one for each multiply-add")
    return new, notes


def container(cfg: dict[str, Any]) -> Translated:
    """Turn a negative weight of FLOPs, whose reward was the number itself, into a weight of few FLOPs."""
    parts, rewards = cfg.get("sub_objectives"), cfg.get("rewards_coef")
    if not isinstance(parts, list) or not isinstance(rewards, list):
        return cfg, []
    new, notes = list(rewards), []
    for index, (part, weight) in enumerate(zip(parts, rewards, strict=False)):
        if _is_flops(part) and isinstance(weight, (int, float)) and weight < 0:
            new[index] = -weight / 2
            notes.append(
                f"rewards_coef: {weight} on flops is now {new[index]}, because fewer are the better reward, and a "
                "multiply-add counts as two"
            )
    return {**cfg, "rewards_coef": new}, notes


def zero_shot(cfg: dict[str, Any]) -> Translated:
    """Drop what is not needed, and call the proxies what they are."""
    new = {key: value for key, value in cfg.items() if key not in DROPPED}
    notes = [f"{key}: dropped, because {DROPPED[key]}" for key in cfg if key in DROPPED]
    if "perf_names" in new:
        new["proxies"] = new.pop("perf_names")
        notes.append("perf_names: now called proxies")
    return new, notes


def _is_flops(part: Any) -> bool:
    return isinstance(part, Mapping) and fold(str(part.get("objective_type"))) == "flops"
