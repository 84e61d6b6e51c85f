"""How the architectures of each cell space become graphs; done once, before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch

import numpy as np

from awnas_core.decisions import Codes
from awnas_core.errors import ConfigError
from awnas_core.roles.search_space import SearchSpace
from awnas_predictors.graphs import CellGraphs
from awnas_spaces.cnn import CnnSpace
from awnas_spaces.nasbench101 import EDGES, OPERATIONS, VERTICES, NasBench101Space, matrices_of
from awnas_spaces.nasbench201 import NasBench201Space
from awnas_spaces.nasbench_macro import BLOCKS, STAGES, NasBenchMacroSpace

OUTPUT = "output"
"""The operation on edges into the output of a cell, where the space names none."""
WITHOUT_WEIGHTS = ("skip", "pool", "identity", "none", OUTPUT)


@singledispatch
def encode(space: SearchSpace, codes: Codes) -> CellGraphs:
    """Return architectures as pruned graphs.

    Args:
        space: A cell space.
        codes: A row of codes of decisions for each architecture, shape ``(B, D)``.

    Raises: ConfigError when the architectures of the space are no cells.
    """
    raise ConfigError(
        f"{type(space).__name__} has no cells to encode as graphs; there are encodings of cnn, enas, nb301, "
        "nasbench-101, nasbench-201 and nasbench-macro"
    )


@encode.register
def _(space: NasBench201Space, codes: Codes) -> CellGraphs:
    names = [name for name in space.operations if name != "none"]
    places = np.array([names.index(name) + 1 if name in names else 0 for name in space.operations])
    edges = np.zeros((len(codes), 1, 1, space.vertices, space.vertices), dtype=np.int64)
    sources, targets = np.array(space.edges).T
    edges[:, 0, 0, targets, sources] = places[codes]
    return _graphs(edges, names)


@encode.register
def _(space: NasBench101Space, codes: Codes) -> CellGraphs:
    linked = matrices_of(codes).transpose(0, 2, 1)
    own = np.full((len(codes), VERTICES), len(OPERATIONS) + 1)
    own[:, 1:-1] = codes[:, len(EDGES) :] + 1
    return _graphs((linked * own[:, :, None])[:, None, None], [*OPERATIONS, OUTPUT])


@encode.register
def _(space: NasBenchMacroSpace, codes: Codes) -> CellGraphs:
    """Chains; blocks of different stages, and the first block of a stage, are different operations."""
    kinds = [f"{place}_{stage}" for stage in range(len(STAGES)) for place in ("first", "later")]
    kind = np.concatenate([[2 * stage, *[2 * stage + 1] * (n - 1)] for stage, n in enumerate(STAGES)])
    layers = np.arange(codes.shape[1])
    edges = np.zeros((len(codes), 1, 1, len(layers) + 1, len(layers) + 1), dtype=np.int64)
    edges[:, 0, 0, layers + 1, layers] = 1 + len(BLOCKS) * kind + codes
    return _graphs(edges, [f"{block}_{kind}" for kind in kinds for block in BLOCKS])


@encode.register
def _(space: CnnSpace, codes: Codes) -> CellGraphs:
    groups, inputs, slots = space.num_cell_groups, space.num_init_nodes, space.num_node_inputs
    names = sorted({name for group in space.primitives for name in group} - {"none"})
    places = {"none": 0, **{name: place for place, name in enumerate(names, 1)}}
    nodes = inputs + max(space.num_steps) + 1
    edges = np.zeros((len(codes), groups, slots, nodes, nodes), dtype=np.int64)
    for row, arch in enumerate(codes.tolist()):
        for group, cell in enumerate(space.genotype(tuple(arch)).cells):
            for place, (name, source, to) in enumerate(cell.connections):
                edges[row, group, place % slots, to, source] = places[name]
            edges[row, group, 0, -1, list(cell.concat)] = len(names) + 1
    return _graphs(edges, [*names, OUTPUT], inputs)


def _graphs(edges: np.ndarray, names: Sequence[str], num_inputs: int = 1) -> CellGraphs:
    with_weights = tuple(not any(part in name for part in WITHOUT_WEIGHTS) for name in names)
    return CellGraphs(edges, tuple(names), with_weights, num_inputs).pruned()
