"""A policy for any space: a distribution of its own for every decision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from awnas_controllers.reinforcement.policy import FORBIDDEN, Policy, Scores, choose, draw, gumbel
from awnas_controllers.reinforcement.stepper import array_of
from awnas_core.decisions import Codes, Decisions
from awnas_core.errors import ConfigError

if TYPE_CHECKING:
    from awnas_controllers.reinforcement.networks import ControllerNetwork

ROUNDS = 200
"""Times that architectures are drawn anew which break a rule of the space."""


@dataclass(frozen=True, slots=True)
class DecisionPlan:
    """All decisions of a space as one group, in their order.

    Args:
        decisions: The decisions.
    """

    decisions: Decisions

    @property
    def group_names(self) -> tuple[str, ...]:
        """The one group."""
        return ("decisions",)

    def write(self, actions: npt.NDArray[np.int64], codes: Codes) -> None:
        """Write ``actions``, shape ``(n, 1, D)``, into the codes of n architectures, shape ``(n, D)``."""
        codes[:] = actions[:, 0]

    def read(self, codes: Codes) -> npt.NDArray[np.int64]:
        """Return the actions, shape ``(n, 1, D)``, that lead to architectures."""
        return codes[:, None]


class IndependentPolicy(Policy):
    """Logits for the choices of each of D decisions, whatever the others are.

    Decisions that others make inactive are not made: they have log-probability and entropy 0. What breaks a rule of the
    space is drawn anew, which the log-probabilities do not see.

    Args:
        network: The shaping of logits.
        plan: What to decide.
    """

    def __init__(self, network: ControllerNetwork, plan: DecisionPlan) -> None:
        super().__init__()
        self.network = network
        self.plan = plan
        counts = torch.from_numpy(plan.decisions.cardinalities)
        self.logits = nn.Parameter(torch.empty(len(counts), int(counts.max())))
        self.missing: Tensor
        self.register_buffer("missing", torch.arange(int(counts.max())) >= counts[:, None], persistent=False)

    def sample(self, n: int, rng: np.random.Generator) -> Tensor:
        """Draw n architectures; actions of shape ``(n, 1, D)``, on the CPU.

        Raises: ConfigError when the rules of the space leave next to nothing of what the policy draws.
        """
        decisions = self.plan.decisions
        codes = self._draw(n, rng)
        for _ in range(ROUNDS):
            broken = (
                np.zeros(0, dtype=np.int64)
                if decisions.valid is None
                else np.flatnonzero(~decisions.valid(codes))
            )
            if not len(broken):
                return torch.from_numpy(codes[:, None])
            codes[broken] = self._draw(len(broken), rng)
        raise ConfigError(
            f"the policy drew no valid architecture in {ROUNDS} rounds; the rules of the space are too tight"
        )

    def score(self, actions: Tensor) -> Scores:
        """Return log-probabilities and entropies of ``actions``; all of shape ``(n, 1, D)``."""
        log_probs, entropies = choose(self._shaped().expand(len(actions), 1, -1, -1), actions)
        active = torch.from_numpy(self.plan.decisions.active(actions[:, 0].cpu().numpy())[:, None])
        active = active.to(self.device)
        return torch.where(active, log_probs, 0.0), torch.where(active, entropies, 0.0)

    def _draw(self, n: int, rng: np.random.Generator) -> Codes:
        logits = array_of(self._shaped())
        noise = gumbel((n * len(logits), logits.shape[1]), rng)
        codes = draw(np.tile(logits, (n, 1)), noise).reshape(n, -1)
        return np.where(self.plan.decisions.active(codes), codes, 0)

    def _shaped(self) -> Tensor:
        return self.network.shape(self.logits, self.network.op_constant).masked_fill(self.missing, FORBIDDEN)
