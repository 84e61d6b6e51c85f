"""``torch.compile`` for candidates."""

from __future__ import annotations

from torch import nn

from awnas_core.rollout import RelaxedRollout, Rollout, as_numpy


def compile_candidate(candidate: nn.Module, rollout: Rollout) -> None:
    """Have a candidate compiled on its first call, or run what was compiled for one before it.

    This is for relaxed architectures in which everything has weight: all of them compute the same graph. Any other
    architecture has a graph of its own, whose compilation would take longer than its evaluation; it is left as it is.

    Args:
        candidate: A network.
        rollout: What it computes.
    """
    if isinstance(rollout, RelaxedRollout) and all(as_numpy(part).all() for part in rollout.relaxed.values()):
        candidate.compile()
