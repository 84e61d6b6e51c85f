"""One architecture of a network with choices, built to be trained for real."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor, nn

from awnas_core.device import Device
from awnas_core.layers import LayerSpec
from awnas_core.roles.final import FinalModel
from awnas_germ.space import GermSpace
from awnas_germ.supernet import finalized
from awnas_torch.counting import count_layers
from awnas_torch.device import resolve
from awnas_torch.seeding import seeded


class GermFinalModel(FinalModel, nn.Module):
    """The network that a genotype makes of one with choices: ordinary layers, freshly initialised.

    Args:
        genotypes: Genotype text.
    """

    def __init__(
        self, search_space: GermSpace, device: Device, rng: np.random.Generator, *, genotypes: str
    ) -> None:
        nn.Module.__init__(self)
        self._space, self._arch = search_space, search_space.parse(genotypes)
        resolved = resolve(device)
        with seeded(rng):
            self.network = finalized(search_space, self._arch, search_space.make_network())
            reset_parameters(self.network)
        self.to(resolved.torch_device, memory_format=resolved.memory_format)  # type: ignore[call-overload]

    def forward(self, images: Tensor) -> Any:
        """Return what the network returns."""
        return self.network(images)

    def layers(self) -> list[LayerSpec]:
        """Return the layers."""
        return count_layers(
            lambda: finalized(self._space, self._arch, self._space.make_network()), self._space.input_shape
        )

    def state(self) -> dict[str, Any]:
        """Return all weights and running statistics."""
        return {"weights": dict(self.state_dict())}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take up weights.

        Raises: RuntimeError when they are of another network.
        """
        self.load_state_dict(state["weights"])


def reset_parameters(network: nn.Module) -> None:
    """Draw the weights of convolutions and linear layers anew: those cut from larger ones have the wrong variance."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            module.reset_parameters()
