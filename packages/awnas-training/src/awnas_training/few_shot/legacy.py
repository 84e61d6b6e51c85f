"""Options of few-shot evaluation in an older layer, turned into today's."""

from __future__ import annotations

from typing import Any

from awnas_training.evaluators.legacy import DROPPED, Translated, translate_queue_options
from awnas_training.legacy import translated

OF_TASKS = {
    "batch_size": "a batch is one task",
    "evaluate_with_whole_queue": "proposals are measured on one task",
    "shuffle_data_before_split": "tasks are drawn anew each time",
    "shuffle_data_before_split_seed": "tasks are drawn anew each time",
    "shuffle_indice_file": "tasks are drawn anew each time",
    "schedule_every_batch": "schedulers are stepped after every epoch",
    "update_evaluator_report_perfs": "the metrics on query sets are always reported",
    "eval_samples": "one architecture learns a task at a time",
}


def few_shot(cfg: dict[str, Any]) -> Translated:
    """Return today's options, and what became of the others."""
    new, notes = translated(cfg, {}, {**DROPPED, **OF_TASKS})
    notes += translate_queue_options(new)
    portions = new.get("data_portion")
    if isinstance(portions, (list, tuple)) and len(portions) == 3:
        new["data_portion"] = [portions[0], portions[2]]
        notes.append(
            "data_portion: the second part is dropped, because controllers learn on the first part's tasks"
        )
    return new, notes
