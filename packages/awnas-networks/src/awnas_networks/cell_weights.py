"""Shared weights that architectures borrow, whatever network they stand in."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from torch import nn

from awnas_core.device import Device
from awnas_core.layers import LayerSpec
from awnas_core.roles.weights_manager import WeightsManager
from awnas_core.rollout import Arch, RelaxedRollout, Rollout
from awnas_networks.cell_stack import Candidate, CellStack
from awnas_networks.relaxed_candidate import RelaxedCandidate
from awnas_spaces.genotype import Cell
from awnas_torch.counting import count_layers
from awnas_torch.device import resolve
from awnas_torch.seeding import seeded

CACHED_CANDIDATES = 64


class CellWeights(WeightsManager, nn.Module):
    """Weights that all architectures of a space of cells share.

    A candidate borrows the modules it uses and walks them; nothing is copied, and its ``parameters()`` are its own
    active ones only.

    Args:
        search_space: Where the architectures come from.
        device: Where the weights stand.
        rng: They are drawn from it.
        input_shape: Shape of an image, ``(C, H, W)``.
        make: Builds the network.
        blueprint: Builds the network whose layers are counted.
        max_grad_norm: Gradients of a candidate are clipped to this L2 norm; None for no clipping.
    """

    def __init__(
        self,
        search_space: Any,
        device: Device,
        rng: np.random.Generator,
        input_shape: tuple[int, int, int],
        make: Callable[[], CellStack],
        blueprint: Callable[[], CellStack],
        *,
        max_grad_norm: float | None,
    ) -> None:
        nn.Module.__init__(self)
        self.search_space = search_space
        self.max_grad_norm = max_grad_norm
        self.input_shape = tuple(input_shape)
        self._device = resolve(device)
        self._make_blueprint = blueprint
        self._blueprints: list[CellStack] = []  # a list, so that it is no part of the module
        with seeded(rng):
            self.network = make()
        self.to(self._device.torch_device, memory_format=self._device.memory_format)  # type: ignore[call-overload]
        self._candidates: OrderedDict[Arch, Candidate] = OrderedDict()

    def assemble_candidate(self, rollout: Rollout) -> nn.Module:
        """Return the network of ``rollout``; the last few dozen are kept."""
        candidate = self._candidates.pop(rollout.arch, None) or self._candidate(rollout)
        self._candidates[rollout.arch] = candidate
        if len(self._candidates) > CACHED_CANDIDATES:
            self._candidates.popitem(last=False)
        return candidate

    def layers(self, rollout: Rollout) -> list[LayerSpec]:
        """Return the layers that ``rollout`` uses."""
        return count_layers(lambda: self._blueprint().candidate(self._cells_of(rollout)), self.input_shape)

    def state(self) -> dict[str, Any]:
        """Return all weights and running statistics."""
        return {"weights": dict(self.state_dict())}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take up weights.

        Raises: RuntimeError when they are of another network.
        """
        self.load_state_dict(state["weights"])

    def _candidate(self, rollout: Rollout) -> Candidate:
        return self.network.candidate(self._cells_of(rollout))

    def _cells_of(self, rollout: Rollout) -> Sequence[Cell]:
        """Return the cell of each group."""
        return rollout.genotype.cells  # type: ignore[no-any-return]

    def _blueprint(self) -> CellStack:
        """Return the network without weights, built once: called with the meta device as default."""
        if not self._blueprints:
            self._blueprints.append(self._make_blueprint())
        return self._blueprints[0]


class RelaxedCellWeights(CellWeights):
    """Lends its weights to mixtures of architectures too.

    A relaxed rollout runs every operation whose weight is not exactly 0; a discrete one walks just those it chose.
    Batch normalisations in cells are best left without weights, so that the mixture alone scales an operation.
    """

    def assemble_candidate(self, rollout: Rollout) -> nn.Module:
        """Return the network of a discrete rollout, or the mixture that a relaxed one describes."""
        if isinstance(rollout, RelaxedRollout):
            return RelaxedCandidate(self.network, self.search_space, rollout.relaxed)
        return super().assemble_candidate(rollout)
