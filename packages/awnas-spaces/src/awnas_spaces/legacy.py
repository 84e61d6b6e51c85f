"""Options of an older layer that the spaces of benchmarks no longer have, and why."""

from __future__ import annotations

from typing import Any

Translated = tuple[dict[str, Any], list[str]]
"""Options of today, and a note for every key that was dropped."""

_TABLE = "a space needs no table; the evaluator opens it"
_EQUAL = "architectures are equal by their codes, and isomorphic when they share the published hash"
_NETWORK = "the benchmark fixes the network around a cell"
_101 = {
    "multi_fidelity": "the evaluator's signal says how long a training is",
    "load_nasbench": _TABLE,
    "compare_reduced": _EQUAL,
    "compare_use_hash": _EQUAL,
    "validate_spec": "every architecture of the space is valid",
}
_ONESHOT = dict.fromkeys(
    ("num_cell_groups", "num_init_nodes", "cell_layout", "reduce_cell_groups", "num_layers"), _NETWORK
)


def nasbench101_options(cfg: dict[str, Any]) -> Translated:
    """Drop what was about the table and about equality."""
    return _without(cfg, _101)


def oneshot_options(cfg: dict[str, Any]) -> Translated:
    """Drop what was about the table, equality and the network."""
    return _without(cfg, {**_101, **_ONESHOT})


def nasbench201_options(cfg: dict[str, Any]) -> Translated:
    """Drop what was about the table and the network."""
    return _without(cfg, {"load_nasbench": _TABLE, "num_layers": _NETWORK})


def _without(cfg: dict[str, Any], reasons: dict[str, str]) -> Translated:
    kept = {key: value for key, value in cfg.items() if key not in reasons}
    return kept, [f"{key} is dropped: {reasons[key]}" for key in cfg if key in reasons]
