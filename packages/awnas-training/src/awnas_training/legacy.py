"""Configs of an older layer, turned into today's."""

from __future__ import annotations

from typing import Any

from awnas_core.errors import ConfigError

SURROGATE_STEPS = ("controller_surrogate_steps", "mepa_surrogate_steps", "derive_surrogate_steps")
RENAMED = {
    "mepa_optimizer": "eval_optimizer",
    "mepa_scheduler": "eval_scheduler",
    "mepa_samples": "eval_samples",
}
DROPPED = {
    "surrogate_optimizer": "there are no surrogate steps",
    "surrogate_scheduler": "there are no surrogate steps",
    "mepa_as_surrogate": "there are no surrogate steps",
    "use_same_surrogate_data": "there are no surrogate steps",
    "disable_step_current": "gradients are always averaged over the architectures that have them",
    "multiprocess": "several processes are started with mpsearch",
    "pin_memory_per_queue": "memory is pinned where that helps",
    "rollout_batch_size": "a rollout is one architecture",
    "load_optimizer": "a resumed run restores everything, --load takes all states",
    "load_scheduler": "a resumed run restores everything, --load takes all states",
    "strict_load_weights_manager": "states fit or are refused",
}
TRAINER_DROPPED = {
    "auxiliary_head": "the trainer sees whether the model has one",
    "multiprocess": "several processes are started with mptrain",
    "save_as_state_dict": "checkpoints are always plain data",
    "add_regularization": "an objective that regularises weights always does",
    "eval_no_grad": "measuring never keeps a graph",
    "seed": "the seed of the run covers the workers",
}


def mepa(cfg: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return options of the shared-weights evaluator for a ``mepa`` config without surrogate steps.

    Raises: ConfigError when there are surrogate steps.
    """
    taken = {key: cfg.get(key, 1) for key in SURROGATE_STEPS[:2]} | {
        "derive": cfg.get(SURROGATE_STEPS[2]) or 0
    }
    if any(steps != 0 for steps in taken.values()):
        raise ConfigError(
            "mepa with surrogate steps is not available; set controller_surrogate_steps and mepa_surrogate_steps to 0 "
            "for plain weight sharing"
        )
    new, notes = _translated({k: v for k, v in cfg.items() if k not in SURROGATE_STEPS}, RENAMED, DROPPED)
    notes += [
        f"{key}: dropped, because 0 surrogate steps is plain weight sharing"
        for key in SURROGATE_STEPS
        if key in cfg
    ]
    portions = list(cfg.get("data_portion", (0.1, 0.4, 0.5)))
    if len(portions) not in (3, 4):
        raise ConfigError(
            f"data_portion of mepa has 3 or 4 parts (surrogate, weights, controller, derive), got {len(portions)}"
        )
    new["data_portion"] = portions[1:]
    notes.append("data_portion: the first part, for surrogate steps, is dropped")
    return new, notes


def cnn_trainer(cfg: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return today's options of the final trainer, and what became of the others."""
    return _translated(cfg, {}, TRAINER_DROPPED)


def _translated(
    cfg: dict[str, Any], renamed: dict[str, str], dropped: dict[str, str]
) -> tuple[dict[str, Any], list[str]]:
    new: dict[str, Any] = {}
    notes = []
    for key, value in cfg.items():
        if key in dropped:
            notes.append(f"{key}: dropped, because {dropped[key]}")
        else:
            new[renamed.get(key, key)] = value
            notes += [f"{key}: now called {renamed[key]}"] if key in renamed else []
    return new, notes
