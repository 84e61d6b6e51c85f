"""A cell computes what the papers say, checked against a cell that is stepped by hand in numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from awnas_core.errors import ConfigError
from awnas_text.cell import CellSettings, CellWalk, Edge, RecurrentCell

BY_HAND = {
    "tanh": np.tanh,
    "relu": lambda values: np.maximum(values, 0),
    "sigmoid": lambda values: 1 / (1 + np.exp(-values)),
    "identity": lambda values: values,
}
PRIMITIVES = ("none", *BY_HAND)
PLAIN = CellSettings(batchnorm_out=False)
SHARINGS = [
    PLAIN,
    CellSettings(batchnorm_out=False, share_primitive_weights=True),
    CellSettings(batchnorm_out=False, share_from_weights=True),
]
T, B, E, H, STEPS = 3, 4, 5, 6, 4


def every_edge():
    pairs = [(source, node) for node in range(1, STEPS + 1) for source in range(node)]
    every = [(*pair, primitive) for pair in pairs for primitive in PRIMITIVES]
    return [Edge(*edge, place) for place, edge in enumerate(every)]


def cell(settings=PLAIN, seed=0):
    torch.manual_seed(seed)
    made = RecurrentCell(E, H, every_edge(), STEPS, settings).double()
    with torch.no_grad():
        for weight in made.parameters():
            if weight.dim() == 2:
                weight.mul_(20)
    return made


def gated(state, matrix, function, masked):
    gate, value = np.split(masked @ matrix, 2, axis=-1)
    return state + BY_HAND["sigmoid"](gate) * (function(value) - state)


def by_hand(cell, edges, outputs, inputs, hidden, *, weights=None, input_mask=1.0, hidden_mask=1.0):
    """Step by step, node by node, edge by edge; matrices are named as the cell names them."""
    states = []
    for step in inputs:
        joined = np.concatenate([step * input_mask, hidden * hidden_mask], -1) @ cell.joint.detach().numpy()
        gate, value = np.split(joined, 2, axis=-1)
        nodes = [hidden + BY_HAND["sigmoid"](gate) * (np.tanh(value) - hidden)]
        for node in range(1, STEPS + 1):
            total = np.zeros_like(hidden)
            for edge in edges:
                if edge.target == node and edge.primitive != "none":
                    matrix = cell.matrices[cell.settings.matrix_of(edge)].detach().numpy()
                    state = nodes[edge.source]
                    share = 1.0 if weights is None else weights[edge.weight]
                    total += share * gated(state, matrix, BY_HAND[edge.primitive], state * hidden_mask)
            nodes.append(total)
        hidden = np.mean([nodes[node] for node in outputs], 0)
        states.append(hidden)
    return np.stack(states)


def data(seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(T, B, E)), rng.normal(size=(B, H))


def run(walk, inputs, hidden, **options):
    with torch.no_grad():
        tensors = {name: torch.from_numpy(value) for name, value in options.items()}
        return walk(torch.from_numpy(inputs), torch.from_numpy(hidden), **tensors).numpy()


@pytest.mark.parametrize("settings", SHARINGS)
@pytest.mark.parametrize("inputs_of_node", [1, 2])
def test_a_cell_of_any_architecture_equals_one_that_is_stepped_by_hand(settings, inputs_of_node):
    rng = np.random.default_rng(1)
    made, (inputs, hidden) = cell(settings), data()
    for _ in range(20):
        edges = [
            Edge(int(rng.integers(node)), node, str(rng.choice(PRIMITIVES)))
            for node in range(1, STEPS + 1)
            for _ in range(inputs_of_node)
        ]
        outputs = sorted(rng.choice(range(1, STEPS + 1), size=2, replace=False).tolist())
        found = run(CellWalk(made, edges, outputs), inputs, hidden)
        np.testing.assert_allclose(found, by_hand(made, edges, outputs, inputs, hidden), atol=1e-10)


def test_an_operation_taken_twice_counts_twice():
    made, (inputs, hidden) = cell(), data()
    edges = [Edge(0, 1, "tanh"), Edge(0, 1, "tanh")]
    found = run(CellWalk(made, edges, [1]), inputs[:1], hidden)
    np.testing.assert_allclose(found, 2 * run(CellWalk(made, edges[:1], [1]), inputs[:1], hidden))


@pytest.mark.parametrize("settings", SHARINGS)
def test_a_mixture_weighs_every_operation(settings):
    made, (inputs, hidden) = cell(settings), data()
    weights = np.random.default_rng(2).dirichlet(np.ones(len(PRIMITIVES)), size=10).ravel()
    walk = CellWalk(made, every_edge(), [1, 2, 3, 4])
    expected = by_hand(made, every_edge(), [1, 2, 3, 4], inputs, hidden, weights=weights)
    np.testing.assert_allclose(run(walk, inputs, hidden, weights=weights), expected, atol=1e-10)


def test_weights_may_differ_between_texts():
    made, (inputs, hidden) = cell(), data()
    weights = np.random.default_rng(3).random((len(every_edge()), B))
    found = run(CellWalk(made, every_edge(), [2, 4]), inputs, hidden, weights=weights)
    for text in range(B):
        expected = by_hand(
            made, every_edge(), [2, 4], inputs[:, [text]], hidden[[text]], weights=weights[:, text]
        )
        np.testing.assert_allclose(found[:, [text]], expected, atol=1e-10)


def test_masks_stay_the_same_for_all_steps_and_nodes():
    made, (inputs, hidden) = cell(), data()
    rng = np.random.default_rng(4)
    masks = {
        "input_mask": rng.integers(0, 2, (B, E)) * 2.0,
        "hidden_mask": rng.integers(0, 2, (B, H)) * 2.0,
    }
    edges = [Edge(0, 1, "tanh"), Edge(1, 2, "relu"), Edge(1, 3, "identity"), Edge(3, 4, "sigmoid")]
    found = run(CellWalk(made, edges, [2, 4]), inputs, hidden, **masks)
    np.testing.assert_allclose(found, by_hand(made, edges, [2, 4], inputs, hidden, **masks), atol=1e-10)


def test_normalisation_gives_every_feature_mean_0_and_variance_1_over_the_batch():
    made, (inputs, hidden) = cell(CellSettings(batchnorm_step=True, batchnorm_edge=True)), data()
    edges = [Edge(0, 1, "tanh"), Edge(1, 2, "relu"), Edge(1, 3, "identity"), Edge(3, 4, "sigmoid")]
    found = run(CellWalk(made, edges, [2, 4]).train(), inputs, hidden)
    np.testing.assert_allclose(found.mean(1), 0, atol=1e-8)
    np.testing.assert_allclose(found.var(1), 1, atol=1e-2)


def test_normalised_nodes_and_products_equal_those_by_hand():
    settings = CellSettings(batchnorm_step=True, batchnorm_edge=True, batchnorm_out=False)
    made, (inputs, hidden) = cell(settings), data()

    def norm(values):
        return (values - values.mean(0)) / np.sqrt(values.var(0) + 1e-5)

    joined = norm(np.concatenate([inputs[0], hidden], -1) @ made.joint.detach().numpy())
    gate, value = np.split(joined, 2, axis=-1)
    start = hidden + BY_HAND["sigmoid"](gate) * (np.tanh(value) - hidden)
    gate, value = np.split(norm(start @ made.matrices["0_to_1_relu"].detach().numpy()), 2, axis=-1)
    expected = norm(start + BY_HAND["sigmoid"](gate) * (np.maximum(value, 0) - start))
    found = run(CellWalk(made, [Edge(0, 1, "relu")], [1]).train(), inputs[:1], hidden)
    np.testing.assert_allclose(found[0], expected, atol=1e-8)


def test_a_walk_holds_the_matrices_it_uses_and_no_others():
    made = cell()
    walk = CellWalk(made, [Edge(0, 1, "tanh"), Edge(0, 2, "none"), Edge(1, 2, "relu")], [1, 2])
    own = {id(made.joint), id(made.matrices["0_to_1_tanh"]), id(made.matrices["1_to_2_relu"])}
    assert {id(weight) for weight in walk.parameters()} == own


def test_what_is_no_activation_is_refused_with_the_nearest_name():
    with pytest.raises(ConfigError, match="sigmoid"):
        RecurrentCell(E, H, [Edge(0, 1, "sigmoids")], 1, PLAIN)
