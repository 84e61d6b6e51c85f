"""Options of an older layer that are no longer needed, and why."""

from __future__ import annotations

from typing import Any

FACTS = {"num_classes": "it comes from the data set"}
SUPERNET = FACTS | {
    "gpus": "several processes are started with mpsearch",
    "multiprocess": "several processes are started with mpsearch",
    "candidate_member_mask": "a candidate always holds its own active members",
    "candidate_cache_named_members": "a candidate always holds its own active members",
    "candidate_virtual_parameter_only": "nothing is copied for a candidate",
    "candidate_eval_no_grad": "measuring never keeps a graph",
}

FINAL_MODEL = FACTS | {"auxiliary_cfg": "auxiliary heads have no options"}


def supernet(cfg: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return today's options of the supernet, and what became of the others."""
    return _without(cfg, SUPERNET)


def final_model(cfg: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return today's options of the final model, and what became of the others."""
    return _without(cfg, FINAL_MODEL)


def _without(cfg: dict[str, Any], dropped: dict[str, str]) -> tuple[dict[str, Any], list[str]]:
    kept = {key: value for key, value in cfg.items() if key not in dropped}
    return kept, [f"{key}: dropped, because {dropped[key]}" for key in cfg if key in dropped]
