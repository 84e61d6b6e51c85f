"""Options of an older layer that the controllers no longer have, and why."""

from __future__ import annotations

from typing import Any

Translated = tuple[dict[str, Any], list[str]]
"""Options of today, and a note for every key that was changed or dropped."""

_MODE = {"mode": "every call of sample now says what it is for"}
_REPEATS = (
    "avoid_repeat",
    "avoid_repeat_worst_threshold",
    "avoid_repeat_fallback",
    "avoid_repeat_from",
    "avoid_mutate_repeat",
    "avoid_mutate_repeat_worst_threshold",
)
_COSTS = {"energy", "flops", "latency", "loss", "macs", "memory", "param_size", "params", "perp"}
_METRICS = {"param_size": "params"}


def controller_options(cfg: dict[str, Any]) -> Translated:
    """Drop ``mode``, which said what a sample was for."""
    return _without(cfg, _MODE)


def random_options(cfg: dict[str, Any]) -> Translated:
    """Drop what the samplers of benchmarks walked through tables and files by."""
    cfg, notes = controller_options(cfg)
    walks = "samples are drawn from the search space; for those of a file take file-sampler"
    keys = ("avoid_repeat", "shuffle_indexes", "shuffle_indices_avoid_repeat", "text_file", "pickle_file")
    others = "every architecture of the space is drawn alike; rejection-sample leaves out repeats and isomorphic ones"
    more = ("check_valid", "fair", "deiso", "op_type")
    cfg, dropped = _without(cfg, {**dict.fromkeys(keys, walks), **dict.fromkeys(more, others)})
    return cfg, notes + dropped


def differentiable_options(cfg: dict[str, Any]) -> Translated:
    """Drop ``mode`` and the inspection of the Hessian, which a controller that sees no network cannot make."""
    cfg, notes = controller_options(cfg)
    reason = "the Hessian takes the network, which the evaluator alone has"
    cfg, more = _without(cfg, {"inspect_hessian_every": reason})
    return cfg, notes + more


def agent_options(cfg: dict[str, Any]) -> Translated:
    """Drop ``batch_update``, of which only one value worked."""
    return _without(cfg, {"batch_update": "agents always learn from a whole batch"})


def evo_options(cfg: dict[str, Any]) -> Translated:
    """Rename what says where the choice comes from, and gather what is done about repeats."""
    cfg, notes = _without(cfg, {**_MODE, "mutation_prob": "a mutation is one of the search space's own"})
    cfg = _renamed(cfg, {"population_nums": "population_size"}, notes)
    strategy = cfg.pop("eval_sample_strategy", None)
    if strategy is not None:
        cfg |= {"derive_from": "population" if strategy == "population_random" else strategy}
        notes.append("eval_sample_strategy: now called derive_from; train_weights_on is apart from it")
    if strategy == "population_random":
        cfg["train_weights_on"] = "population"
    return _with_repeats(cfg, notes, avoid_repeat=False)


def pareto_evo_options(cfg: dict[str, Any]) -> Translated:
    """Rename the size and the strategy, and give every perf its direction."""
    cfg, notes = _without(cfg, {**_MODE, "num_eliminate": "nothing ever read it"})
    names = {"init_population_size": "population_size", "eval_sample_strategy": "derive_from"}
    cfg = _with_directions(_renamed(cfg, names, notes), notes)
    return _with_repeats(cfg, notes, avoid_repeat=False)


def cars_options(cfg: dict[str, Any]) -> Translated:
    """Give every perf its direction, and say what shared weights are trained on."""
    dropped = {**_MODE, "prefill_population": "the population begins with random architectures in any case"}
    cfg, notes = _without(cfg, dropped)
    strategy = cfg.pop("eval_sample_strategy", None)
    if strategy is not None:
        cfg["train_weights_on"] = "half-random" if strategy == "half_random" else "population"
        notes.append("eval_sample_strategy: now train_weights_on; the choice is the best of the population")
    return _with_repeats(_with_directions(cfg, notes), notes, avoid_repeat=True)


def sa_options(cfg: dict[str, Any]) -> Translated:
    """Drop ``mode``, and the kind of mutation, which is the search space's."""
    return _without(cfg, {**_MODE, "mutation_edges_prob": "a mutation is one of the search space's own"})


def file_sampler_options(cfg: dict[str, Any]) -> Translated:
    """Drop ``mode``, and rename the path."""
    cfg, notes = _without(cfg, _MODE)
    return _renamed(cfg, {"archs_path": "archs"}, notes), notes


def rejection_options(cfg: dict[str, Any]) -> Translated:
    """Drop ``mode``, and say that too few architectures are an error."""
    cfg, notes = _without(cfg, _MODE)
    if "maximum_sample_threshold" in cfg and not cfg.get("accept_when_reaching_threshold"):
        notes.append("maximum_sample_threshold: reaching it is an error now, no longer a smaller batch")
    return cfg, notes


def _with_directions(cfg: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    """Return options in which ``perf_names``, all of them maximised, costs negated, became goals."""
    names = cfg.pop("perf_names", None)
    if names is None:
        return cfg
    cfg["rank_by"] = [
        {"metric": _METRICS.get(name, name), "direction": "min" if name in _COSTS else "max"}
        for name in names
    ]
    written = ", ".join(f"{goal['metric']} {goal['direction']}" for goal in cfg["rank_by"])
    notes.append(f"perf_names: now rank_by, with a direction each ({written}); no value is negated any more")
    return cfg


def _with_repeats(cfg: dict[str, Any], notes: list[str], *, avoid_repeat: bool) -> Translated:
    """Return options in which six keys about repeats became one, unless none of them is there."""
    old = {key: cfg.pop(key) for key in _REPEATS if key in cfg}
    if not old:
        return cfg, notes
    tries = [
        old.get(f"{key}_worst_threshold", 10)
        for key, default in (("avoid_repeat", avoid_repeat), ("avoid_mutate_repeat", False))
        if old.get(key, default)
    ]
    among = old.get("avoid_repeat_from", "population")
    cfg["repeats"] = {
        "avoid": ("history" if among == "gt_population" else among) if tries else None,
        "tries": max(tries, default=10),
        "fallback": old.get("avoid_repeat_fallback", "return"),
    }
    return cfg, notes + [f"{key}: now part of repeats" for key in old]


def _renamed(cfg: dict[str, Any], names: dict[str, str], notes: list[str]) -> dict[str, Any]:
    notes += [f"{key}: now called {name}" for key, name in names.items() if key in cfg]
    return {names.get(key, key): value for key, value in cfg.items()}


def _without(cfg: dict[str, Any], dropped: dict[str, str]) -> Translated:
    notes = [f"{key} is dropped: {reason}" for key, reason in dropped.items() if key in cfg]
    return {key: value for key, value in cfg.items() if key not in dropped}, notes
