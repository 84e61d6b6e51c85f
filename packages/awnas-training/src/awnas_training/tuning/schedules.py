"""Which trainings go on: successive halving, and its asynchronous relative."""

from __future__ import annotations

from collections.abc import Sequence


def halving(rewards: Sequence[float], reduction: int) -> list[bool]:
    """Tell which of a batch go on: the best of every ``reduction``, at least one; of equals the earlier.

    Source: Jamieson and Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter Optimization", AISTATS
    2016.
    """
    order = sorted(range(len(rewards)), key=lambda index: -rewards[index])
    chosen = set(order[: max(1, len(rewards) // reduction)])
    return [index in chosen for index in range(len(rewards))]


def asynchronous_halving(rewards: Sequence[float], reduction: int, before: Sequence[float]) -> list[bool]:
    """Tell which of a batch go on, one after the other, each judged by those that came so far and nobody later.

    One goes on when it is among the best of every ``reduction`` that have been here, itself included; the first, and
    whoever is the best yet, always does.

    Args:
        rewards: Of the batch, in order.
        reduction: η.
        before: Rewards of all that were here earlier.

    Source: Li et al., "A System for Massively Parallel Hyperparameter Tuning", MLSys 2020, in the form that stops
    trainings rather than promotes them: Klein et al., "Model-based Asynchronous Hyperparameter and Neural Architecture
    Search", 2020.
    """
    seen, goes_on = list(before), []
    for reward in rewards:
        better = sum(other >= reward for other in seen)
        seen.append(reward)
        goes_on.append(better < max(1, len(seen) // reduction))
    return goes_on
