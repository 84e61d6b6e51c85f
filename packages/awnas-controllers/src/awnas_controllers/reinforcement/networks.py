"""The policies of the controller ``rl``, as components of a config."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from torch import nn

from awnas_controllers.reinforcement.anchor_policy import AnchorPolicy
from awnas_controllers.reinforcement.embed_policy import EmbedPolicy
from awnas_controllers.reinforcement.independent import DecisionPlan, IndependentPolicy
from awnas_controllers.reinforcement.plan import CellPlan, plans_of
from awnas_controllers.reinforcement.policy import CellPolicy, Policy
from awnas_core.components import Component
from awnas_core.device import Device
from awnas_core.errors import ConfigError
from awnas_core.options import PositiveFloat, PositiveInt
from awnas_core.roles.search_space import SearchSpace
from awnas_torch.device import resolve
from awnas_torch.seeding import seeded

Logits = TypeVar("Logits", bound=Any)
INITIAL_BOUND = 0.1  # parameters start uniform in ±0.1, as in ENAS


class ControllerNetwork(Component, ABC):
    """Makes policies of one design, and shapes their logits as the schedules say."""

    schedulable = ("force_uniform", "softmax_temperature")

    def __init__(
        self,
        rng: np.random.Generator,
        device: Device,
        softmax_temperature: float | None,
        op_constant: float | None,
        force_uniform: bool,
    ) -> None:
        self.rng = rng
        self.device = device
        self.softmax_temperature = softmax_temperature
        self.op_constant = op_constant
        self.force_uniform = force_uniform

    @abstractmethod
    def plans(self, space: SearchSpace, *, independent: bool, chained: bool) -> Sequence[Any]:
        """Return what each policy of a space decides.

        Args:
            space: The search space.
            independent: A policy of its own for each cell group.
            chained: The hidden state runs on from one cell group to the next.

        Raises: ConfigError when policies of this design cannot decide it.
        """

    @abstractmethod
    def design(self, plan: Any) -> Policy:
        """Return a policy for one of :meth:`plans`, its parameters whatever torch makes of them."""

    def policy(self, plan: Any) -> Policy:
        """Return a policy for ``plan`` on the device, every parameter drawn from U(−0.1, 0.1)."""
        with seeded(self.rng):
            policy = self.design(plan)
            for parameter in policy.parameters():
                nn.init.uniform_(parameter, -INITIAL_BOUND, INITIAL_BOUND)
        return policy.to(resolve(self.device).torch_device)

    def shape(self, logits: Logits, constant: float | None) -> Logits:
        """Return ``logits`` tempered and bounded to ±``constant``, or zeros where the policy is forced uniform.

        Args:
            logits: A tensor or a numpy array.
            constant: c; None leaves them unbounded.
        """
        library: Any = np if isinstance(logits, np.ndarray) else torch
        if self.force_uniform:
            logits = library.zeros_like(logits)
            return logits
        if self.softmax_temperature is not None:
            logits = logits / self.softmax_temperature
        return logits if constant is None else constant * library.tanh(logits)


class LstmNetwork(ControllerNetwork, ABC):
    """Makes recurrent policies over the decisions of cells.

    Args:
        num_lstm_layers: Stacked LSTM layers.
        controller_hid: Hidden units, and the size of embeddings.
        attention_hid: Units of the attention over nodes.
        softmax_temperature: Logits are divided by it; None leaves them.
        tanh_constant: Logits ℓ become c·tanh(ℓ), which keeps early policies exploring; None leaves them.
        op_tanh_reduce: For primitives c is smaller by this factor.
        force_uniform: Every choice is equally likely; nothing is learnt meanwhile.

    Source: Pham et al., "Efficient Neural Architecture Search via Parameter Sharing", ICML 2018; the shaping of logits
    is that of Bello et al., "Neural Combinatorial Optimization with Reinforcement Learning", 2017.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        device: Device = Device(),
        *,
        num_lstm_layers: PositiveInt = 1,
        controller_hid: PositiveInt = 64,
        attention_hid: PositiveInt = 64,
        softmax_temperature: PositiveFloat | None = None,
        tanh_constant: PositiveFloat | None = 1.1,
        op_tanh_reduce: PositiveFloat = 2.5,
        force_uniform: bool = False,
    ) -> None:
        op_constant = None if tanh_constant is None else tanh_constant / op_tanh_reduce
        super().__init__(rng, device, softmax_temperature, op_constant, force_uniform)
        self.num_lstm_layers = num_lstm_layers
        self.controller_hid = controller_hid
        self.attention_hid = attention_hid
        self.node_constant = tanh_constant

    def plans(self, space: SearchSpace, *, independent: bool, chained: bool) -> tuple[CellPlan, ...]:
        """Return a plan of the cells of the space, or one for each group."""
        return plans_of(space, independent=independent, chained=chained)


class AnchorLstm(LstmNetwork):
    """A node is known by the hidden state after its making, as in the code published with ENAS."""

    def design(self, plan: CellPlan) -> CellPolicy:
        """Return an :class:`AnchorPolicy`."""
        return AnchorPolicy(self, plan)


class EmbedLstm(LstmNetwork):
    """A node is known by a learned embedding of its place; the faster one."""

    def design(self, plan: CellPlan) -> CellPolicy:
        """Return an :class:`EmbedPolicy`."""
        return EmbedPolicy(self, plan)


class Independent(ControllerNetwork):
    """A distribution of its own for every decision, for spaces of any kind.

    Args:
        softmax_temperature: Logits are divided by it; None leaves them.
        tanh_constant: Logits ℓ become c·tanh(ℓ), which bounds how sure the policy can get; None leaves them.
        force_uniform: Every choice is equally likely; nothing is learnt meanwhile.

    Source: Williams, "Simple statistical gradient-following algorithms for connectionist reinforcement learning",
    Machine Learning 1992; as a baseline of NAS-Bench-101 (Ying et al., ICML 2019) and -201 (Dong and Yang, ICLR 2020).
    """

    def __init__(
        self,
        rng: np.random.Generator,
        device: Device = Device(),
        *,
        softmax_temperature: PositiveFloat | None = None,
        tanh_constant: PositiveFloat | None = None,
        force_uniform: bool = False,
    ) -> None:
        super().__init__(rng, device, softmax_temperature, tanh_constant, force_uniform)

    def plans(self, space: SearchSpace, *, independent: bool, chained: bool) -> tuple[DecisionPlan, ...]:
        """Return one plan of all decisions.

        Raises: ConfigError when cell groups are to be told apart.
        """
        if independent or chained:
            raise ConfigError(
                "the network 'independent' knows no cell groups: leave out independent_cell_group and "
                "condition_hidden_cell_groups"
            )
        return (DecisionPlan(space.decisions),)

    def design(self, plan: DecisionPlan) -> Policy:
        """Return an :class:`IndependentPolicy`."""
        return IndependentPolicy(self, plan)
