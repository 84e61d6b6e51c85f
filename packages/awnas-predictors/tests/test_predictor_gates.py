"""GATES and TA-GATES."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from awnas_core.roles.search_space import SearchSpace
from awnas_predictors.encoding import encode
from awnas_predictors.gates import Gates
from awnas_predictors.graphs import CellGraphs
from awnas_spaces.enas import EnasSpace
from awnas_spaces.nasbench101 import NasBench101Space
from awnas_spaces.nasbench201 import NasBench201Space
from awnas_spaces.nasbench_macro import NasBenchMacroSpace
from awnas_spaces.nb301 import Nb301Space

SPACES = [EnasSpace, Nb301Space, NasBench101Space, NasBench201Space, NasBenchMacroSpace]


def graphs_of(space: SearchSpace, count: int = 12) -> CellGraphs:
    return encode(space, space.sample_codes(count, np.random.default_rng(0)))


def gates_of(graphs: CellGraphs, steps: int) -> Gates:
    return Gates(graphs, np.random.default_rng(0), dims=(16, 16, 16), op_dim=8, node_dim=8, steps=steps)


def renumbered(edges: np.ndarray, order: tuple[int, ...]) -> np.ndarray:
    """Return graphs whose inner nodes are renumbered."""
    places = [0, *order, edges.shape[-1] - 1]
    return edges[..., places, :][..., places]


def read_out(gates: Gates, graphs: CellGraphs, arch: int) -> torch.Tensor:
    """Return an embedding as the paper writes it: node by node, the messages on the edges into it gated one by one."""
    found = []
    for group, cell in enumerate(graphs.edges[arch]):
        slots, nodes, _ = cell.shape
        h = [torch.zeros(gates.inputs.shape[-1]) for _ in range(nodes)]
        h[: graphs.num_inputs] = gates.inputs[group]
        for depth, layer in enumerate(gates.forwards.layers):
            sent = [layer.message(torch.relu(x) if depth else x) for x in h]
            h = [x if node < graphs.num_inputs else torch.zeros_like(x) for node, x in enumerate(sent)]
            for slot, to, source in itertools.product(range(slots), range(nodes), range(nodes)):
                if operation := int(cell[slot, to, source]):
                    h[to] = h[to] + torch.sigmoid(layer.gate(gates.ops.weight[operation])) * sent[source]
        found.append(h[-1])
    return torch.cat(found)


@pytest.mark.parametrize("space", SPACES)
def test_information_is_gated_edge_by_edge_and_summed_at_nodes(space: type[SearchSpace]) -> None:
    graphs = graphs_of(space(), 3)
    gates = gates_of(graphs, 1)
    found = gates(torch.from_numpy(graphs.edges))
    for arch in range(len(graphs)):
        torch.testing.assert_close(found[arch], read_out(gates, graphs, arch), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("steps", [1, 3])
def test_cells_that_any_renumbering_of_inner_nodes_makes_equal_have_equal_embeddings(steps: int) -> None:
    graphs = graphs_of(NasBench101Space())
    gates = gates_of(graphs, steps)
    expected = gates(torch.from_numpy(graphs.edges))
    for order in itertools.islice(itertools.permutations(range(1, 6)), 1, None, 7):
        found = gates(torch.from_numpy(renumbered(graphs.edges, order)))
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_cells_that_differ_in_an_operation_that_counts_have_different_embeddings() -> None:
    graphs = encode(
        NasBench201Space(), np.array([[0, 0, 0, 3, 0, 0], [0, 0, 0, 2, 0, 0], [0, 0, 0, 3, 3, 3]])
    )
    a, b, dead = gates_of(graphs, 1)(torch.from_numpy(graphs.edges))
    assert (a - b).abs().max() > 1e-3
    torch.testing.assert_close(a, dead)


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("steps", [1, 3])
def test_a_batch_is_embedded_as_its_architectures_are_alone(space: type[SearchSpace], steps: int) -> None:
    graphs = graphs_of(space())
    gates = gates_of(graphs, steps)
    alone = torch.cat([gates(torch.from_numpy(graphs[i : i + 1].edges)) for i in range(len(graphs))])
    torch.testing.assert_close(gates(torch.from_numpy(graphs.edges)), alone, atol=1e-5, rtol=1e-4)


def test_the_first_step_of_ta_gates_is_gates_and_later_ones_differ() -> None:
    graphs = graphs_of(NasBench201Space())
    ta_gates, gates = gates_of(graphs, 3), gates_of(graphs, 1)
    gates.load_state_dict({name: ta_gates.state_dict()[name] for name in gates.state_dict()})
    edges = torch.from_numpy(graphs.edges)
    first, _, last = ta_gates.anytime(edges)
    torch.testing.assert_close(first, gates(edges))
    assert (last - first).abs().max() > 1e-5


def test_without_an_update_every_step_of_ta_gates_is_the_first() -> None:
    graphs = graphs_of(Nb301Space())
    gates = gates_of(graphs, 3)
    layer = gates.update[-1]
    assert isinstance(layer, nn.Linear)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    first, *later = gates.anytime(torch.from_numpy(graphs.edges))
    for step in later:
        torch.testing.assert_close(step, first)


def test_operations_without_weights_are_not_updated() -> None:
    graphs = encode(NasBench201Space(), np.array([[1, 4, 1, 4, 1, 4]]))
    first, *later = gates_of(graphs, 3).anytime(torch.from_numpy(graphs.edges))
    for step in later:
        torch.testing.assert_close(step, first)
