"""The weights manager: which weights an architecture gets."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from awnas_core.components import Component
from awnas_core.layers import LayerSpec
from awnas_core.rollout import Rollout


class WeightsManager(Component, ABC):
    """Holds weights that architectures share, and lends them out."""

    max_grad_norm: float | None = None
    """L2 norm to which gradients of a candidate are clipped before a step; None for no clipping."""

    @abstractmethod
    def assemble_candidate(self, rollout: Rollout) -> Any:
        """Return a network (a ``torch.nn.Module``) that computes ``rollout`` with the shared weights.

        Cheap: nothing is copied, nothing takes time in proportion to the whole supernet.
        """

    @abstractmethod
    def layers(self, rollout: Rollout) -> list[LayerSpec]:
        """Return the layers of the network of ``rollout``, counted without running it on data."""
