"""Several processes, one search: all train and measure the same architectures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from awnas_core.errors import RunError
from awnas_core.rollout import Rollout
from awnas_core.world import World
from awnas_torch.distributed import broadcast_data


def agreed(rollouts: list[Rollout], world: World) -> list[Rollout]:
    """Return the architectures of rank 0, everywhere."""
    if world.size == 1 or not rollouts:
        return rollouts
    space, cls = rollouts[0].space, type(rollouts[0])
    records = broadcast_data([rollout.to_record() for rollout in rollouts], world)
    return [cls.from_record(record, space) for record in records]


def refuse_disagreement(rollouts: Sequence[Rollout], world: World) -> None:
    """Make sure that all processes have the same architectures.

    Raises: RunError when they have not.
    """
    if world.size == 1:
        return
    mine = [_decided(rollout) for rollout in rollouts]
    if broadcast_data(mine, world) != mine:
        raise RunError(
            "the processes of this run propose different architectures; start them all with one --seed"
        )


def _decided(rollout: Rollout) -> dict[str, Any]:
    """Return what a rollout says of its architecture, without what was noted or measured."""
    record = rollout.to_record()
    return {key: record[key] for key in ("arch", "relaxed") if key in record}
