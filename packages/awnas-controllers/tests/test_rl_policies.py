"""The two recurrent policies against a plain numpy walk over the decisions of one architecture."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from awnas_controllers.reinforcement.plan import plans_of

SHARED = (("a", "b", "c"), ("a", "b", "c"))
DIFFERENT = (("a", "b"), ("c", "b", "d"))
CASES = {
    "plain": {},
    "two layers": {"num_lstm_layers": 2},
    "temperature": {"softmax_temperature": 0.3},
    "no tanh": {"tanh_constant": None},
    "other constants": {"tanh_constant": 2.5, "op_tanh_reduce": 1.5},
    "odd sizes": {"controller_hid": 5, "attention_hid": 3},
}


def policy_of(network, space, chained=False, **options):
    policy = network(np.random.default_rng(5), **options).policy(plans_of(space, chained=chained)[0])
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.mul_(12)  # far from uniform, so that every term matters
    return policy


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class Walk:
    """Takes the decisions of one architecture one by one, in double precision, as the papers describe them."""

    def __init__(self, policy, *, use_anchors):
        self.w = {name: value.double().numpy() for name, value in policy.state_dict().items()}
        self.plan, self.network, self.use_anchors = policy.plan, policy.network, use_anchors
        self.layers = sum(name.startswith("lstm.weight_ih") for name in self.w)
        self.log_probs, self.entropies = [], []
        self.reset()

    def reset(self):
        size = self.w["op_head"].shape[1]
        self.h, self.c = np.zeros((self.layers, size)), np.zeros((self.layers, size))

    def step(self, x):
        for layer in range(self.layers):
            w_ih, w_hh, b_ih, b_hh = (
                self.w[f"lstm.{name}_l{layer}"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            )
            i, f, g, o = np.split(w_ih @ x + b_ih + w_hh @ self.h[layer] + b_hh, 4)
            self.c[layer] = sigmoid(f) * self.c[layer] + sigmoid(i) * np.tanh(g)
            self.h[layer] = sigmoid(o) * np.tanh(self.c[layer])
            x = self.h[layer]
        return x.copy()

    def choose(self, logits, action, constant):
        if self.network.softmax_temperature is not None:
            logits = logits / self.network.softmax_temperature
        if constant is not None:
            logits = constant * np.tanh(logits)
        p = np.exp(logits) / np.exp(logits).sum()
        self.log_probs.append(math.log(p[action]))
        self.entropies.append(-(p * np.log(p)).sum())

    def node(self, h, keys, action):
        logits = np.array([self.w["attention"] @ np.tanh(key + self.w["query"] @ h) for key in keys])
        self.choose(logits, action, self.network.node_constant)

    def op(self, h, group, action):
        rows = list(self.plan.rows[group])
        constant = self.network.op_constant
        self.choose(self.w["op_head"][rows] @ h, rows.index(action), constant)
        return self.w["op_embedding"][action]

    def cell(self, group, actions):
        actions, per_node = iter(actions), self.plan.num_node_inputs
        if self.use_anchors:
            self._anchored(group, actions, per_node)
        else:
            self._embedded(group, actions, per_node)

    def _embedded(self, group, actions, per_node):
        table = self.w["node_embedding"]
        x = np.zeros(table.shape[1])
        for step in range(self.plan.num_steps):
            keys = [self.w["key"] @ row for row in table[: self.plan.num_init_nodes + step]]
            for _ in range(per_node):
                action = next(actions)
                self.node(self.step(x), keys, action)
                x = table[action]
            for _ in range(per_node):
                x = self.op(self.step(x), group, next(actions))

    def _anchored(self, group, actions, per_node):
        start = self.w["start"]
        anchors, keys = [], []
        for _ in range(self.plan.num_init_nodes):
            keys.append(self.w["key"] @ self.step(start))
            anchors.append(np.zeros_like(start))
        for _ in range(self.plan.num_steps):
            x = start
            for _ in range(per_node):
                action = next(actions)
                self.node(self.step(x), keys, action)
                x = anchors[action]
            for _ in range(per_node):
                x = self.op(self.step(x), group, next(actions))
            anchors.append(self.step(x))
            keys.append(self.w["key"] @ anchors[-1])


def reference(policy, actions, *, use_anchors):
    """Log-probabilities and entropies of one architecture's actions, shape (G, T)."""
    walk = Walk(policy, use_anchors=use_anchors)
    for group, of_group in enumerate(actions.tolist()):
        if not policy.plan.chained:
            walk.reset()
        walk.cell(group, of_group)
    return np.reshape(walk.log_probs, actions.shape), np.reshape(walk.entropies, actions.shape)


