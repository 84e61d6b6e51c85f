"""Embedders of cells, against what is computed edge by edge."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d, normalize

from awnas_core.errors import ConfigError
from awnas_core.roles.search_space import SearchSpace
from awnas_predictors.embedders.base import Beside
from awnas_predictors.embedders.convolution import GcnEmbedder, LineGcnEmbedder
from awnas_predictors.embedders.lstm import LstmEmbedder
from awnas_predictors.embedders.named import EMBEDDERS, make_embedder
from awnas_predictors.embedders.renas import RenasEmbedder
from awnas_predictors.encoding import encode
from awnas_predictors.graph_features import graph_features
from awnas_predictors.graphs import CellGraphs
from awnas_spaces.enas import EnasSpace
from awnas_spaces.nasbench101 import NasBench101Space
from awnas_spaces.nasbench201 import NasBench201Space
from awnas_spaces.nasbench_macro import NasBenchMacroSpace
from awnas_spaces.nb301 import Nb301Space

SPACES = [EnasSpace, Nb301Space, NasBench101Space, NasBench201Space, NasBenchMacroSpace]


def graphs_of(space: SearchSpace, count: int = 6) -> CellGraphs:
    return encode(space, space.sample_codes(count, np.random.default_rng(0)))


def rng() -> np.random.Generator:
    return np.random.default_rng(2)


def edges_of(cell: np.ndarray) -> list[tuple[int, int, int, int]]:
    """Return (slot, to, from, operation) of every edge."""
    return [(*place, int(cell[tuple(place)])) for place in np.argwhere(cell).tolist()]


def lstm_alone(embedder: LstmEmbedder, graphs: CellGraphs, arch: int) -> Tensor:
    """Read the edges that exist, one after the other, and average the directions of what is said."""
    places = np.argwhere(graphs.possible()).tolist()
    state, said = None, []
    for place, where in enumerate(places):
        if operation := int(graphs.edges[arch][tuple(where)]):
            token = torch.cat([embedder.ops.weight[operation], embedder.places.weight[place]])
            out, state = embedder.lstm(token[None, None], state)
            said.append(normalize(out[0, 0], dim=0))
    return normalize(torch.stack(said).sum(0), dim=0) if said else torch.zeros(embedder.out_dim)


def convolved(layers: torch.nn.ModuleList, h: list[Tensor], heard: list[list[int]]) -> list[Tensor]:
    """Apply each layer node by node: what a node holds and what it hears, summed."""
    for depth, layer in enumerate(layers):
        h = [torch.relu(x) if depth else x for x in h]
        h = [layer(x + sum((h[j] for j in heard[i]), torch.zeros_like(x))) for i, x in enumerate(h)]
    return h


def gcn_alone(embedder: GcnEmbedder, graphs: CellGraphs, arch: int) -> Tensor:
    found = []
    for cell in graphs.edges[arch]:
        edges, nodes = edges_of(cell), range(cell.shape[-1])
        into = [[(source, op) for _, to, source, op in edges if to == node] for node in nodes]
        h = []
        for node in nodes:
            ops = [embedder.ops.weight[op] for _, op in into[node]]
            mean = torch.stack(ops).mean(0) if ops else torch.zeros(embedder.ops.embedding_dim)
            h.append(embedder.first[node] if node < graphs.num_inputs else embedder.inner(mean))
        h = convolved(
            embedder.convolutions.layers, h, [[source for source, _ in into[node]] for node in nodes]
        )
        read = [h[node] for node in nodes if into[node]]
        found.append(torch.stack(read).mean(0) if read else torch.zeros_like(h[0]))
    return torch.cat(found)


def linegcn_alone(embedder: LineGcnEmbedder, graphs: CellGraphs, arch: int) -> Tensor:
    found = []
    for cell in graphs.edges[arch]:
        edges = edges_of(cell)
        heard = [[j for j, (_, to, _, _) in enumerate(edges) if to == source] for _, _, source, _ in edges]
        h = convolved(embedder.convolutions.layers, [embedder.ops.weight[op] for *_, op in edges], heard)
        read = torch.stack(h).mean(0) if h else torch.zeros(embedder.out_dim // len(graphs.edges[arch]))
        found.append(read)
    return torch.cat(found)


def renas_alone(embedder: RenasEmbedder, graphs: CellGraphs, arch: int) -> Tensor:
    """Convolve the matrix of operation numbers; the normalisation of a network that is not trained is known."""
    _, groups, slots, nodes, _ = graphs.edges.shape
    image = torch.from_numpy(graphs.edges[arch]).reshape(1, groups * slots, nodes, nodes).float()
    for conv in (embedder.layers[0], embedder.layers[3]):
        image = torch.relu(conv2d(image, conv.weight, conv.bias, padding=1) / (1 + 1e-5) ** 0.5)
    return image.flatten()


ALONE: list[tuple[str, Callable[..., Tensor]]] = [
    ("gcn", gcn_alone),
    ("linegcn", linegcn_alone),
    ("lstm", lstm_alone),
    ("renas", renas_alone),
]


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize(("name", "alone"), ALONE, ids=[name for name, _ in ALONE])
def test_a_batch_is_embedded_as_each_cell_is_edge_by_edge(
    name: str, alone: Callable[..., Tensor], space: type[SearchSpace]
) -> None:
    graphs = graphs_of(space())
    embedder = make_embedder(name, graphs, rng()).eval()
    found = embedder(*embedder.prepare(graphs))
    assert found.shape == (len(graphs), embedder.out_dim)
    for arch in range(len(graphs)):
        torch.testing.assert_close(found[arch], alone(embedder, graphs, arch), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", EMBEDDERS)
def test_a_cell_without_any_path_is_embedded_too(name: str) -> None:
    graphs = encode(NasBench201Space(), np.array([[0] * 6, [3] * 6]))
    embedder = make_embedder(name, graphs, rng()).eval()
    found = embedder(*embedder.prepare(graphs))
    assert found.isfinite().all()
    assert (found[0] - found[1]).abs().max() > 1e-3


def test_a_perceptron_reads_which_operation_stands_on_each_edge() -> None:
    graphs = encode(NasBench201Space(), np.array(list(itertools.product([1, 3], repeat=6))))
    embedder = make_embedder("seq", graphs, rng())
    (raw,) = embedder.prepare(graphs)
    assert raw.sum(1).tolist() == [6] * 64
    assert len({tuple(row) for row in raw.tolist()}) == 64
    assert sorted(set(embedder(raw).unique().tolist())) == [-1, 0, 1]  # either of two, or never there


def test_features_have_mean_0_and_deviation_1() -> None:
    graphs = graphs_of(NasBench101Space(), 40)
    embedder = make_embedder("graph-features", graphs, rng())
    found = embedder(*embedder.prepare(graphs)).numpy()
    constant = np.ptp(graph_features(graphs), axis=0) == 0
    assert np.abs(found.mean(0)).max() < 1e-4
    assert found.std(0)[~constant] == pytest.approx(1, abs=1e-4)
    assert not found[:, constant].any()


def test_embeddings_stand_beside_one_another() -> None:
    graphs = graphs_of(NasBench201Space())
    members = [make_embedder(name, graphs, rng()) for name in ("gates", "graph-features")]
    both = Beside(*members)
    expected = torch.cat([member(*member.prepare(graphs)) for member in members], 1)
    torch.testing.assert_close(both(*both.prepare(graphs)), expected)
    assert both.out_dim == expected.shape[1]


@pytest.mark.parametrize("name", ["gcn", "linegcn"])
def test_convolutions_do_not_see_how_inner_nodes_are_numbered(name: str) -> None:
    graphs = graphs_of(NasBench101Space())
    embedder = make_embedder(name, graphs, rng())
    edges = np.zeros((2, 1, 1, 7, 7), dtype=np.int64)  # two inner nodes side by side, in both orders
    for arch, (a, b) in enumerate([(1, 2), (2, 1)]):
        edges[arch, 0, 0, [a, b, 6, 6], [0, 0, a, b]] = [1, 2, 4, 4]
    first, second = embedder(torch.from_numpy(edges))
    torch.testing.assert_close(first, second)


def test_the_name_of_an_embedder_that_is_none_is_refused_with_those_that_are() -> None:
    with pytest.raises(ConfigError, match="no embedder 'gate'; there are gates, gcn"):
        make_embedder("gate", graphs_of(NasBench201Space()), rng())
