"""How a policy learns from rewards: REINFORCE and proximal policy optimization."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from awnas_controllers.reinforcement.policy import Policy
from awnas_core.components import Component
from awnas_core.options import Fraction, NonNegativeFloat, PositiveFloat, PositiveInt

Rewards = npt.NDArray[np.float64]


class Agent(Component, ABC):
    """Turns rewards into advantages over a moving-average baseline, and those into updates of policies.

    Args:
        alpha: How much of the baseline is kept at each step.
        gamma: Discount: the decision k places before the last is worth γ^k of the reward.
        entropy_coeff: Weight of the entropy bonus; larger explores longer.
        max_grad_norm: Gradients of a policy are clipped to this norm; None leaves them.
    """

    def __init__(
        self,
        *,
        alpha: Fraction = 0.999,
        gamma: Fraction = 1.0,
        entropy_coeff: float = 0.01,
        max_grad_norm: PositiveFloat | None = None,
    ) -> None:
        self.alpha = alpha
        self.gamma = gamma
        self.entropy_coeff = entropy_coeff
        self.max_grad_norm = max_grad_norm
        self.baselines: list[Rewards] = []  # of each policy, one value for each of its decisions

    @abstractmethod
    def learn(
        self,
        policies: Sequence[Policy],
        actions: Sequence[Tensor],
        rewards: Rewards,
        optimizer: torch.optim.Optimizer | None,
    ) -> dict[str, float]:
        """Improve policies by what n architectures were worth.

        Args:
            policies: Together they decided the architectures.
            actions: What each policy decided, shape ``(n, G, T)``.
            rewards: Shape ``(n,)``, larger is better.
            optimizer: Of the parameters of all policies; None changes the baseline only.

        Returns: ``"loss"``, the mean over the policies, and what else is worth logging.
        """

    def state(self) -> dict[str, Any]:
        """Return the baselines."""
        return {"baselines": [baseline.copy() for baseline in self.baselines]}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take up the baselines."""
        self.baselines = [np.array(baseline, dtype=np.float64) for baseline in state["baselines"]]

    def advantages(self, actions: Sequence[Tensor], rewards: Rewards) -> list[Tensor]:
        """Return by how much returns exceed the baseline of each decision, and move the baselines.

        The very first baseline is the mean return of its own batch; later ones are those from before the batch.
        """
        returns = [self._returns(rewards, of_policy[0].numel()) for of_policy in actions]
        means = [of_policy.mean(axis=0) for of_policy in returns]
        before = self.baselines or means
        self.baselines = [
            self.alpha * b + (1 - self.alpha) * mean for b, mean in zip(before, means, strict=True)
        ]
        return [
            torch.as_tensor(of_policy - b, dtype=torch.float32).to(chosen.device).reshape(chosen.shape)
            for of_policy, b, chosen in zip(returns, before, actions, strict=True)
        ]

    def _returns(self, rewards: Rewards, decisions: int) -> Rewards:
        """Return γ^(T−1−t)·r for each decision t of T, shape ``(n, T)``."""
        return rewards[:, None] * self.gamma ** np.arange(decisions - 1, -1, -1)

    def _update(
        self,
        policies: Sequence[Policy],
        losses: Sequence[Tensor],
        optimizer: torch.optim.Optimizer | None,
    ) -> float:
        """Take one optimizer step on all losses and return their mean."""
        total = sum(losses[1:], losses[0])
        if optimizer is not None and total.requires_grad:  # a policy that is forced uniform has no gradient
            optimizer.zero_grad(set_to_none=True)
            total.backward()
            if self.max_grad_norm is not None:
                for policy in policies:
                    nn.utils.clip_grad_norm_(policy.parameters(), self.max_grad_norm)
            optimizer.step()
        return total.item() / len(losses)


