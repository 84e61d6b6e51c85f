"""How many architectures a second the controllers propose and learn from, beside a plain policy in the same run.

    python benchmarks/controllers.py

The plain policy is what one would write first: an ``nn.LSTMCell`` walks over the decisions of one architecture, keeps
the graph, and the update back-propagates through it. One thread; medians, so that other work on the machine shows less.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import nn

from awnas_controllers.random_sample import RandomSampleController
from awnas_controllers.reinforcement.agents import PolicyGradientAgent
from awnas_controllers.reinforcement.controller import RlController
from awnas_controllers.reinforcement.networks import AnchorLstm, ControllerNetwork, EmbedLstm
from awnas_core import Evaluation
from awnas_core.roles.controller import Controller
from awnas_spaces.cnn import CnnSpace

BATCH = 100
SPACE = CnnSpace()


class PlainPolicy(nn.Module):
    """The design of ``embed_lstm``, one decision of one architecture at a time."""

    def __init__(self, hidden: int = 64) -> None:
        super().__init__()
        self.primitives = len(SPACE.primitives_of(0))
        nodes = SPACE.num_init_nodes + SPACE.steps_of(0) - 1
        self.cell = nn.LSTMCell(hidden, hidden)
        self.node_embedding = nn.Embedding(nodes, hidden)
        self.op_embedding = nn.Embedding(self.primitives, hidden)
        self.key, self.query = (nn.Linear(hidden, hidden, bias=False) for _ in range(2))
        self.attention = nn.Linear(hidden, 1, bias=False)
        self.op_head = nn.Linear(hidden, self.primitives, bias=False)

    def forward(self) -> tuple[list[int], torch.Tensor, torch.Tensor]:
        """Return the actions of one architecture, and the sums of log-probabilities and entropies."""
        actions, log_probs, entropies = [], [], []
        for logits_of, embedding in self._decisions():
            logits = logits_of()
            distribution = torch.distributions.Categorical(logits=1.1 * torch.tanh(logits))
            action = distribution.sample()
            actions.append(int(action))
            log_probs.append(distribution.log_prob(action))
            entropies.append(distribution.entropy())
            self.x = embedding(action)
        return actions, torch.cat(log_probs).sum(), torch.cat(entropies).sum()

    def _decisions(self) -> Iterator[tuple[Callable[[], torch.Tensor], nn.Module]]:
        for group in range(SPACE.num_cell_groups):
            self.x = torch.zeros(1, self.cell.input_size)
            self.state = self.x, self.x
            for step in range(SPACE.steps_of(group)):
                reachable = SPACE.num_init_nodes + step
                for _ in range(SPACE.num_node_inputs):
                    yield lambda n=reachable: self._node_logits(n), self.node_embedding
                for _ in range(SPACE.num_node_inputs):
                    yield lambda: self.op_head(self._step()), self.op_embedding

    def _node_logits(self, reachable: int) -> torch.Tensor:
        keys = self.key(self.node_embedding.weight[:reachable])
        return self.attention(torch.tanh(keys + self.query(self._step()))).T

    def _step(self) -> torch.Tensor:
        self.state = self.cell(self.x, self.state)
        return self.state[0]


def rl(network: type[ControllerNetwork]) -> RlController:
    """Return the controller with a network of its default size."""
    return RlController(
        SPACE,
        np.random.default_rng(0),
        controller_network=network(np.random.default_rng(1)),
        rl_agent=PolicyGradientAgent(),
    )


def learn_from_one(controller: Controller) -> None:
    """Sample one architecture and learn from it."""
    (rollout,) = controller.sample(1)
    controller.step([rollout.record(Evaluation(perf={"reward": 0.5}))])


def plain_update(policy: PlainPolicy, optimizer: torch.optim.Optimizer) -> None:
    """Do the same with the plain policy."""
    actions, log_prob, entropy = policy()
    SPACE.rollout(tuple(actions))
    optimizer.zero_grad(set_to_none=True)
    (-0.5 * log_prob - 0.01 * entropy).backward()
    optimizer.step()


def rate(call: Callable[[], object], items: int, seconds: float = 2.0) -> float:
    """Items a second: ``items`` over the median time of ``call``."""
    call()
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return items / statistics.median(times)


def main() -> None:
    """Measure and print a table."""
    torch.set_num_threads(1)
    policy = PlainPolicy()
    optimizer = torch.optim.Adam(policy.parameters(), lr=0.001)
    sampling = rate(lambda: SPACE.rollout(tuple(policy()[0])), 1)
    updating = rate(lambda: plain_update(policy, optimizer), 1)
    random_sample = RandomSampleController(SPACE, np.random.default_rng(0))
    embed, anchor = rl(EmbedLstm), rl(AnchorLstm)
    rows = [
        ("plain policy, one by one", sampling, sampling),
        (f"rl embed-lstm, sample({BATCH})", rate(lambda: embed.sample(BATCH), BATCH), sampling),
        (f"rl anchor-lstm, sample({BATCH})", rate(lambda: anchor.sample(BATCH), BATCH), sampling),
        (f"random-sample, sample({BATCH})", rate(lambda: random_sample.sample(BATCH), BATCH), sampling),
        ("plain policy, sample and update", updating, updating),
        ("rl embed-lstm, sample(1) + step(1)", rate(lambda: learn_from_one(embed), 1), updating),
        ("rl anchor-lstm, sample(1) + step(1)", rate(lambda: learn_from_one(anchor), 1), updating),
    ]
    print(f"{'':36} {'a second':>10} {'ratio':>8}")
    for name, value, beside in rows:
        print(f"{name:36} {value:10.0f} {value / beside:8.1f}")


if __name__ == "__main__":
    main()
