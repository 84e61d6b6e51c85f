"""The recurrent networks of the controller ``rl``, as components of a config."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from torch import Tensor, nn, tanh, zeros_like

from awnas_controllers.reinforcement.anchor_policy import AnchorPolicy
from awnas_controllers.reinforcement.embed_policy import EmbedPolicy
from awnas_controllers.reinforcement.plan import CellPlan
from awnas_controllers.reinforcement.policy import CellPolicy
from awnas_core.components import Component
from awnas_core.device import Device
from awnas_core.options import PositiveFloat, PositiveInt
from awnas_torch.device import resolve
from awnas_torch.seeding import seeded

INITIAL_BOUND = 0.1  # parameters start uniform in ±0.1, as in ENAS


class ControllerNetwork(Component, ABC):
    """Makes policies of one design, and shapes their logits as the schedules say.

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

    schedulable = ("force_uniform", "softmax_temperature")

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
        self.rng = rng
        self.device = device
        self.num_lstm_layers = num_lstm_layers
        self.controller_hid = controller_hid
        self.attention_hid = attention_hid
        self.softmax_temperature = softmax_temperature
        self.node_constant = tanh_constant
        self.op_constant = None if tanh_constant is None else tanh_constant / op_tanh_reduce
        self.force_uniform = force_uniform

    @abstractmethod
    def design(self, plan: CellPlan) -> CellPolicy:
        """Return a policy for ``plan``, its parameters whatever torch makes of them."""

    def policy(self, plan: CellPlan) -> CellPolicy:
        """Return a policy for ``plan`` on the device, every parameter drawn from U(−0.1, 0.1)."""
        with seeded(self.rng):
            policy = self.design(plan)
            for parameter in policy.parameters():
                nn.init.uniform_(parameter, -INITIAL_BOUND, INITIAL_BOUND)
        return policy.to(resolve(self.device).torch_device)

    def shape(self, logits: Tensor, constant: float | None) -> Tensor:
        """Return ``logits`` tempered and bounded to ±``constant``, or zeros where the policy is forced uniform."""
        if self.force_uniform:
            return zeros_like(logits)
        if self.softmax_temperature is not None:
            logits = logits / self.softmax_temperature
        return logits if constant is None else constant * tanh(logits)


class AnchorLstm(ControllerNetwork):
    """A node is known by the hidden state after its making, as in the code published with ENAS."""

    def design(self, plan: CellPlan) -> CellPolicy:
        """Return an :class:`AnchorPolicy`."""
        return AnchorPolicy(self, plan)


class EmbedLstm(ControllerNetwork):
    """A node is known by a learned embedding of its place; the faster one."""

    def design(self, plan: CellPlan) -> CellPolicy:
        """Return an :class:`EmbedPolicy`."""
        return EmbedPolicy(self, plan)
