"""A canonical form of cells: equal exactly when one cell is the other with its inner nodes renumbered."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Collection, Hashable, Sequence

Steps = Sequence[Sequence[tuple[int, int]]]
"""For each inner node its inputs as (code of the operation, node it comes from)."""


def canonical_cell(steps: Steps, num_inputs: int, output: Collection[int]) -> Hashable:
    """Return the canonical form of a cell.

    Args:
        steps: The inner nodes in order; nodes 0 … ``num_inputs`` − 1 are the inputs of the cell.
        num_inputs: Number of inputs, which keep their numbers.
        output: Which inner nodes (counted from 0) are part of the output.

    Nodes are ordered by a digest of everything below them. Only nodes that this leaves equal are permuted, and the
    smallest result taken: exact, and cheap because such nodes are rare.
    """
    digests = _digests(steps, num_inputs, output)
    classes: dict[str, list[int]] = {}
    for node in sorted(range(len(steps)), key=digests.__getitem__):
        classes.setdefault(digests[node], []).append(node)
    orders = itertools.product(*(itertools.permutations(members) for members in classes.values()))
    return min(_encoded(steps, num_inputs, output, list(itertools.chain(*order))) for order in orders)


def _digests(steps: Steps, num_inputs: int, output: Collection[int]) -> list[str]:
    below = [str(node) for node in range(num_inputs)]
    for index, inputs in enumerate(steps):
        parts = sorted((op, below[source]) for op, source in inputs)
        below.append(hashlib.blake2b(repr((parts, index in output)).encode(), digest_size=12).hexdigest())
    return below[num_inputs:]


def _encoded(
    steps: Steps, num_inputs: int, output: Collection[int], order: list[int]
) -> tuple[tuple[tuple[tuple[int, int], ...], bool], ...]:
    number = {node: place + num_inputs for place, node in enumerate(order)}
    renumbered = [
        tuple(
            sorted(
                (op, source if source < num_inputs else number[source - num_inputs]) for op, source in inputs
            )
        )
        for inputs in steps
    ]
    return tuple((renumbered[node], node in output) for node in order)
