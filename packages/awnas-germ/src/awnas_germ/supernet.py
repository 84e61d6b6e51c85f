"""The weights of a network with choices, lent to every architecture."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import nn

from awnas_core.device import Device
from awnas_core.layers import LayerSpec
from awnas_core.options import PositiveFloat
from awnas_core.roles.weights_manager import WeightsManager
from awnas_core.rollout import Arch, RelaxedRollout, Rollout
from awnas_germ.choices import Choices
from awnas_germ.relax import relaxed_candidate
from awnas_germ.resolve import Resolver
from awnas_germ.space import GermSpace
from awnas_torch.counting import count_layers
from awnas_torch.device import resolve
from awnas_torch.seeding import seeded

CACHED_CANDIDATES = 64


class GermSuperNet(WeightsManager, nn.Module):
    """One network with the largest value of every choice; architectures compute with slices of its weights.

    A candidate is a network of its own that borrows parameters and buffers: candidates do not disturb each other, in
    threads either, and whatever happens in one leaves the supernet as it was.

    Args:
        max_grad_norm: Gradients of a candidate are clipped to this L2 norm; None for no clipping.
    """

    def __init__(
        self,
        search_space: GermSpace,
        device: Device,
        rng: np.random.Generator,
        *,
        max_grad_norm: PositiveFloat | None = 5.0,
    ) -> None:
        nn.Module.__init__(self)
        self.max_grad_norm = max_grad_norm
        self._space = search_space
        resolved = resolve(device)
        with seeded(rng):
            self.network = search_space.make_network()
        self.to(resolved.torch_device, memory_format=resolved.memory_format)  # type: ignore[call-overload]
        self._columns = search_space.columns_of(self.network)
        self._names = {c: search_space.decisions[column].name for c, column in self._columns.items()}
        self._candidates: OrderedDict[Arch, nn.Module] = OrderedDict()

    def assemble_candidate(self, rollout: Rollout) -> nn.Module:
        """Return the network of ``rollout`` with borrowed weights; the last few dozen discrete ones are kept.

        That of a relaxed rollout mixes the outputs of all values of every choice.
        """
        if isinstance(rollout, RelaxedRollout):
            return relaxed_candidate(self.network, self._names, rollout.relaxed)
        candidate = self._candidates.pop(rollout.arch, None)
        if candidate is None:
            candidate = Resolver(chosen(self._columns, rollout.arch)).module(self.network)
        self._candidates[rollout.arch] = candidate
        if len(self._candidates) > CACHED_CANDIDATES:
            self._candidates.popitem(last=False)
        return candidate

    def finalize(self, rollout: Rollout) -> nn.Module:
        """Return the network of ``rollout`` as a plain module: its own copy of weights and running statistics."""
        return Resolver(chosen(self._columns, rollout.arch), owns=True).module(self.network)

    def layers(self, rollout: Rollout) -> list[LayerSpec]:
        """Return the layers that ``rollout`` uses."""
        return count_layers(
            lambda: finalized(self._space, rollout.arch, self._space.make_network()), self._space.input_shape
        )

    def state(self) -> dict[str, Any]:
        """Return all weights and running statistics."""
        return {"weights": dict(self.state_dict())}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take up weights.

        Raises: RuntimeError when they are of another network.
        """
        self.load_state_dict(state["weights"])


def finalized(space: GermSpace, arch: Arch, network: nn.Module) -> nn.Module:
    """Return ``network`` with the choices of ``arch`` made, owning its share of the weights."""
    return Resolver(chosen(space.columns_of(network), arch), owns=True).module(network)


def chosen(columns: Mapping[Choices, int], arch: Arch) -> dict[Choices, Any]:
    """Return the value of every choice under ``arch``."""
    return {choice: choice.choices[arch[column]] for choice, column in columns.items()}
