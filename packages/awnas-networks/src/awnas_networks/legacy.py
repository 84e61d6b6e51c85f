"""Options of an older layer that are no longer needed, and why."""

from __future__ import annotations

from typing import Any

from awnas_core.errors import ConfigError

FACTS = {"num_classes": "it comes from the data set"}
SUPERNET = FACTS | {
    "gpus": "several processes are started with mpsearch",
    "multiprocess": "several processes are started with mpsearch",
    "candidate_member_mask": "a candidate always holds its own active members",
    "candidate_cache_named_members": "a candidate always holds its own active members",
    "candidate_virtual_parameter_only": "nothing is copied for a candidate",
    "candidate_eval_no_grad": "measuring never keeps a graph",
}

NASBENCH201 = SUPERNET | {
    "stem_multiplier": "the stem has the channels of the first stage",
    "use_stem": "the benchmark fixes the stem",
    "stem_stride": "the benchmark fixes the stem",
}

CLOSENET = SUPERNET | {
    "eval_arch": "weights that are loaded bring the number of their blocks along",
    "use_bn": "the encoder of the gate does without batch normalisation",
    "gcn_kwargs": "inputs of a cell keep what they have, inner nodes get what flows to them",
}
REWRITTEN = {
    "cl_schedule": "schedule_cfg.active_blocks",
    "reconstruct_inherit": "gate.renew",
    "reconstruct_only_last": "gate.renew",
}
GATE = {
    "gate_type": "by",
    "op_dim": "op_dim",
    "node_dim": "node_dim",
    "hidden_dim": "hidden_dim",
    "gcn_out_dims": "flow_dims",
    "mlp_dims": "mlp_dims",
    "mlp_dropout": "mlp_dropout",
}
GATE_TYPES = {"node-level": "nodes", "arch-level": "architecture"}

FINAL_MODEL = FACTS | {
    "auxiliary_cfg": "auxiliary heads have no options",
    "cell_group_kwargs": "cells of a final model differ in their channels only, which are set by layer_channels",
}


def supernet(cfg: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return today's options of the supernet, and what became of the others."""
    return _without(cfg, SUPERNET)


def nasbench201(cfg: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return today's options of the supernet of NAS-Bench-201, and what became of the others.

    Raises: ConfigError when cells are to take the weights of others.
    """
    if cfg.get("iso_mapping_file"):
        raise ConfigError(
            "iso_mapping_file: a supernet gives every cell weights of its own; sample one cell of each class instead, "
            "with a controller that avoids repeats by key, and set it to null"
        )
    kept = {key: value for key, value in cfg.items() if key != "iso_mapping_file"}
    return _without(kept, NASBENCH201)


def closenet(cfg: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return today's options of CLOSE, and what became of the others; only old configs have ``num_curriculums``."""
    if not {"num_curriculums", "cl_schedule", *GATE} & set(cfg):
        return _without(cfg, SUPERNET)
    kept = {key: value for key, value in cfg.items() if key not in GATE | REWRITTEN}
    new, notes = _without(kept, CLOSENET)
    blocks = new["num_blocks"] = new.pop("num_curriculums", 8)
    if "wit_from" in new:
        new["inherit_from"] = {"prev": "previous"}.get(source := new.pop("wit_from"), source)
    starts = cfg.get("cl_schedule") or [1 + 100 * block for block in range(blocks)]
    values = list(range(1, len(starts) + 1))
    new["schedule_cfg"] = {"active_blocks": {"type": "value", "boundary": starts, "value": values}}
    gate: dict[str, Any] = {"by": "arch-level", "flow_dims": [64] * 4, "mlp_dims": [200]}
    gate |= {new_key: cfg[key] for key, new_key in GATE.items() if key in cfg}
    renew = "last-layer" if cfg.get("reconstruct_only_last") else "all"
    gate["renew"] = "new" if cfg.get("reconstruct_inherit") else renew
    new["gate"] = gate | {"by": GATE_TYPES.get(gate["by"], gate["by"])}
    renamed = {"num_curriculums": "num_blocks", "wit_from": "inherit_from", **REWRITTEN}
    renamed |= {key: f"gate.{new_key}" for key, new_key in GATE.items()}
    return new, [*notes, *(f"{key}: now called {renamed[key]}" for key in cfg if key in renamed)]


def final_model(cfg: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return today's options of the final model, and what became of the others.

    Raises: ConfigError when cell groups are to have options of their own.
    """
    if cfg.get("cell_group_kwargs"):
        raise ConfigError(f"cell_group_kwargs: {FINAL_MODEL['cell_group_kwargs']}; set it to null")
    return _without(cfg, FINAL_MODEL)


def _without(cfg: dict[str, Any], dropped: dict[str, str]) -> tuple[dict[str, Any], list[str]]:
    kept = {key: value for key, value in cfg.items() if key not in dropped}
    return kept, [f"{key}: dropped, because {dropped[key]}" for key in cfg if key in dropped]