class PolicyGradientAgent(Agent):
    """One step on the score-function estimate of the gradient.

    Loss: the mean over architectures of Σ_t −log π(a_t)·A_t − c·H_t, with advantages A, entropies H and the entropy
    coefficient c.

    Source: Williams, "Simple Statistical Gradient-Following Algorithms for Connectionist Reinforcement Learning",
    Machine Learning 1992.
    """

    def learn(
        self,
        policies: Sequence[Policy],
        actions: Sequence[Tensor],
        rewards: Rewards,
        optimizer: torch.optim.Optimizer | None,
    ) -> dict[str, float]:
        """Take one step."""
        losses = []
        for policy, chosen, advantage in zip(
            policies, actions, self.advantages(actions, rewards), strict=True
        ):
            log_probs, entropies = policy.score(chosen)
            losses.append(-(log_probs * advantage + self.entropy_coeff * entropies).sum((1, 2)).mean())
        return {"loss": self._update(policies, losses, optimizer)}


class PpoAgent(Agent):
    """Several epochs over a batch, each decision's ratio to the policy before them kept near 1.

    Loss: the mean over architectures of Σ_t −min(ρ_t·A_t, clip(ρ_t, 1 − ε, 1 + ε)·A_t) − c·H_t with the ratio
    ρ_t = π(a_t) / π_old(a_t); π_old is the policy at the beginning of the step.

    Args:
        alpha: How much of the baseline is kept at each step.
        gamma: Discount: the decision k places before the last is worth γ^k of the reward.
        entropy_coeff: Weight of the entropy bonus; larger explores longer.
        max_grad_norm: Gradients of a policy are clipped to this norm; None leaves them.
        clip_param: ε.
        update_epochs: Passes over the batch in one step.
        minibatch_size: Architectures in one update; None takes the whole batch.

    Source: Schulman et al., "Proximal Policy Optimization Algorithms", 2017, equation 7.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        *,
        alpha: Fraction = 0.999,
        gamma: Fraction = 1.0,
        entropy_coeff: float = 0.01,
        max_grad_norm: PositiveFloat | None = None,
        clip_param: NonNegativeFloat = 0.2,
        update_epochs: PositiveInt = 4,
        minibatch_size: PositiveInt | None = None,
    ) -> None:
        super().__init__(alpha=alpha, gamma=gamma, entropy_coeff=entropy_coeff, max_grad_norm=max_grad_norm)
        self.rng = rng
        self.clip_param = clip_param
        self.update_epochs = update_epochs
        self.minibatch_size = minibatch_size

    def learn(
        self,
        policies: Sequence[Policy],
        actions: Sequence[Tensor],
        rewards: Rewards,
        optimizer: torch.optim.Optimizer | None,
    ) -> dict[str, float]:
        """Take one step for each minibatch of each epoch; losses and clipped fractions are means over them."""
        advantages = self.advantages(actions, rewards)
        with torch.no_grad():
            old = [policy.score(chosen)[0] for policy, chosen in zip(policies, actions, strict=True)]
        updates = []
        for _ in range(self.update_epochs):
            for members in self._minibatches(len(rewards)):
                parts = [
                    self._loss(policy, chosen[members], before[members], advantage[members])
                    for policy, chosen, before, advantage in zip(
                        policies, actions, old, advantages, strict=True
                    )
                ]
                loss = self._update(policies, [part[0] for part in parts], optimizer)
                updates.append((loss, sum(part[1] for part in parts) / len(parts)))
        loss, clipped = np.mean(updates, axis=0).tolist()
        return {"loss": loss, "clipped": clipped}

    def _minibatches(self, n: int) -> list[Tensor]:
        """Return the members of each minibatch, in a random order where there are several."""
        size = self.minibatch_size or n
        order = self.rng.permutation(n) if size < n else np.arange(n)
        return list(torch.from_numpy(order).split(size))

    def _loss(
        self, policy: Policy, actions: Tensor, old_log_probs: Tensor, advantages: Tensor
    ) -> tuple[Tensor, float]:
        """Return the loss of a minibatch, and the fraction of its decisions whose ratio was clipped."""
        log_probs, entropies = policy.score(actions)
        ratios = (log_probs - old_log_probs).exp()
        bounded = ratios.clamp(1 - self.clip_param, 1 + self.clip_param)
        surrogate = torch.minimum(ratios * advantages, bounded * advantages)
        loss = -(surrogate + self.entropy_coeff * entropies).sum((1, 2)).mean()
        return loss, (ratios != bounded).float().mean().item()
