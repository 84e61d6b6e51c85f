"""The loss of a candidate on a batch, the same wherever it is needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from awnas_core.errors import ConfigError
from awnas_core.roles.objective import Objective
from awnas_core.rollout import Purpose, RelaxedRollout, Rollout
from awnas_core.world import World
from awnas_torch.device import ResolvedDevice
from awnas_torch.distributed import synchronised_batch_norm


class CandidateLoss:
    """Runs a candidate and asks the objective: under autocast, normalised over the batches of all processes.

    Args:
        objective: Says what the loss is.
        device: Where the candidate lives.
        world: The processes whose batches belong together.
    """

    def __init__(self, objective: Objective, device: ResolvedDevice, world: World) -> None:
        self.objective = objective
        self._device = device
        self._world = world

    def __call__(
        self,
        network: nn.Module,
        rollout: Rollout,
        batch: tuple[Any, Any],
        *,
        purpose: Purpose = Purpose.TRAIN_WEIGHTS,
        leaves: Mapping[str, Tensor] | None = None,
    ) -> tuple[Tensor, Any]:
        """Return the loss and the outputs.

        Args:
            network: The candidate.
            rollout: What it computes.
            batch: (inputs, targets), on the device.
            purpose: What the loss is for; an objective may regularise accordingly.
            leaves: The relaxed decisions of ``rollout``, where their gradient is wanted. Candidate and objective get
                them instead of the detached ones.

        Raises: ConfigError when the objective has no loss.
        """
        inputs, targets = batch
        if leaves is not None:
            rollout = RelaxedRollout(rollout.space, leaves, rollout.info)
        with self._device.autocast(), synchronised_batch_norm(network, self._world):
            outputs = network(inputs) if leaves is None else network(inputs, relaxed=leaves)
            loss: Tensor | None = self.objective.get_loss(
                inputs, outputs, targets, candidate=network, rollout=rollout, purpose=purpose
            )
        if loss is None:
            raise ConfigError(
                f"{type(self.objective).__name__} has no loss to train on; use an objective such as 'classification'"
            )
        return loss, outputs
