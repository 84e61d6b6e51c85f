"""The agents on a bandit, where every gradient can be written down."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from awnas_controllers.reinforcement.agents import PolicyGradientAgent, PpoAgent


class Arms(nn.Module):
    """One decision: the logits are the parameters."""

    def __init__(self, logits=(0.3, -0.4)):
        super().__init__()
        self.logits = nn.Parameter(torch.tensor(logits, dtype=torch.float64))

    def score(self, actions):
        log_probs = torch.log_softmax(self.logits, 0)
        entropy = -(log_probs.exp() * log_probs).sum()
        return log_probs[actions], entropy.expand(actions.shape)

    @property
    def values(self):
        return self.logits.detach().numpy().copy()

    @property
    def p(self):
        return torch.softmax(self.logits, 0).detach().numpy()


def learn(agent, arms, actions, rewards, optimizer=None):
    optimizer = optimizer or torch.optim.SGD(arms.parameters(), lr=1.0)
    chosen = torch.tensor(actions).reshape(-1, 1, 1)
    return agent.learn([arms], [chosen], np.array(rewards, dtype=float), optimizer)


def with_baseline(agent, value):
    agent.load_state({"baselines": [np.array([value])]})
    return agent


def test_the_gradient_is_the_score_function_estimate_with_an_entropy_bonus():
    arms = Arms()
    agent = with_baseline(PolicyGradientAgent(entropy_coeff=0.1), 0.5)
    p, before = arms.p, arms.values
    actions, rewards = [0, 1, 1], [2.0, 1.0, -1.0]
    loss = learn(agent, arms, actions, rewards)["loss"]
    entropy = -(p * np.log(p)).sum()
    score = np.mean([(np.eye(2)[a] - p) * (r - 0.5) for a, r in zip(actions, rewards, strict=True)], axis=0)
    entropy_gradient = -p * (np.log(p) + entropy)
    np.testing.assert_allclose(arms.values - before, score + 0.1 * entropy_gradient, rtol=1e-6)
    expected = (
        -np.mean([np.log(p[a]) * (r - 0.5) for a, r in zip(actions, rewards, strict=True)]) - 0.1 * entropy
    )
    assert loss == pytest.approx(expected)


@pytest.mark.parametrize(
    "agent", [PolicyGradientAgent(), PpoAgent(np.random.default_rng(0))], ids=["pg", "ppo"]
)
def test_the_better_arm_is_learnt_from_noisy_rewards(agent):
    arms, rng = Arms((0.0, 0.0)), np.random.default_rng(1)
    optimizer = torch.optim.SGD(arms.parameters(), lr=0.1)
    for _ in range(300):
        actions = rng.choice(2, size=8, p=arms.p)
        learn(agent, arms, actions.tolist(), 0.3 * actions + rng.normal(0, 0.3, 8), optimizer)
    assert arms.p[1] > 0.9


def test_the_first_baseline_is_the_mean_of_its_batch():
    arms = Arms()
    before = arms.values
    agent = PolicyGradientAgent(entropy_coeff=0.0, alpha=0.9)
    learn(agent, arms, [0], [7.0])
    np.testing.assert_array_equal(arms.values, before)  # a single sample has no advantage over itself
    learn(agent, arms, [1], [17.0])
    np.testing.assert_allclose(arms.values - before, (np.array([0, 1]) - Arms().p) * 10, rtol=1e-6)
    assert agent.state()["baselines"][0] == pytest.approx(0.9 * 7 + 0.1 * 17)


def test_earlier_decisions_are_worth_the_discounted_reward():
    agent = with_baseline(PolicyGradientAgent(gamma=0.5), 0.0)
    (advantages,) = agent.advantages([torch.zeros(2, 1, 3, dtype=torch.int64)], np.array([4.0, 8.0]))
    assert advantages.tolist() == [[[1, 2, 4]], [[2, 4, 8]]]


@pytest.mark.parametrize(
    "agent",
    [
        PolicyGradientAgent(max_grad_norm=0.01),
        PpoAgent(np.random.default_rng(0), max_grad_norm=0.01, update_epochs=1),
    ],
    ids=["pg", "ppo"],
)
def test_gradients_are_clipped_to_their_norm(agent):
    arms = Arms()
    before = arms.values
    learn(with_baseline(agent, 0.0), arms, [0], [100.0])
    assert np.linalg.norm(arms.values - before) == pytest.approx(0.01, rel=1e-4)


def ppo(**options):
    return with_baseline(PpoAgent(np.random.default_rng(0), entropy_coeff=0.0, **options), 0.0)


def test_one_epoch_of_ppo_over_the_whole_batch_is_a_policy_gradient_step():
    by_ppo, by_pg = Arms(), Arms()
    stats = learn(ppo(update_epochs=1), by_ppo, [0, 1], [1.0, -1.0])
    learn(with_baseline(PolicyGradientAgent(entropy_coeff=0.0), 0.0), by_pg, [0, 1], [1.0, -1.0])
    np.testing.assert_allclose(by_ppo.values, by_pg.values, rtol=1e-6)
    assert stats["clipped"] == 0


def test_inner_epochs_of_ppo_weigh_by_the_ratio_to_the_policy_before():
    arms, reward, lr = Arms(), 0.5, 0.1
    learn(
        ppo(update_epochs=2, clip_param=10.0), arms, [0], [reward], torch.optim.SGD(arms.parameters(), lr=lr)
    )
    step_by_hand = Arms().values
    old = Arms().p[0]
    for _ in range(2):
        p = np.exp(step_by_hand) / np.exp(step_by_hand).sum()
        step_by_hand = step_by_hand + lr * reward * p[0] / old * (np.array([1, 0]) - p)
    np.testing.assert_allclose(arms.values, step_by_hand, rtol=1e-6)


def test_ppo_stops_where_the_ratio_leaves_the_clip_range():
    once, clipped, unclipped = Arms(), Arms(), Arms()
    learn(ppo(update_epochs=1, clip_param=0.05), once, [0], [1.0])
    stats = learn(ppo(update_epochs=5, clip_param=0.05), clipped, [0], [1.0])
    learn(ppo(update_epochs=5, clip_param=10.0), unclipped, [0], [1.0])
    np.testing.assert_allclose(clipped.values, once.values, rtol=1e-9)
    assert unclipped.p[0] > once.p[0] + 0.05
    assert stats["clipped"] == pytest.approx(4 / 5)


def test_minibatches_of_ppo_take_every_architecture_once_an_epoch():
    seen = []

    class Recorder(Arms):
        def score(self, actions):
            seen.append(actions.flatten().tolist())
            return super().score(actions)

    learn(ppo(update_epochs=3, minibatch_size=2), Recorder(tuple(range(5))), [0, 1, 2, 3, 4], [0.0] * 5)
    old, *updates = seen
    epochs = [updates[start : start + 3] for start in (0, 3, 6)]
    assert old == [0, 1, 2, 3, 4]
    assert [sorted(itertools.chain(*epoch)) for epoch in epochs] == [old] * 3
    assert len({str(epoch) for epoch in epochs}) > 1
