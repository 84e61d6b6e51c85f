"""The most likely discrete architectures under probabilities of relaxed decisions."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Mapping

import numpy as np

from awnas_controllers.differentiable.relaxing import Weights
from awnas_core.errors import SpaceExhaustedError
from awnas_core.roles.search_space import SearchSpace
from awnas_core.rollout import Arch, Rollout

Choice = tuple[str, int, int]
"""(mixture, edge, choice)."""

_TINY = 1e-300  # keeps logarithms finite


def likely_architectures(space: SearchSpace, probabilities: Mapping[str, Weights], n: int) -> list[Rollout]:
    """Return ``n`` distinct architectures: the most likely one, then those that give up the least probability.

    A next one arises by forbidding a choice that the last one made, so that the space decides anew what is most likely
    without it. Of all such steps the one is taken first that loses the least log-probability on its edge. Where
    decisions are independent, these are exactly the ``n`` most likely architectures, in order.

    Args:
        space: A space with mixtures.
        probabilities: Mixture name → ``(E, P)``, and perhaps weights of edges.
        n: How many.

    Raises: SpaceExhaustedError when there are not so many.

    Source of the search: Lawler, "A Procedure for Computing the K Best Solutions to Discrete Optimization Problems",
    Management Science 1972.
    """
    found: dict[object, Arch] = {}
    order = itertools.count()  # of equal losses the first
    queue: list[tuple[float, int, frozenset[Choice]]] = [(0.0, next(order), frozenset())]
    seen = {queue[0][2]}
    while queue and len(found) < n:
        lost, _, forbidden = heapq.heappop(queue)
        arch = space.discretize(_without(probabilities, forbidden))
        found.setdefault(space.key(arch), arch)
        for choice, loss in _choices_made(space, probabilities, forbidden, arch):
            further = forbidden | {choice}
            if further not in seen:
                seen.add(further)
                heapq.heappush(queue, (lost + loss, next(order), further))
    if len(found) < n:
        raise SpaceExhaustedError(f"{n} architectures were asked for, the space has {len(found)}")
    return [space.rollout(arch) for arch in found.values()]


def _choices_made(
    space: SearchSpace, probabilities: Mapping[str, Weights], forbidden: frozenset[Choice], arch: Arch
) -> Iterator[tuple[Choice, float]]:
    """Yield the choices that ``arch`` depends on, with the log-probability lost when each is forbidden."""
    for mixture in space.mixtures:
        edges, choices = mixture.shape
        for edge in range(edges):
            of_edge = probabilities[mixture.name][edge]
            left = [c for c in range(choices) if (mixture.name, edge, c) not in forbidden]
            ranked = sorted(left, key=lambda c, p=of_edge: (-p[c], c))  # type: ignore[misc]
            for best, second in itertools.pairwise(
                ranked
            ):  # the best is not made where the space rules it out
                choice = (mixture.name, edge, best)
                if space.discretize(_without(probabilities, forbidden | {choice})) != arch:
                    pair = np.maximum(of_edge[[best, second]], _TINY)
                    yield choice, float(np.log(pair[0]) - np.log(pair[1]))
                    break


def _without(
    probabilities: Mapping[str, Weights], forbidden: frozenset[Choice] | set[Choice]
) -> dict[str, Weights]:
    """Return the probabilities with those of forbidden choices set to 0."""
    left = dict(probabilities)
    for name in {name for name, _, _ in forbidden}:
        left[name] = left[name].copy()
    for name, edge, choice in forbidden:
        left[name][edge, choice] = 0.0
    return left
