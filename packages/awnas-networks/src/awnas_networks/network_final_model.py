"""What final models share that are one network of images and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from torch import Tensor, nn

from awnas_core.device import Device
from awnas_core.layers import LayerSpec
from awnas_core.roles.final import FinalModel
from awnas_torch.counting import count_layers
from awnas_torch.device import resolve
from awnas_torch.seeding import seeded


class NetworkFinalModel(FinalModel, nn.Module):
    """A network built from one architecture.

    Args:
        make: Builds the network.
        input_shape: Shape of an image, ``(C, H, W)``.
        device: Where it stands.
        rng: Its weights are drawn from it.
    """

    def __init__(
        self,
        make: Callable[[], nn.Module],
        input_shape: tuple[int, int, int],
        device: Device,
        rng: np.random.Generator,
    ) -> None:
        nn.Module.__init__(self)
        self._make = make
        self.input_shape = tuple(input_shape)
        resolved = resolve(device)
        with seeded(rng):
            self.network = make()
        self.to(resolved.torch_device, memory_format=resolved.memory_format)  # type: ignore[call-overload]

    def forward(self, images: Tensor) -> Any:
        """Return logits ``(N, classes)``, or features, for images ``(N, C, H, W)``."""
        return self.network(images)

    def layers(self) -> list[LayerSpec]:
        """Return the layers, without what only training uses."""
        return count_layers(self._make, self.input_shape)

    def state(self) -> dict[str, Any]:
        """Return all weights and running statistics."""
        return {"weights": dict(self.state_dict())}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take up weights.

        Raises: RuntimeError when they are of another network.
        """
        self.load_state_dict(state["weights"])
