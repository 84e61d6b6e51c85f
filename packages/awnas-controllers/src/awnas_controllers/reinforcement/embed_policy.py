"""The policy that knows a node by a learned embedding of its place in the cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from awnas_controllers.reinforcement.plan import CellPlan
from awnas_controllers.reinforcement.policy import (
    FORBIDDEN,
    CellPolicy,
    LstmState,
    NodeHead,
    OpHead,
    Scores,
    choose,
    draw,
)
from awnas_controllers.reinforcement.stepper import Array, LstmStepper, array_of

if TYPE_CHECKING:
    from awnas_controllers.reinforcement.networks import LstmNetwork


class EmbedPolicy(CellPolicy):
    """The next input is the embedding of the last choice, zeros first: all inputs are known once the actions are."""

    first_input: Tensor
    forbidden: Tensor

    def __init__(self, network: LstmNetwork, plan: CellPlan) -> None:
        super().__init__(network, plan)
        self.node_embedding = nn.Parameter(torch.empty(plan.num_nodes, network.controller_hid))
        steps, per_node = plan.num_steps, plan.num_node_inputs
        first = torch.tensor([1, 1 + plan.num_nodes]).reshape(1, 2, 1).expand(steps, 2, per_node)
        self.register_buffer("first_input", first.reshape(-1, 1), persistent=False)  # (T, 1)
        choices = torch.stack(
            [plan.num_init_nodes + torch.arange(steps), torch.full((steps,), len(plan.vocabulary))], 1
        )
        forbidden = torch.arange(max(plan.num_nodes, len(plan.vocabulary))) >= choices.unsqueeze(-1)
        self.register_buffer("forbidden", forbidden.reshape(steps, 2, 1, 1, -1), persistent=False)

    def _inputs(self) -> Tensor:
        """Return all possible inputs as rows: zeros, the nodes, the primitives; shape ``(1 + N + P, H)``."""
        start = self.op_embedding.new_zeros(1, self.lstm.input_size)
        return torch.cat([start, self.node_embedding, self.op_embedding])

    def _sample_cell(
        self, stepper: LstmStepper, noise: Array, op_mask: npt.NDArray[np.bool_] | None
    ) -> npt.NDArray[np.int64]:
        plan, per_node = self.plan, self.plan.num_node_inputs
        node_head, op_head = NodeHead(self), OpHead(self)
        projected, of_nodes, of_ops = np.split(
            stepper.project(array_of(self._inputs())), (1, 1 + plan.num_nodes), axis=1
        )
        keys = node_head.keys(array_of(self.node_embedding))[None]
        actions: list[npt.NDArray[np.int64]] = []
        for step in range(plan.num_steps):
            reachable = plan.num_init_nodes + step
            for _ in range(per_node):
                logits = stepper.by_row(node_head.logits(keys[:, :reachable], stepper.step(projected)))
                actions.append(draw(logits, noise[len(actions)]))
                projected = stepper.branch(actions[-1], of_nodes[:, :reachable])
            for _ in range(per_node):
                logits = stepper.by_row(op_head.logits(stepper.step(projected)))
                actions.append(draw(logits, noise[len(actions)], op_mask))
                projected = stepper.branch(actions[-1], of_ops)
        return np.stack(actions)

    def _score_cell(
        self, state: LstmState, actions: Tensor, op_mask: Tensor | None
    ) -> tuple[Scores, LstmState]:
        by_slot = actions.T  # (T, R)
        tokens = by_slot + self.first_input
        previous = functional.pad(tokens[:-1], (0, 0, 1, 0))
        hidden, state = self.lstm(functional.embedding(previous, self._inputs()), state)  # (T, R, H)
        slots = (self.plan.num_steps, 2, self.plan.num_node_inputs)
        for_nodes, for_ops = hidden.unflatten(0, slots).unbind(1)  # (S, K, R, H)
        node_logits = self._node_logits(self.node_embedding @ self.key.T, for_nodes)
        by_kind = (node_logits, self._op_logits(for_ops, op_mask))
        choices = self.forbidden.shape[-1]  # as many as the longer of the two
        logits = torch.stack([functional.pad(part, (0, choices - part.shape[-1])) for part in by_kind], 1)
        scores = choose(logits.masked_fill(self.forbidden, FORBIDDEN), by_slot.unflatten(0, slots))
        log_probs, entropies = (of_slots.flatten(0, 2).T for of_slots in scores)
        return (log_probs, entropies), state
