"""The policy that knows a node by a learned embedding of its place in the cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from awnas_controllers.reinforcement.plan import CellPlan
from awnas_controllers.reinforcement.policy import CellPolicy, NodeSampler, Scores, choose, draw
from awnas_controllers.reinforcement.stepper import LstmState, LstmStepper

if TYPE_CHECKING:
    from awnas_controllers.reinforcement.networks import LstmNetwork


class EmbedPolicy(CellPolicy):
    """The next input is the embedding of the last choice, zeros first: all inputs are known once the actions are."""

    first_input: Tensor
    nodes_allowed: Tensor

    def __init__(self, network: LstmNetwork, plan: CellPlan) -> None:
        super().__init__(network, plan)
        self.node_embedding = nn.Parameter(torch.empty(plan.num_nodes, network.controller_hid))
        steps, per_node = plan.num_steps, plan.num_node_inputs
        first = torch.tensor([1, 1 + plan.num_nodes]).reshape(1, 2, 1).expand(steps, 2, per_node)
        self.register_buffer("first_input", first.reshape(-1, 1), persistent=False)  # (T, 1)
        num_choices = plan.num_init_nodes + torch.arange(steps).unsqueeze(1)
        allowed = torch.arange(plan.num_nodes) < num_choices
        self.register_buffer(
            "nodes_allowed", allowed.reshape(steps, 1, 1, -1), persistent=False
        )  # (S, 1, 1, N)

    def _inputs(self) -> Tensor:
        """Return all possible inputs as rows: zeros, the nodes, the primitives; shape ``(1 + N + P, H)``."""
        start = self.op_embedding.new_zeros(1, self.lstm.input_size)
        return torch.cat([start, self.node_embedding, self.op_embedding])

    def _sample_cell(self, stepper: LstmStepper, noise: Tensor, op_mask: Tensor | None) -> Tensor:
        plan, per_node = self.plan, self.plan.num_node_inputs
        projected, of_nodes, of_ops = stepper.project(self._inputs()).split(
            (1, plan.num_nodes, len(plan.vocabulary))
        )
        keys = (self.node_embedding @ self.key.T * 2).unsqueeze(0)
        nodes = NodeSampler(self)
        actions: list[Tensor] = []
        for step in range(plan.num_steps):
            reachable = keys[:, : plan.num_init_nodes + step]
            for _ in range(per_node):
                actions.append(nodes.draw(reachable, stepper.step(projected), noise[len(actions)]))
                projected = of_nodes.index_select(0, actions[-1])
            for _ in range(per_node):
                logits = self._op_logits(stepper.step(projected), op_mask)
                actions.append(draw(logits, noise[len(actions)]))
                projected = of_ops.index_select(0, actions[-1])
        return torch.stack(actions, 1)

    def _score_cell(
        self, state: LstmState, actions: Tensor, op_mask: Tensor | None
    ) -> tuple[Scores, LstmState]:
        by_slot = actions.T  # (T, R)
        tokens = by_slot + self.first_input
        previous = torch.cat([torch.zeros_like(tokens[:1]), tokens[:-1]])
        hidden, state = self.lstm(functional.embedding(previous, self._inputs()), state)  # (T, R, H)
        slots = (self.plan.num_steps, 2, self.plan.num_node_inputs)
        for_nodes, for_ops = hidden.unflatten(0, slots).unbind(1)  # (S, K, R, H)
        from_nodes, ops = by_slot.unflatten(0, slots).unbind(1)
        node_logits = self._node_logits(self.node_embedding @ self.key.T, for_nodes)
        node_logits = node_logits.masked_fill(~self.nodes_allowed, -torch.inf)
        by_kind = choose(node_logits, from_nodes), choose(self._op_logits(for_ops, op_mask), ops)
        log_probs, entropies = (torch.stack(pair, 1).flatten(0, 2).T for pair in zip(*by_kind, strict=True))
        return (log_probs, entropies), state
