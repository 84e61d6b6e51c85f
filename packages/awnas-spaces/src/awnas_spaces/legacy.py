"""Options of an older layer that spaces no longer have, and why."""

from __future__ import annotations

from typing import Any

from awnas_core.errors import ConfigError

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


def rnn_options(cfg: dict[str, Any]) -> Translated:
    """Drop the two numbers that a recurrent cell has no choice of.

    Raises: ConfigError when one of them is not 1.
    """
    for key in ("num_cell_groups", "num_init_nodes"):
        if cfg.get(key, 1) != 1:
            raise ConfigError(f"{key}: there is one recurrent cell, with one input node; got {cfg[key]!r}")
    reason = "there is one recurrent cell, with one input node"
    return _without(cfg, {"num_cell_groups": reason, "num_init_nodes": reason})


def nasbench201_options(cfg: dict[str, Any]) -> Translated:
    """Drop what was about the table and the network."""
    return _without(cfg, {"load_nasbench": _TABLE, "num_layers": _NETWORK})


def _without(cfg: dict[str, Any], reasons: dict[str, str]) -> Translated:
    kept = {key: value for key, value in cfg.items() if key not in reasons}
    return kept, [f"{key} is dropped: {reasons[key]}" for key in cfg if key in reasons]
