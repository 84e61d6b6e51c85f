"""Evaluator options of the older layer, turned into today's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from awnas_core.errors import ConfigError
from awnas_training.legacy import translated

DROPPED = {
    "multiprocess": "several processes are started with mpsearch",
    "pin_memory_per_queue": "memory is pinned where that helps",
    "rollout_batch_size": "samples that share a batch are an option of the controller, of the same name",
    "load_optimizer": "a resumed run restores everything, --load takes all states",
    "load_scheduler": "a resumed run restores everything, --load takes all states",
    "strict_load_weights_manager": "states fit or are refused",
}
RENAMED = {
    "mepa_optimizer": "eval_optimizer",
    "mepa_scheduler": "eval_scheduler",
    "mepa_samples": "eval_samples",
}
SURROGATE = {
    "controller_surrogate_steps": "controller_steps",
    "mepa_surrogate_steps": "weights_steps",
    "derive_surrogate_steps": "derive_steps",
    "surrogate_optimizer": "optimizer",
    "surrogate_scheduler": "scheduler",
    "use_same_surrogate_data": "same_data",
}
SCHEDULED = {"mepa_samples": "eval_samples", "mepa_surrogate_steps": "weights_surrogate_steps"}
MAML = (
    "use_maml_plus",
    "high_order",
    "learn_per_weight_step_lr",
    "use_multi_step_loss",
    "multi_step_loss_epochs",
    "multi_step_loss_start",
    "surrogate_lr_optimizer",
    "surrogate_lr_scheduler",
    "report_inner_diagnostics",
    "report_cont_data_diagnostics",
    "update_mepa_surrogate_steps",
)
QUEUE_RENAMED = {"num_workers": "workers"}
QUEUE_DROPPED = {
    "no_distributed_sampler": "with several processes each always takes its part of a batch",
    "pin_memory": DROPPED["pin_memory_per_queue"],
}
MEPA_DROPPED = {
    **DROPPED,
    "disable_step_current": "gradients are always averaged over the architectures that have them",
    **dict.fromkeys(MAML, "it belongs to MAML++, which is not available and was not asked for"),
}

Options = dict[str, Any]
Translated = tuple[Options, list[str]]


def shared_weights(cfg: Options) -> Translated:
    """Return today's options of the shared-weights evaluators, and what became of the others."""
    of_restarts = _translate_restarts(cfg)
    new, notes = translated(cfg, {}, DROPPED)
    return new, notes + of_restarts + translate_queue_options(new)


def translate_queue_options(cfg: Options) -> list[str]:
    """Give the parts of ``data_portion`` today's options of queues; return what became of the others."""
    portions, notes = cfg.get("data_portion"), []
    if isinstance(portions, (list, tuple)):
        cfg["data_portion"] = list(portions)
        for index, portion in enumerate(portions):
            if isinstance(portion, (list, tuple)) and len(portion) == 3 and isinstance(portion[2], Mapping):
                options, of_queue = translated(dict(portion[2]), QUEUE_RENAMED, QUEUE_DROPPED)
                cfg["data_portion"][index] = [portion[0], portion[1], options]
                notes += [f"data_portion[{index}].{note}" for note in of_queue]
    return notes


def mepa(cfg: Options) -> Translated:
    """Return options of the shared-weights evaluator for a config of ``mepa``, with or without surrogate steps.

    Raises: ConfigError when they cannot be translated.
    """
    for key in MAML[:4]:
        if cfg.get(key):
            raise ConfigError(
                f"{key}: MAML++ (learned inner learning rates, gradients through inner steps) is not available; "
                "surrogate steps without it are: set it to false"
            )
    of_queues = translate_queue_options(cfg) + _translate_restarts(cfg)
    plain = {key: value for key, value in cfg.items() if key not in (*SURROGATE, "mepa_as_surrogate")}
    new, notes = translated(plain, RENAMED, MEPA_DROPPED)
    if cfg.get("schedule_cfg"):
        new["schedule_cfg"], more = translated(cfg["schedule_cfg"], SCHEDULED, {})
        notes += [f"schedule_cfg.{note}" for note in more]
    surrogate, of_surrogate = _surrogate(cfg)
    portions, of_portions = _portions(cfg, own_queue=surrogate.get("own_queue", False))
    new |= {"data_portion": portions, **({"surrogate": surrogate} if surrogate else {})}
    return new, [*notes, *of_surrogate, *of_portions, *of_queues]


def _translate_restarts(cfg: Options) -> list[str]:
    """Leave of the rule for the learning rate after a switch just the factor; return what became of it."""
    if "lr_schedule" not in cfg:
        return []
    rule = cfg.pop("lr_schedule")
    if rule not in (None, "constant"):
        raise ConfigError(f"lr_schedule must be 'constant' or null, got {rule!r}")
    if rule is None and "lr_factor" in cfg:
        del cfg["lr_factor"]
        reason = "without a rule the learning rate stays as it is"
        return [f"{key}: dropped, because {reason}" for key in ("lr_schedule", "lr_factor")]
    return ["lr_schedule: dropped, because lr_factor alone says what becomes of the learning rate"]


def _surrogate(cfg: Mapping[str, Any]) -> Translated:
    """Return the options of surrogate steps, none where there are no steps and none are scheduled."""
    steps = {"controller_surrogate_steps": 1, "mepa_surrogate_steps": 1, "derive_surrogate_steps": None}
    taken = {key: cfg.get(key, default) for key, default in steps.items()}
    for key, count in taken.items():
        if isinstance(count, str):
            raise ConfigError(
                f"{key}: an expression is not evaluated; list the numbers to draw from, got {count!r}"
            )
    scheduled = set(cfg.get("schedule_cfg") or {}) & set(steps)
    given = [key for key in (*SURROGATE, "mepa_as_surrogate") if key in cfg]
    if not any(taken.values()) and not scheduled:
        return {}, [f"{key}: dropped, because there are no surrogate steps" for key in given]
    options = {
        new: taken.get(old, cfg.get(old)) for old, new in SURROGATE.items() if old in cfg or old in taken
    }
    options["own_queue"] = not cfg.get("mepa_as_surrogate", False)
    renamed = {**SURROGATE, "mepa_as_surrogate": "own_queue, which is the opposite"}
    return options, [f"{key}: now called surrogate.{renamed[key]}" for key in given]


def _portions(cfg: Mapping[str, Any], *, own_queue: bool) -> tuple[list[Any], list[str]]:
    portions = list(cfg.get("data_portion", (0.1, 0.4, 0.5)))
    if len(portions) not in (3, 4):
        raise ConfigError(
            f"data_portion of mepa has 3 or 4 parts (surrogate, weights, controller, derive), got {len(portions)}"
        )
    if own_queue:
        return portions, []
    if cfg.get("mepa_as_surrogate") and portions[0] != 0:
        raise ConfigError(
            f"data_portion: with mepa_as_surrogate the first part, for surrogate steps, must be 0, got {portions[0]}"
        )
    return portions[1:], [
        "data_portion: the first part is dropped, because surrogate steps have no queue of their own"
    ]
