"""Drawing architectures until there are enough that are wanted."""

from __future__ import annotations

from collections.abc import Callable

from awnas_core.errors import SpaceExhaustedError
from awnas_core.roles.search_space import SearchSpace
from awnas_core.rollout import Arch, Rollout

PATIENCE = 200
"""Draws in a row without anything new, for each wanted architecture, before the space counts as exhausted."""


def draw_accepted(
    sample: Callable[[int], list[Rollout]],
    n: int,
    space: SearchSpace,
    *,
    unique: bool = False,
    accept: Callable[[Rollout], bool] | None = None,
) -> list[Rollout]:
    """Return ``n`` samples that ``accept`` takes, no two the same when ``unique``.

    Raises: SpaceExhaustedError when the space holds fewer, or nothing more turns up in ``PATIENCE`` × ``n`` draws.
    """
    if not unique and accept is None:
        return sample(n)
    if unique:
        _refuse_more_than_all(n, space)
    found: list[Rollout] = []
    seen: set[Arch] = set()
    in_vain = 0
    while len(found) < n:
        for rollout in sample(min(max(n - len(found), 16), 1024)):
            wanted = (accept is None or accept(rollout)) and not (unique and rollout.arch in seen)
            in_vain = 0 if wanted else in_vain + 1
            if wanted and len(found) < n:
                found.append(rollout)
                seen.add(rollout.arch)
        if in_vain > PATIENCE * max(n, 16):
            raise SpaceExhaustedError(
                f"only {len(found)} of {n} architectures turned up, and none in {in_vain} more draws; "
                "ask for fewer, or leave out --unique or --prob-thresh"
            )
    return found


def _refuse_more_than_all(n: int, space: SearchSpace) -> None:
    try:
        size = space.size()
    except ValueError:  # too large to count: certainly more than anyone asks for
        return
    if n > size:
        raise SpaceExhaustedError(
            f"{n} different architectures were asked for, the search space holds {size}"
        )
