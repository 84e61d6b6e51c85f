"""Counting the parameters and multiply-adds of a network, without running it on data."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import torch
from torch import nn

from awnas_core.layers import LayerSpec

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
NORMS = (nn.modules.batchnorm._BatchNorm, nn.LayerNorm, nn.GroupNorm)
POOLS = (nn.modules.pooling._AvgPoolNd, nn.modules.pooling._MaxPoolNd, nn.modules.pooling._AdaptiveAvgPoolNd)
LEFT_OUT = "auxiliary"
"""Modules with this in their name are not part of the network that is counted."""


def count_layers(
    make: Callable[[], nn.Module],
    input_shape: tuple[int, ...],
    forward: Callable[[nn.Module, Any], Any] | None = None,
) -> list[LayerSpec]:
    """Return the layers of a network in the order in which one example passes them.

    Args:
        make: Builds the network, or returns one built before; called with the meta device as default, so that nothing
            is allocated.
        input_shape: Shape of one example, ``(C, H, W)`` for an image.
        forward: How to run it; calling it with a batch of one by default.

    Convention: a convolution has ``k_h·k_w·C_in/groups·C_out·H_out·W_out`` multiply-adds, a linear layer
    ``in·out``; bias, normalisation, activation, pooling and addition have none. A module that runs twice counts twice
    in multiply-adds and once in parameters; one whose name holds ``auxiliary`` does not count.
    """
    with torch.device("meta"):
        network = make().eval()
    with _Recorder(network) as recorder, torch.no_grad():
        inputs = torch.zeros(1, *input_shape, device="meta")
        network(inputs) if forward is None else forward(network, inputs)
    return recorder.layers()


def count_module(module: nn.Module, input_shape: tuple[int, ...]) -> list[LayerSpec]:
    """Return the layers of an existing network; it is copied to the meta device, its weights are not."""
    return count_layers(lambda: copy.deepcopy(module).to("meta"), input_shape)


class _Recorder(ExitStack):
    """Notes the layers that run while it is open."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self._found: dict[str, dict[str, Any]] = {}
        for name, module in network.named_modules():
            own_parameters = any(True for _ in module.parameters(recurse=False))
            if LEFT_OUT not in name and (own_parameters or not any(True for _ in module.children())):
                self.callback(module.register_forward_hook(self._hook(name)).remove)
            if isinstance(module, NORMS):
                # Shapes stay, and on the meta device torch would take a normalisation apart in slow Python.
                module.forward = _unchanged  # type: ignore[assignment, method-assign]
                self.callback(delattr, module, "forward")

    def layers(self) -> list[LayerSpec]:
        return [LayerSpec(name=name, **facts) for name, facts in self._found.items()]

    def _hook(self, name: str) -> Callable[..., None]:
        def record(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            if not (inputs and isinstance(inputs[0], torch.Tensor) and isinstance(output, torch.Tensor)):
                return
            macs = _macs(module, output)
            if name in self._found:
                self._found[name]["calls"] += 1
                self._found[name]["macs"] += macs
                return
            self._found[name] = {
                "op": _op(module),
                "input_shape": tuple(inputs[0].shape[1:]),
                "output_shape": tuple(output.shape[1:]),
                "params": sum(parameter.numel() for parameter in module.parameters(recurse=False)),
                "macs": macs,
                "attributes": _attributes(module),
                "calls": 1,
            }

        return record


def _unchanged(inputs: torch.Tensor) -> torch.Tensor:
    return inputs


def _macs(module: nn.Module, output: torch.Tensor) -> int:
    if isinstance(module, CONVOLUTIONS):
        return int(module.weight[0].numel() * output[0].numel())
    if isinstance(module, nn.Linear):
        return int(module.in_features * output[0].numel())
    return 0


def _op(module: nn.Module) -> str:
    if isinstance(module, CONVOLUTIONS):
        return type(module).__name__.lower()
    if isinstance(module, nn.Linear):
        return "linear"
    if isinstance(module, NORMS):
        return "norm"
    return "pool" if isinstance(module, POOLS) else type(module).__name__.lower()


def _attributes(module: nn.Module) -> tuple[tuple[str, Any], ...]:
    names = ("kernel_size", "stride", "padding", "dilation", "groups")
    found = ((name, getattr(module, name, None)) for name in names)
    sizes = tuple((name, value) for name, value in found if isinstance(value, (int, tuple)))
    return (*sizes, ("mode", _mode(module))) if isinstance(module, POOLS) else sizes


def _mode(module: nn.Module) -> str:
    return "max" if isinstance(module, nn.modules.pooling._MaxPoolNd) else "avg"
