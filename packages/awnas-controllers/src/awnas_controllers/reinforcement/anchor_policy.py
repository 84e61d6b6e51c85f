"""The policy that knows a node by the hidden state that followed its making."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from awnas_controllers.reinforcement.plan import CellPlan
from awnas_controllers.reinforcement.policy import CellPolicy, NodeSampler, Scores, choose, draw
from awnas_controllers.reinforcement.stepper import LstmState, LstmStepper

if TYPE_CHECKING:
    from awnas_controllers.reinforcement.networks import LstmNetwork


class AnchorPolicy(CellPolicy):
    """After a node one more step makes its anchor; whoever chooses the node gets the anchor as the next input.

    An input node is made by a step on the learned start embedding, and its anchor is zero. Inputs depend on earlier
    hidden states, so that scoring runs one sequence for each inner node.
    """

    def __init__(self, network: LstmNetwork, plan: CellPlan) -> None:
        super().__init__(network, plan)
        self.start = nn.Parameter(torch.empty(network.controller_hid))  # g

    def _sample_cell(self, stepper: LstmStepper, noise: Tensor, op_mask: Tensor | None) -> Tensor:
        plan, num_rows = self.plan, noise.shape[1]
        start, ops = stepper.project(self.start.unsqueeze(0)), stepper.project(self.op_embedding)
        zero_anchor = stepper.project(torch.zeros_like(self.start)).expand(num_rows, -1)
        doubled_key = self.key.T * 2
        keys = [(stepper.step(start) @ doubled_key).expand(num_rows, -1) for _ in range(plan.num_init_nodes)]
        anchors = [zero_anchor] * plan.num_init_nodes
        nodes, rows = NodeSampler(self), torch.arange(num_rows, device=noise.device)
        actions: list[Tensor] = []
        for _ in range(plan.num_steps):
            projected, reachable, made = start, torch.stack(keys, 1), torch.stack(anchors, 1)
            for _ in range(plan.num_node_inputs):
                actions.append(nodes.draw(reachable, stepper.step(projected), noise[len(actions)]))
                projected = made[rows, actions[-1]]
            for _ in range(plan.num_node_inputs):
                logits = self._op_logits(stepper.step(projected), op_mask)
                actions.append(draw(logits, noise[len(actions)]))
                projected = ops.index_select(0, actions[-1])
            anchor = stepper.step(projected)
            keys.append(anchor @ doubled_key)
            anchors.append(stepper.project(anchor))
        return torch.stack(actions, 1)

    def _score_cell(
        self, state: LstmState, actions: Tensor, op_mask: Tensor | None
    ) -> tuple[Scores, LstmState]:
        plan, count, rows = self.plan, self.plan.num_node_inputs, len(actions)
        start = self.start.expand(1, rows, -1)
        hidden, state = self.lstm(start.expand(plan.num_init_nodes, -1, -1), state)
        keys = list(hidden @ self.key.T)  # each (R, A)
        anchors = [torch.zeros_like(start[0])] * plan.num_init_nodes  # each (R, H)
        scores: list[Scores] = []
        for from_nodes, ops in actions.reshape(rows, plan.num_steps, 2, count).permute(
            1, 2, 3, 0
        ):  # each (K, R)
            chosen = torch.stack(anchors)[from_nodes, torch.arange(rows, device=actions.device)]
            inputs = torch.cat([start, chosen, self.op_embedding[ops]])  # (2K + 1, R, H)
            hidden, state = self.lstm(inputs, state)
            scores.append(choose(self._node_logits(torch.stack(keys, 1), hidden[:count]), from_nodes))
            scores.append(choose(self._op_logits(hidden[count : 2 * count], op_mask), ops))
            anchors.append(hidden[-1])
            keys.append(hidden[-1] @ self.key.T)
        log_probs, entropies = zip(*scores, strict=True)
        return (torch.cat(log_probs).T, torch.cat(entropies).T), state