@pytest.mark.parametrize("chained", [False, True])
@pytest.mark.parametrize("primitives", [SHARED, DIFFERENT])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", ["anchor", "embed"])
def test_scores_equal_a_walk_step_by_step(name, case, primitives, chained, networks, cells):
    policy = policy_of(networks[name], cells(primitives, steps=(3, 3)), chained, **CASES[case])
    actions = policy.sample(6, np.random.default_rng(1))
    log_probs, entropies = policy.score(actions)
    for row, of_one in enumerate(actions):
        expected = reference(policy, of_one, use_anchors=name == "anchor")
        np.testing.assert_allclose(log_probs[row].detach(), expected[0], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(entropies[row].detach(), expected[1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("chained", [False, True])
@pytest.mark.parametrize("options", [{}, {"num_lstm_layers": 2}])
@pytest.mark.parametrize("primitives", [(("a", "b"), ("a", "b")), (("a", "b"), ("c", "b"))])
@pytest.mark.parametrize("name", ["anchor", "embed"])
def test_architectures_are_drawn_as_often_as_their_scores_say(
    name, primitives, options, chained, networks, cells
):
    space = cells(primitives, num_node_inputs=1)
    policy = policy_of(networks[name], space, chained, controller_hid=8, attention_hid=8, **options)
    everything = np.concatenate(list(space.decisions.enumerate()))
    probabilities = policy.score(torch.from_numpy(policy.plan.read(everything)))[0].detach().sum((1, 2)).exp()
    assert probabilities.sum().item() == pytest.approx(1, abs=1e-5)
    n = 40_000
    codes = np.zeros((n, len(space.decisions)), dtype=np.int64)
    policy.plan.write(policy.sample(n, np.random.default_rng(2)).numpy(), codes)
    number = {tuple(row): i for i, row in enumerate(everything.tolist())}
    counts = np.bincount([number[tuple(row)] for row in codes.tolist()], minlength=len(everything))
    expected = n * probabilities.numpy().astype(float)
    often = expected > 5
    chi_squared = ((counts - expected)[often] ** 2 / expected[often]).sum()
    assert chi_squared < often.sum() + 5 * math.sqrt(2 * often.sum())
    assert counts[~often].sum() < expected[~often].sum() + 5 * math.sqrt(expected[~often].sum() + 1)


@pytest.mark.parametrize("name", ["anchor", "embed"])
def test_a_policy_forced_uniform_has_the_entropy_of_the_choices(name, networks, cells):
    policy = policy_of(networks[name], cells((("a", "b", "c"), ("b", "c", "d", "e"))), force_uniform=True)
    log_probs, entropies = policy.score(policy.sample(3, np.random.default_rng(0)))
    choices = torch.tensor([[2, 2, 3, 3, 3, 3, 3, 3], [2, 2, 4, 4, 3, 3, 4, 4]])
    torch.testing.assert_close(entropies, choices.log().expand(3, 2, 8))
    torch.testing.assert_close(log_probs, -entropies)


@pytest.mark.parametrize("name", ["anchor", "embed"])
def test_the_second_group_depends_on_the_first_only_when_chained(name, networks, cells):
    for chained in (False, True):
        policy = policy_of(networks[name], cells(), chained)
        first, second = policy.sample(2, np.random.default_rng(3))
        mixed = torch.stack([first[0], second[1]])
        alone, after_another = policy.score(torch.stack([second, mixed]))[0][:, 1]
        assert torch.allclose(alone, after_another) != chained


@pytest.mark.parametrize("name", ["anchor", "embed"])
def test_parameters_start_uniform_in_a_tenth(name, networks, cells):
    policy = networks[name](np.random.default_rng(5)).policy(plans_of(cells())[0])
    values = torch.cat([parameter.detach().flatten() for parameter in policy.parameters()])
    assert values.abs().max() <= 0.1
    assert values.std().item() == pytest.approx(0.2 / math.sqrt(12), rel=0.02)
    assert values.mean().item() == pytest.approx(0, abs=0.002)


def test_actions_and_codes_translate_into_each_other(cells):
    space = cells(DIFFERENT)
    (plan,) = plans_of(space)
    codes = space.sample_codes(50, np.random.default_rng(0))
    written = np.zeros_like(codes)
    plan.write(plan.read(codes), written)
    assert (written == codes).all()


def test_actions_are_per_node_its_inputs_and_then_their_primitives(cells):
    space = cells(DIFFERENT)
    (plan,) = plans_of(space)
    codes = space.sample_codes(20, np.random.default_rng(0))
    for arch, actions in zip(codes.tolist(), plan.read(codes), strict=True):
        for group, (from_nodes, ops) in enumerate(space.cells(arch)):
            names = [plan.vocabulary[a] for a in itertools.chain(actions[group, 2:4], actions[group, 6:8])]
            assert names == [DIFFERENT[group][op] for op in ops]
            assert [*actions[group, 0:2], *actions[group, 4:6]] == from_nodes
