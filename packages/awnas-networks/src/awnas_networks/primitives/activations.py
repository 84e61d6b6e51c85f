"""Activations by name, as primitives and inside others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from torch import nn

from awnas_core.errors import ConfigError, did_you_mean
from awnas_networks.primitives.plain import Identity

ACTIVATIONS: Mapping[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "h_swish": nn.Hardswish,
    "h_sigmoid": nn.Hardsigmoid,
    "hardtanh": nn.Hardtanh,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "identity": Identity,
}
"""``h_swish`` is x·relu6(x + 3)/6 and ``h_sigmoid`` relu6(x + 3)/6 (Howard et al., "MobileNetV3", ICCV 2019)."""


def activation_layer(name: str) -> nn.Module:
    """Return the activation called ``name``, not in place.

    Raises: ConfigError naming the nearest one.
    """
    if name not in ACTIVATIONS:
        hint = did_you_mean(name, ACTIVATIONS)
        raise ConfigError(f"no activation '{name}'{hint}; there are {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name]()


def _primitive(
    channels: int = 1, channels_out: int = 1, stride: int = 1, affine: bool = True, *, name: str
) -> nn.Module:
    """Return an activation as an operation on a connection; it can be made without any argument.

    Raises: ConfigError when it is to change the shape.
    """
    if channels != channels_out or stride != 1:
        raise ConfigError(
            f"{name} changes neither channels nor resolution; asked for {channels} → {channels_out}, stride {stride}"
        )
    return activation_layer(name)


relu = partial(_primitive, name="relu")
relu6 = partial(_primitive, name="relu6")
h_swish = partial(_primitive, name="h_swish")
h_sigmoid = partial(_primitive, name="h_sigmoid")
sigmoid = partial(_primitive, name="sigmoid")
tanh = partial(_primitive, name="tanh")
