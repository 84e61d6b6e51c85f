"""The policy that knows a node by the hidden state that followed its making."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from awnas_controllers.reinforcement.plan import CellPlan
from awnas_controllers.reinforcement.policy import (
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


class AnchorPolicy(CellPolicy):
    """After a node one more step makes its anchor; whoever chooses the node gets the anchor as the next input.

    An input node is made by a step on the learned start embedding, and its anchor is zero. Inputs depend on earlier
    hidden states, so that scoring runs one sequence for each inner node.
    """

    def __init__(self, network: LstmNetwork, plan: CellPlan) -> None:
        super().__init__(network, plan)
        self.start = nn.Parameter(torch.empty(network.controller_hid))  # g

    def _sample_cell(
        self, stepper: LstmStepper, noise: Array, op_mask: npt.NDArray[np.bool_] | None
    ) -> npt.NDArray[np.int64]:
        plan, rows = self.plan, np.arange(noise.shape[1])
        nodes, ops = NodeHead(self), OpHead(self)
        start, of_ops = (stepper.project(array_of(p)) for p in (self.start[None], self.op_embedding))
        keys = [nodes.keys(stepper.step(start)) for _ in range(plan.num_init_nodes)]
        anchors = [stepper.project(np.zeros_like(array_of(self.start[None])))] * plan.num_init_nodes
        actions: list[npt.NDArray[np.int64]] = []
        for _ in range(plan.num_steps):
            projected, reachable, made = start, _by_row(keys, len(rows)), _by_row(anchors, len(rows))
            for _ in range(plan.num_node_inputs):
                logits = nodes.logits(reachable, stepper.by_row(stepper.step(projected)))
                actions.append(draw(logits, noise[len(actions)]))
                projected = made[:, rows, actions[-1]]
            for _ in range(plan.num_node_inputs):
                logits = ops.logits(stepper.by_row(stepper.step(projected)))
                actions.append(draw(logits, noise[len(actions)], op_mask))
                projected = of_ops.take(actions[-1], axis=1)
            anchor = stepper.step(projected)
            keys.append(nodes.keys(anchor))
            anchors.append(stepper.project(anchor))
        return np.stack(actions)

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


def _by_row(nodes: Sequence[Array], rows: int) -> Array:
    """Return what N nodes are known by, shape ``(…, 1 or R, F)`` each, as ``(…, R, N, F)``."""
    return np.stack([np.broadcast_to(node, (*node.shape[:-2], rows, node.shape[-1])) for node in nodes], -2)
