"""Options of an older layer: what they are called today, and why others are gone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Options = dict[str, Any]
Translated = tuple[Options, list[str]]
"""Options of today, and a note for every key that was changed or dropped."""

NAMES = {"arch_network_type": "predictor_type", "arch_network_cfg": "predictor_cfg"}
ONE_SEARCH = "one inner search finds all proposals of a step"
CONTROLLER_DROPPED = {
    "mode": "every call of sample now says what it is for",
    "inner_sample_n": ONE_SEARCH,
    "inner_iter_random_init": ONE_SEARCH,
    "inner_report_freq": "an inner search takes a second",
    "predict_batch_size": "each step of an inner search is one batch",
    "min_inner_sample_ratio": "where too few new architectures are found, random ones fill up",
    "inner_enumerate_search_space": "the inner controller looks for candidates",
    "inner_enumerate_sample_ratio": "the inner controller looks for candidates",
    "training_on_load": "a resumed search always fits its predictor again",
    "pretrained_predictor_path": "the predictor is fitted to the results of the search, from new weights",
}
TRAINING_DROPPED = {
    "num_workers": "architectures are encoded once, in memory",
    "max_compare_ratio": "all pairs of a batch are compared",
    "compare_threshold": "all pairs of a batch are compared",
    "report_freq": "a fit takes seconds",
    "train_valid_split": "it learns from every result",
    "n_cross_valid": "nothing ever read it",
}
NETWORK_DROPPED = {
    "mlp_dropout": "perceptrons have no dropout",
    "scheduler": "the learning rate is constant",
    "compare_margin": "the margin is 0.1",
    "margin_l2": "the hinge loss is not squared",
    "use_incorrect_list_only": "the whole list counts",
    "tanh_score": "scores are not bounded",
    "max_grad_norm": "gradients are not clipped",
}
LOSSES = {"margin_linear": "hinge", "binary_cross_entropy": "bce"}
EMBEDDERS = ("fbflow", "flow", "linegcn", "gcn", "lstm", "renas", "seq")  # names end with these
SINCE_CALLED = {"fbflow": "ta-gates", "flow": "gates"}
EMBEDDER_RENAMED = {
    "gcn_out_dims": "dims",
    "op_embedding_dim": "op_dim",
    "node_embedding_dim": "node_dim",
    "time_steps": "steps",
}
EMBEDDER_OPTIONS = {
    "gates": ("dims", "op_dim", "node_dim"),
    "ta-gates": ("dims", "op_dim", "node_dim", "steps"),
    "gcn": ("dims", "op_dim"),
    "linegcn": ("dims", "op_dim"),
}
EMBEDDER_GONE = "dropped, because one layer serves all spaces, and has no such option"


def predictor_based_options(cfg: Options) -> Translated:
    """Give the predictor its name and training, and search by its scores alone as of old."""
    is_old = bool({*NAMES, "predictor_train_cfg"} & set(cfg))
    cfg, notes = _without(cfg, CONTROLLER_DROPPED)
    if "begin_train_num" in cfg:
        cfg["init_samples"] = max(int(cfg.pop("begin_train_num")), 1)
        notes.append("begin_train_num: now called init_samples")
    if "inner_random_init" in cfg:
        cfg |= {"elite": 0} if cfg.pop("inner_random_init") else {}
        notes.append("inner_random_init: now elite, the best results that an inner search begins from")
    if is_old:
        training = _training_options(cfg.pop("predictor_train_cfg", {}), notes)
        cfg, renamed = _renamed(cfg, NAMES)
        notes += renamed
        cfg.setdefault("predictor_type", "pointwise")
        cfg["predictor_cfg"] = {**(cfg.get("predictor_cfg") or {}), **training}
        cfg["acquisition"] = "mean"
    return cfg, notes


def _training_options(old: Mapping[str, Any], notes: list[str]) -> Options:
    """Return how the predictor is trained, which are options of its own today."""
    new = {key: old[key] for key in ("epochs", "batch_size") if key in old}
    if old:
        notes.append("predictor_train_cfg: now part of predictor_cfg")
    notes += [f"predictor_train_cfg.{key}: now predictor_cfg.{key}" for key in new]
    if "compare" in old:
        new |= {} if old["compare"] else {"loss": "mse"}
        notes.append("predictor_train_cfg.compare: now predictor_cfg.loss, hinge or mse")
    notes += [
        f"predictor_train_cfg.{key}: dropped, because {why}"
        for key, why in TRAINING_DROPPED.items()
        if key in old
    ]
    return new


def pointwise_options(cfg: Options) -> Translated:
    """Name the embedder as it is called for every space, and take the learning rate out of the optimizer."""
    cfg, notes = _without(cfg, NETWORK_DROPPED)
    if "arch_embedder_type" in cfg:
        written = str(cfg.pop("arch_embedder_type"))
        ending = next((name for name in EMBEDDERS if written.endswith(name)), written)
        cfg["embedder"] = SINCE_CALLED.get(ending, ending)
        notes.append(f"arch_embedder_type: now embedder: {cfg['embedder']}, for every space")
    if "arch_embedder_cfg" in cfg:
        cfg["embedder_cfg"] = _embedder_options(
            cfg.get("embedder", "lstm"), cfg.pop("arch_embedder_cfg") or {}, notes
        )
        cfg.setdefault("embedder", "lstm")
    if "mlp_hiddens" in cfg:
        cfg["hiddens"] = cfg.pop("mlp_hiddens")
        notes.append("mlp_hiddens: now called hiddens")
    if "compare_loss_type" in cfg:
        loss = cfg.pop("compare_loss_type")
        cfg.setdefault("loss", LOSSES.get(loss, loss))
        notes.append(f"compare_loss_type: now loss: {cfg['loss']}")
    if "optimizer" in cfg:
        rate = (cfg.pop("optimizer") or {}).get("lr")
        cfg |= {} if rate is None else {"learning_rate": rate}
        notes.append("optimizer: now learning_rate, that of Adam")
    return cfg, notes


def _embedder_options(embedder: str, old: Mapping[str, Any], notes: list[str]) -> Options:
    """Return today's options of an embedder, and note what became of each old one."""
    known, new = EMBEDDER_OPTIONS.get(embedder, ()), {}
    notes.append("arch_embedder_cfg: now called embedder_cfg")
    for key, value in old.items():
        name = EMBEDDER_RENAMED.get(key, key)
        if name in known:
            new[name] = value
        told = f"now called {name}" if name in known else EMBEDDER_GONE
        notes.append(f"arch_embedder_cfg.{key}: {told}")
    return new


def comparator_options(cfg: Options) -> Translated:
    """Rename what predicts."""
    return _renamed(cfg, NAMES)


def _renamed(cfg: Options, names: Mapping[str, str]) -> Translated:
    notes = [f"{old}: now called {new}" for old, new in names.items() if old in cfg]
    return {names.get(key, key): value for key, value in cfg.items()}, notes


def _without(cfg: Options, dropped: Mapping[str, str]) -> Translated:
    notes = [f"{key} is dropped: {reason}" for key, reason in dropped.items() if key in cfg]
    return {key: value for key, value in cfg.items() if key not in dropped}, notes
