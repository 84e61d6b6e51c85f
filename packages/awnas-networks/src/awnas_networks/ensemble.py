"""The weights of ensembles: every member is a candidate of one inner weights manager."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from awnas_core.layers import LayerSpec
from awnas_core.options import Child
from awnas_core.roles.weights_manager import WeightsManager
from awnas_core.rollout import Rollout
from awnas_spaces.ensemble import EnsembleRollout, EnsembleSpace


class EnsembleWeightsManager(WeightsManager, nn.Module):
    """Lends out the shared weights of one inner weights manager to every member of an ensemble.

    The network of an ensemble gives the mean of its members' logits.

    Args:
        inner_weights_manager: Holds the weights, for the space that the members come from.
    """

    def __init__(
        self,
        search_space: EnsembleSpace,
        *,
        inner_weights_manager: Callable[..., WeightsManager] = Child(
            "weights_manager", "supernet", own_rollouts=True, deferred=True
        ),
    ) -> None:
        nn.Module.__init__(self)
        self.inner = inner_weights_manager(search_space=search_space.inner_search_space)
        self.max_grad_norm = self.inner.max_grad_norm

    def assemble_candidate(self, rollout: Rollout) -> Ensemble:
        """Return the network of an ensemble."""
        return Ensemble([self.inner.assemble_candidate(member) for member in _members(rollout)])

    def layers(self, rollout: Rollout) -> list[LayerSpec]:
        """Return the layers of every member; what two members share is counted for each."""
        return [
            replace(layer, name=f"members.{number}.{layer.name}")
            for number, member in enumerate(_members(rollout))
            for layer in self.inner.layers(member)
        ]

    def state(self) -> dict[str, Any]:
        """Return the state of the inner weights manager."""
        return self.inner.state()

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take up the state of the inner weights manager."""
        self.inner.load_state(state)


class Ensemble(nn.Module):
    """Networks that answer together."""

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, images: Tensor) -> Tensor:
        """Return the mean of the members' logits, ``(N, classes)``, for images ``(N, C, H, W)``."""
        return torch.stack([member(images) for member in self.members]).mean(0)


def _members(rollout: Rollout) -> list[Rollout]:
    assert isinstance(rollout, EnsembleRollout), "the config check sees to the type of rollouts"
    return rollout.members
