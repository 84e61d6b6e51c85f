"""The controller ``rl``: a recurrent policy that learns which cells are good."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from awnas_controllers.reinforcement.agents import Agent
from awnas_controllers.reinforcement.networks import ControllerNetwork
from awnas_controllers.reinforcement.plan import plans_of
from awnas_core.errors import CheckpointError, ConfigError
from awnas_core.options import Child
from awnas_core.roles.controller import Controller
from awnas_core.roles.search_space import SearchSpace
from awnas_core.rollout import Purpose, Rollout
from awnas_torch.optim import build_optimizer, build_scheduler, scheduler_state, step_scheduler


class RlController(Controller):
    """Samples cells from a recurrent policy and moves the policy towards those with a high reward.

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
        self.plans = plans_of(
            search_space, independent=independent_cell_group, chained=condition_hidden_cell_groups
        )
        self.policies = [controller_network.policy(plan) for plan in self.plans]
        self._rewards: list[float] = []  # of this epoch
        self.configure_optimizer({"type": "Adam", "lr": 0.001})

    @classmethod
    def check_options(cls, options: Mapping[str, Any]) -> None:
        """Refuse to condition policies on one another that are to be independent."""
        if options["independent_cell_group"] and options["condition_hidden_cell_groups"]:
            raise ConfigError(
                "independent_cell_group and condition_hidden_cell_groups exclude each other: independent policies "
                "share no hidden state; set one of them to false"
            )

    def configure_optimizer(
        self,
        optimizer: Mapping[str, Any] | None,
        scheduler: Mapping[str, Any] | None = None,
        *,
        perf_name: str = "reward",
    ) -> None:
        """Take another optimizer than Adam with a learning rate of 0.001; None stops the learning.

        The scheduler moves on after each epoch; ``ReduceLROnPlateau`` is told the mean perf of the epoch, so give it
        ``mode: max``.
        """
        parameters = [parameter for policy in self.policies for parameter in policy.parameters()]
        self.optimizer = build_optimizer(optimizer, parameters)
        self.scheduler = build_scheduler(scheduler, self.optimizer)
        self.perf_name = perf_name

    def on_epoch_end(self, epoch: int) -> None:
        """Move the learning rate on."""
        super().on_epoch_end(epoch)
        step_scheduler(self.scheduler, float(np.mean(self._rewards)) if self._rewards else None)
        self._rewards = []

    def sample(self, n: int, purpose: Purpose = Purpose.PROPOSE) -> list[Rollout]:
        """Draw ``n`` architectures from the policy."""
        codes = np.zeros((n, len(self.search_space.decisions)), dtype=np.int64)
        if n > 0:
            for plan, policy in zip(self.plans, self.policies, strict=True):
                plan.write(policy.sample(n, self.rng).cpu().numpy(), codes)
        return self.search_space.rollouts(codes)

    def step(self, rollouts: Sequence[Rollout]) -> dict[str, float]:
        """Learn from all that have a finite reward; the others are passed over.

        Raises: ConfigError when an evaluation that went well lacks the perf to learn from.
        """
        learnt = [(rollout, reward) for rollout in rollouts if (reward := self._reward(rollout)) is not None]
        if not learnt:
            return {}
        rewards = np.array([reward for _, reward in learnt])
        self._rewards += rewards.tolist()
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

    def state(self) -> dict[str, Any]:
        """Return the policies, what the agent and the network know, and the optimizer's state."""
        return {
            "policies": [copy.deepcopy(dict(policy.state_dict())) for policy in self.policies],
            "agent": self.agent.state(),
            "network": self.network.state(),
            "optimizer": copy.deepcopy(self.optimizer.state_dict()) if self.optimizer else None,
            "scheduler": scheduler_state(self.scheduler),
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
            for part, of_part in ((self.optimizer, state["optimizer"]), (self.scheduler, state["scheduler"])):
                if part is not None and of_part is not None:
                    part.load_state_dict(copy.deepcopy(of_part))
        except (KeyError, RuntimeError, ValueError) as error:
            raise CheckpointError(
                f"the state is of another controller 'rl' (network, cell groups or optimizer differ): {error}"
            ) from error

    def _reward(self, rollout: Rollout) -> float | None:
        """Return what to learn from, None where there is nothing."""
        if rollout.status == "pending":
            raise ValueError(f"{rollout} is not evaluated yet; step takes evaluated rollouts")
        perf = rollout.perf
        if rollout.status == "ok" and self.perf_name not in perf:
            raise ConfigError(
                f"controller 'rl' is to learn from '{self.perf_name}', but only {', '.join(perf) or 'nothing'} was "
                "measured; set trainer_cfg.perf_name to one of these"
            )
        reward = perf.get(self.perf_name, math.nan)
        return reward if rollout.status != "failed" and math.isfinite(reward) else None

    def _actions(self, rollouts: Sequence[Rollout]) -> list[Tensor]:
        codes = self.search_space.encode_codes(rollouts)
        return [
            torch.from_numpy(plan.read(codes)).to(policy.op_head.device)
            for plan, policy in zip(self.plans, self.policies, strict=True)
        ]
