"""Cells made continuous: what the edges of a cell mix, and which discrete cell a mixture stands for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from awnas_core.errors import ConfigError
from awnas_core.relaxation import Mixture
from awnas_spaces.encoding import Input

Weights = npt.NDArray[np.floating[Any]]


def cell_mixture(name: str, num_inputs: int, num_steps: int, primitives: Sequence[str]) -> Mixture:
    """Return the mixture of a cell group: all edges, ordered by destination, then by source.

    Args:
        name: Name of the group.
        num_inputs: Inputs of the cell; the inner nodes are numbered after them.
        num_steps: Inner nodes.
        primitives: Operations of every edge.
    """
    inner = range(num_inputs, num_inputs + num_steps)
    return Mixture(name, tuple(primitives), tuple(node for node in inner for _ in range(node)))


def strongest_inputs(
    mixture: Mixture, weights: Weights, edges: Weights | None, keep: int, *, without: Sequence[int] = ()
) -> list[list[Input]]:
    """Return for each inner node the inputs that a mixture leaves it, ordered by source.

    An edge counts as much as its strongest operation, times its own weight. The ``keep`` best edges of a node stay,
    each with its strongest operation; of equals the first. The arguments are left as they are.

    Args:
        mixture: Of a cell, as made by :func:`cell_mixture`; E edges, P choices.
        weights: ``(E, P)``, or ``(E, B, P)``, of which the mean over B samples is taken.
        edges: Weights of the edges ``(E,)``, None where they have none.
        keep: Edges kept for each node.
        without: Codes of operations that are not to be chosen.

    Raises: ConfigError for weights of another shape or that are no numbers.

    Source: Liu et al., "DARTS: Differentiable Architecture Search", ICLR 2019, section 2.4; with weights of edges, Xu
    et al., "PC-DARTS", ICLR 2020, section 3.3.
    """
    scores = mean_weights(mixture, weights)
    if edges is not None:
        scores = scores * _edge_weights(mixture, edges)[:, None]
    if not np.isfinite(scores).all():
        raise ConfigError(f"the weights of '{mixture.name}' must be finite numbers")
    allowed = np.delete(np.arange(scores.shape[1]), list(without))
    operation = allowed[scores[:, allowed].argmax(1)]
    strength = scores[np.arange(len(scores)), operation]
    inputs = []
    for part in mixture.slices:
        best = np.argsort(-strength[part], kind="stable")[:keep]
        inputs.append([(source, int(operation[part][source])) for source in sorted(best.tolist())])
    return inputs


def one_hot(mixture: Mixture, inputs: Sequence[Sequence[Input]]) -> npt.NDArray[np.float32]:
    """Return the weights ``(E, P)`` under which a mixture computes exactly a discrete cell.

    A node that takes the same operation of the same source twice gives it weight 2.
    """
    weights = np.zeros(mixture.shape, dtype=np.float32)
    for part, node in zip(mixture.slices, inputs, strict=True):
        for source, operation in node:
            weights[part.start + source, operation] += 1
    return weights


def mean_weights(mixture: Mixture, weights: Weights) -> Weights:
    """Return weights ``(E, P)``, the mean over samples where there are several.

    Raises: ConfigError for weights of another shape.
    """
    mean = weights.mean(1) if weights.ndim == 3 and weights.shape[1] else weights
    if mean.shape != mixture.shape:
        e, p = mixture.shape
        raise ConfigError(
            f"the weights of '{mixture.name}' must have shape ({e}, {p}) or ({e}, B, {p}), got {weights.shape}"
        )
    return np.asarray(mean)


def _edge_weights(mixture: Mixture, edges: Weights) -> Weights:
    if edges.shape != mixture.shape[:1]:
        raise ConfigError(f"'{mixture.edges_key}' must have shape ({mixture.shape[0]},), got {edges.shape}")
    return edges
