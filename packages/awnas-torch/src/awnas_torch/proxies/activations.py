"""Proxies of what the layers of a network put out for a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils._python_dispatch import TorchDispatchMode

from awnas_torch.proxies.weights import LAYERS


def nwot(network: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """Return log |det K| where K counts, for two images, the ReLUs that are both open or both shut.

    Source: Mellor et al., "Neural Architecture Search without Training", ICML 2021, section 3.
    """
    kernel = torch.zeros(len(inputs), len(inputs), dtype=torch.double)

    def count(taken: Tensor) -> None:
        is_open = (taken > 0).flatten(1).float()
        is_shut = 1 - is_open
        kernel.add_((is_open @ is_open.T + is_shut @ is_shut.T).cpu())

    with torch.no_grad(), _Rectified(count):
        network(inputs)
    return torch.linalg.slogdet(kernel).logabsdet


def relu(network: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """Return how many ReLUs a forward pass takes."""
    calls: list[int] = []
    with torch.no_grad(), _Rectified(lambda taken: calls.append(1)):
        network(inputs)
    return torch.tensor(len(calls))


def fisher(network: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """Return Σ ½·mean_n(Σ_hw a·∂L/∂a)² over the channels of all layers, each as often as it has weights.

    Source: Turner et al., "BlockSwap: Fisher-guided Block Substitution for Network Compression", ICLR 2020.
    """
    seen: list[tuple[Any, Tensor]] = []
    for module in network.modules():
        if isinstance(module, LAYERS):
            module.register_forward_hook(lambda layer, _inputs, output: seen.append((layer, output)))
    loss = cross_entropy(network(inputs), targets)
    gradients = torch.autograd.grad(loss, [output for _, output in seen], materialize_grads=True)
    total = torch.zeros((), dtype=torch.double)
    for (layer, output), gradient in zip(seen, gradients, strict=True):
        product = (
            (output * gradient).detach().flatten(2) if output.ndim > 2 else (output * gradient)[..., None]
        )
        channels = product.sum(2).square().mean(0) / 2
        total += (channels.sum() * layer.weight[0].numel()).double().cpu()
    return total


class _Rectified(TorchDispatchMode):
    """While it is open, what every ReLU gets is noted, be it a module or a function.

    Args:
        note: Is told of it before.
    """

    def __init__(self, note: Callable[[Tensor], None]) -> None:
        super().__init__()
        self._note = note

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func.overloadpacket in (torch.ops.aten.relu, torch.ops.aten.relu_):
            self._note(args[0])
        return func(*args, **(kwargs or {}))
