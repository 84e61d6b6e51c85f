"""The controller ``rl``: a policy that learns which architectures are good."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from awnas_controllers.learning import ADAM, LearningController
from awnas_controllers.reinforcement.agents import Agent
from awnas_controllers.reinforcement.networks import ControllerNetwork
from awnas_core.errors import CheckpointError, ConfigError
from awnas_core.options import Child
from awnas_core.roles.search_space import SearchSpace
from awnas_core.rollout import Purpose, Rollout


class RlController(LearningController):
    """Samples architectures from a policy and moves the policy towards those with a high reward.

    Recurrent policies decide cells (nodes, their inputs and primitives); the network ``independent`` is for any space.

    Proposals are drawn in batches without a graph; :meth:`step` scores the actions anew, so that nothing has to be kept
    for proposals whose evaluation is under way. Whatever the purpose, architectures are drawn from the policy.

    Args:
        independent_cell_group: A policy of its own for each cell group, instead of one for all.
        condition_hidden_cell_groups: The hidden state runs on from one cell group to the next.
        controller_network: Design of the policy.
        rl_agent: How it learns.

    Source: Zoph and Le, "Neural Architecture Search with Reinforcement Learning", ICLR 2017; Pham et al., "Efficient
    Neural Architecture Search via Parameter Sharing", ICML 2018.
    """

    def __init__(
        self,
        search_space: SearchSpace,
        rng: np.random.Generator,
        *,
        independent_cell_group: bool = False,
        condition_hidden_cell_groups: bool = False,
        controller_network: ControllerNetwork = Child("controller_network", "anchor_lstm"),
        rl_agent: Agent = Child("rl_agent", "pg"),
    ) -> None:
        self.check_options(
            {
                "independent_cell_group": independent_cell_group,
                "condition_hidden_cell_groups": condition_hidden_cell_groups,
            }
        )
        self.search_space = search_space
        self.rng = rng
        self.network = controller_network
        self.agent = rl_agent
        self.plans = controller_network.plans(
            search_space, independent=independent_cell_group, chained=condition_hidden_cell_groups
        )
        self.policies = [controller_network.policy(plan) for plan in self.plans]
        self.configure_optimizer(ADAM)

    @classmethod
    def check_options(cls, options: Mapping[str, Any]) -> None:
        """Refuse to condition policies on one another that are to be independent."""
        if options["independent_cell_group"] and options["condition_hidden_cell_groups"]:
            raise ConfigError(
                "independent_cell_group and condition_hidden_cell_groups exclude each other: independent policies "
                "share no hidden state; set one of them to false"
            )

    def learnable(self) -> list[nn.Parameter]:
        """Return the parameters of all policies."""
        return [parameter for policy in self.policies for parameter in policy.parameters()]

    def sample(self, n: int, purpose: Purpose = Purpose.PROPOSE) -> list[Rollout]:
        """Draw ``n`` architectures from the policy."""
        codes = np.zeros((n, len(self.search_space.decisions)), dtype=np.int64)
        if n > 0:
            for plan, policy in zip(self.plans, self.policies, strict=True):
                plan.write(policy.sample(n, self.rng).numpy(), codes)
        return self.search_space.rollouts(codes)

    def step(self, rollouts: Sequence[Rollout]) -> dict[str, float]:
        """Learn from all that have a finite reward; the others are passed over.

        Raises: ConfigError when an evaluation that went well lacks the perf to learn from.
        """
        learnt = [
            (rollout, reward) for rollout in rollouts if (reward := self.note_perf(rollout)) is not None
        ]
        if not learnt:
            return {}
        rewards = np.array([reward for _, reward in learnt])
        actions = self._actions([rollout for rollout, _ in learnt])
        return self.agent.learn(self.policies, actions, rewards, self.optimizer)

    @torch.no_grad()
    def summary(self, rollouts: Sequence[Rollout]) -> dict[str, float]:
        """Return for each cell group the mean log-probability and entropy of a whole cell, in nats."""
        values: dict[str, float] = {}
        for plan, policy, actions in zip(self.plans, self.policies, self._actions(rollouts), strict=True):
            log_probs, entropies = policy.score(actions)
            for group, name in enumerate(plan.group_names):
                values[f"{name}_log_prob"] = log_probs[:, group].sum(1).mean().item()
                values[f"{name}_entropy"] = entropies[:, group].sum(1).mean().item()
        return values

    @torch.no_grad()
    def log_probs(self, rollouts: Sequence[Rollout]) -> list[float]:
        """Return the log-probability of each whole architecture, in nats."""
        total = np.zeros(len(rollouts))
        for policy, actions in zip(self.policies, self._actions(rollouts), strict=True):
            total += policy.score(actions)[0].sum((1, 2)).double().cpu().numpy()
        return total.tolist()

    def state(self) -> dict[str, Any]:
        """Return the policies, what the agent and the network know, and the optimizer's state."""
        return {
            "policies": [copy.deepcopy(dict(policy.state_dict())) for policy in self.policies],
            "agent": self.agent.state(),
            "network": self.network.state(),
            "optimizer": self.scheduled.state(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state``.

        Raises: CheckpointError when it is of other networks, options or cells.
        """
        try:
            for policy, of_policy in zip(self.policies, state["policies"], strict=True):
                policy.load_state_dict(of_policy)
            self.agent.load_state(state["agent"])
            self.network.load_state(state["network"])
            self.scheduled.load_state(state["optimizer"])
        except (KeyError, RuntimeError, ValueError) as error:
            raise CheckpointError(
                f"the state is of another controller 'rl' (network, cell groups or optimizer differ): {error}"
            ) from error

    def _actions(self, rollouts: Sequence[Rollout]) -> list[Tensor]:
        codes = self.search_space.encode_codes(rollouts)
        return [
            torch.from_numpy(plan.read(codes)).to(policy.device)
            for plan, policy in zip(self.plans, self.policies, strict=True)
        ]
