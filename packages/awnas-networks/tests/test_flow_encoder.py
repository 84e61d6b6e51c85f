"""The encoder follows the flow of information, and the gate draws as the Gumbel-softmax does."""

import numpy as np
import pytest
import torch

from awnas_networks.close.flow_encoder import FlowEncoder
from awnas_networks.close.flow_graph import GraphLayout
from awnas_networks.close.gate import Gate, GateSettings, choose
from awnas_spaces.cnn import CnnSpace
from awnas_spaces.genotype import Cell

SPACE = CnnSpace(num_steps=(3, 2), shared_primitives=("none", "sep_conv_3x3", "skip_connect"))
LAYOUT = GraphLayout(SPACE)
CPU = torch.device("cpu")


def encoder(seed=0):
    torch.manual_seed(seed)
    module = FlowEncoder(LAYOUT, op_dim=5, node_dim=6, hidden_dim=7, flow_dims=(8, 9, 4))
    with torch.no_grad():
        for step in module.steps:
            step.bias.normal_()
    return module


def by_hand(module, cell, group):
    """Nodes of one cell, each from its predecessors, one after the other."""
    inputs = module.inputs.weight[2 * group : 2 * group + 2]
    count = 2 + SPACE.steps_of(group)
    nodes = [module.hidden(inputs[i] if i < 2 else module.inner) for i in range(count)]
    for number, step in enumerate(module.steps):
        seen = [torch.relu(node) if number else node for node in nodes]
        nodes = [step.information(seen[i]) + step.bias if i < 2 else step.bias for i in range(count)]
        for name, source, to in cell.connections:
            if name != "none":
                operation = module.operations.weight[LAYOUT.vocabulary.index(name)]
                nodes[to] = nodes[to] + torch.sigmoid(step.gate(operation)) * step.information(seen[source])
    return torch.stack(nodes)


def test_every_node_has_what_flows_to_it_through_the_gates_of_operations():
    module = encoder()
    for rollout in SPACE.random_samples(10, np.random.default_rng(0)):
        cells = rollout.genotype.cells
        expected = torch.cat([by_hand(module, cell, group) for group, cell in enumerate(cells)])
        torch.testing.assert_close(module(LAYOUT.graph(cells, CPU)), expected)


def test_the_numbers_of_nodes_do_not_matter():
    links = (("sep_conv_3x3", 0, 2), ("skip_connect", 1, 2), ("skip_connect", 0, 3), ("skip_connect", 1, 3))
    swapped = (("skip_connect", 0, 2), ("skip_connect", 1, 2), ("sep_conv_3x3", 0, 3), ("skip_connect", 1, 3))
    reduce = Cell("reduce_1", (("skip_connect", 0, 2), ("skip_connect", 1, 3)), (2, 3))
    found = []
    for inner, joined in ((links, 2), (swapped, 3)):
        last = (("sep_conv_3x3", joined, 4), ("skip_connect", 0, 4))
        cell = Cell("normal_0", (*inner, *last), (2, 3, 4))
        found.append(encoder()(LAYOUT.graph((cell, reduce), CPU)))
    torch.testing.assert_close(found[0][[0, 1, 2, 3, 4]], found[1][[0, 1, 3, 2, 4]])
    assert not torch.allclose(found[0][2], found[0][3])


@pytest.mark.parametrize("by", ["nodes", "architecture"])
def test_the_gate_gives_logits_for_every_connection(by):
    gate = Gate(LAYOUT, GateSettings(by=by), 4).eval()
    graph = LAYOUT.graph(SPACE.random_sample(np.random.default_rng(0)).genotype.cells, CPU)
    assert gate(graph).shape == (sum(graph.sizes), 4) == (10, 4)


@pytest.mark.parametrize("renew", ["new", "last-layer", "all"])
def test_a_gate_renews_what_it_is_told_to_when_a_block_is_added(renew):
    gate = Gate(LAYOUT, GateSettings(by="nodes", renew=renew), 3)
    before = {name: value.clone() for name, value in gate.state_dict().items()}
    gate.add_block(2, 1)
    changed = {name for name, value in gate.state_dict().items() if not torch.equal(value, before[name])}
    layers = {"last.weight", "last.bias"}
    assert layers <= changed
    assert (changed - layers != set()) == (renew == "all")
    assert not any(name.startswith("encoder") for name in changed)
    if renew == "new":
        assert torch.equal(gate.last.weight[:2], before["last.weight"][:2])
        torch.testing.assert_close(gate.last.weight[2] - before["last.weight"][2], before["last.weight"][1])


def test_blocks_are_drawn_with_the_probabilities_of_the_logits():
    logits = torch.tensor([0.5, 0.2, 0.3]).log().repeat(20_000, 1)
    torch.manual_seed(0)
    (choice,) = choose(logits, 5.0, [20_000], training=True)
    shares = np.bincount(choice.blocks) / 20_000
    assert np.abs(shares - [0.5, 0.2, 0.3]).max() < 0.015


def test_the_gradient_of_a_choice_is_that_of_its_probability():
    logits = torch.randn(6, 3, generator=torch.Generator().manual_seed(0)).double().requires_grad_()
    torch.manual_seed(1)
    first, second = choose(logits, 2.0, [4, 2], training=True)
    assert (len(first.blocks), len(second.blocks)) == (4, 2)
    weights = torch.stack([*first.weights, *second.weights])
    assert torch.equal(weights, torch.ones(6, dtype=torch.float64))
    factors = torch.arange(1.0, 7.0).double()
    (weights * factors).sum().backward()
    torch.manual_seed(1)
    gumbel = -torch.empty(6, 3).exponential_().log()
    p = torch.softmax((logits.detach() + gumbel) / 2.0, 1)
    for row, block in enumerate([*first.blocks, *second.blocks]):
        slope = p[row, block] * (torch.eye(3)[block] - p[row]) / 2.0
        torch.testing.assert_close(logits.grad[row], factors[row] * slope)


def test_without_training_the_most_likely_block_is_taken():
    logits = torch.tensor([[0.0, 2.0], [1.0, 0.0], [0.0, 0.1]])
    first, second = choose(logits, 5.0, [1, 2], training=False)
    assert [first.blocks, second.blocks] == [[1], [0, 1]]
    assert first.weights is None
