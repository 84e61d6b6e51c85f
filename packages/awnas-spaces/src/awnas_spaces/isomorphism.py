"""A canonical form of cells: equal exactly when one cell is the other with its inner nodes renumbered."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Sequence

Steps = Sequence[Sequence[tuple[int, int]]]
"""For each inner node its inputs as (code of the operation, node it comes from)."""
Edges = list[list[tuple[int, int]]]
"""For each node (code of the operation, node at the other end)."""


def canonical_cell(steps: Steps, num_inputs: int, output: Collection[int]) -> Hashable:
    """Return the canonical form of a cell.

    Args:
        steps: The inner nodes in order; nodes 0 … ``num_inputs`` − 1 are the inputs of the cell.
        num_inputs: Number of inputs, which keep their numbers.
        output: Which inner nodes (counted from 0) are part of the output.

    Nodes are told apart by what they read and what reads them, again and again. Where that leaves several alike, each
    is tried in front, and the smallest result taken; nodes that read the same and are read alike need no trial.

    Source: McKay and Piperno, "Practical graph isomorphism, II", Journal of Symbolic Computation 2014, section 2.
    """
    sources: Edges = [[] for _ in range(num_inputs)] + [list(inputs) for inputs in steps]
    readers: Edges = [[] for _ in sources]
    for node, inputs in enumerate(sources):
        for op, source in inputs:
            readers[source].append((op, node))
    colours = [*range(num_inputs), *(num_inputs + int(index in output) for index in range(len(steps)))]
    return min(
        tuple(
            (tuple(sorted((op, place[source]) for op, source in sources[node])), node - num_inputs in output)
            for node in sorted(range(num_inputs, len(sources)), key=place.__getitem__)
        )
        for place in _numberings(sources, readers, colours)
    )


def _numberings(sources: Edges, readers: Edges, colours: list[int]) -> Iterator[list[int]]:
    """Yield the numberings of the nodes that have to be compared; one of them is the canonical one."""
    colours = _refined(sources, readers, colours)
    classes: dict[int, list[int]] = {}
    for node, colour in enumerate(colours):
        classes.setdefault(colour, []).append(node)
    alike = next((classes[colour] for colour in sorted(classes) if len(classes[colour]) > 1), None)
    if alike is None:
        yield colours
        return
    for node in _not_interchangeable(sources, readers, alike):
        chosen = [2 * colour for colour in colours]
        chosen[node] -= 1
        yield from _numberings(sources, readers, chosen)


def _refined(sources: Edges, readers: Edges, colours: list[int]) -> list[int]:
    """Split colours by the colours around each node until nothing more is told apart; they become ranks 0, 1, …."""
    count = 0
    while True:
        signatures = [
            (colour, _seen(inputs, colours), _seen(outputs, colours))
            for colour, inputs, outputs in zip(colours, sources, readers, strict=True)
        ]
        rank = {signature: place for place, signature in enumerate(sorted(set(signatures)))}
        colours = [rank[signature] for signature in signatures]
        if len(rank) in (count, len(colours)):
            return colours
        count = len(rank)


def _seen(edges: list[tuple[int, int]], colours: list[int]) -> tuple[tuple[int, int], ...]:
    return tuple(sorted((op, colours[other]) for op, other in edges))


def _not_interchangeable(sources: Edges, readers: Edges, alike: list[int]) -> list[int]:
    """Return one node of each set that can be swapped without changing the cell."""
    return list({(tuple(sorted(sources[n])), tuple(sorted(readers[n]))): n for n in alike}.values())
