"""Configs of an older layer, turned into today's."""

from __future__ import annotations

from typing import Any

TRAINER_DROPPED = {
    "auxiliary_head": "the trainer sees whether the model has one",
    "multiprocess": "several processes are started with mptrain",
    "save_as_state_dict": "checkpoints are always plain data",
    "add_regularization": "an objective that regularises weights always does",
    "eval_no_grad": "measuring never keeps a graph",
    "seed": "the seed of the run covers the workers",
}


def cnn_trainer(cfg: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return today's options of the final trainer, and what became of the others."""
    return translated(cfg, {}, TRAINER_DROPPED)


def translated(
    cfg: dict[str, Any], renamed: dict[str, str], dropped: dict[str, str]
) -> tuple[dict[str, Any], list[str]]:
    """Return options under their new names, without the dropped ones, and a note for each that changed.

    Args:
        cfg: Options.
        renamed: Old name → new name.
        dropped: Name → why.
    """
    new: dict[str, Any] = {}
    notes = []
    for key, value in cfg.items():
        if key in dropped:
            notes.append(f"{key}: dropped, because {dropped[key]}")
        else:
            new[renamed.get(key, key)] = value
            notes += [f"{key}: now called {renamed[key]}"] if key in renamed else []
    return new, notes
