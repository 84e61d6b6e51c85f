"""Configs of an older layer, turned into today's."""

from __future__ import annotations

from typing import Any

from awnas_training.legacy import translated

Translated = tuple[dict[str, Any], list[str]]
"""Options of today, and a note for every key that was changed or dropped."""

MODEL_DROPPED = {
    **dict.fromkeys(
        (
            "candidate_eval_no_grad",
            "candidate_member_mask",
            "candidate_cache_named_members",
            "candidate_virtual_parameter_only",
        ),
        "candidates borrow what they use, and measuring keeps no graph",
    ),
    "num_tokens": "the data set knows its tokens",
    "gpus": "several processes are started with mpsearch",
}
TRAINER_DROPPED = {
    "reset_hidden_prob": "nothing ever used it",
    "multiprocess": "a text is read by one process",
    "save_as_state_dict": "checkpoints are always plain data",
}


def language_model(cfg: dict[str, Any]) -> Translated:
    """Return today's options of supernets and of the final model."""
    return translated(cfg, {}, MODEL_DROPPED)


def trainer(cfg: dict[str, Any]) -> Translated:
    """Return today's options of the final trainer."""
    return translated(cfg, {}, TRAINER_DROPPED)


def objective(cfg: dict[str, Any]) -> Translated:
    """Return today's options of the objective."""
    return translated(cfg, {}, {"aggregate_as_list": "a metric is one number, over all tokens"})


def ptb(cfg: dict[str, Any]) -> Translated:
    """Return today's options of the data set, whose ``train`` was that and the text of ``valid``."""
    if "shuffle" not in cfg:
        return cfg, []
    new, notes = translated(cfg, {}, {"shuffle": "a text is read in order"})
    return {"merge_valid": True, **new}, [*notes, "merge_valid: true, because train went on with valid"]
