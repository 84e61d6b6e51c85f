"""Any torch module as a search space: put Choices where its constructor expects numbers."""

from __future__ import annotations

import importlib
from typing import Any

_EXPORTS = {
    "awnas_germ.blocks": (
        "Attention",
        "ConvBnAct",
        "FusedConv",
        "MBConv",
        "SepConv",
        "ShuffleV2Block",
        "TransformerBlock",
        "TuckerConv",
    ),
    "awnas_germ.choices": ("Choices", "Subset", "maximum", "minimum", "round_to"),
    "awnas_germ.constraints": ("require",),
    "awnas_germ.containers": ("MixedOp", "OpOnEdge", "OpOnNode", "Repeat", "Select"),
    "awnas_germ.layers.conv": ("Conv2d",),
    "awnas_germ.layers.linear": ("Linear", "PositionEmbedding"),
    "awnas_germ.layers.norm": ("BatchNorm2d", "LayerNorm"),
}
_HOME = {name: module for module, names in _EXPORTS.items() for name in names}
__all__ = sorted(_HOME)  # noqa: PLE0605 - every name is resolved by __getattr__


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: the table of contents beside this file must stay light."""
    if name not in _HOME:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
