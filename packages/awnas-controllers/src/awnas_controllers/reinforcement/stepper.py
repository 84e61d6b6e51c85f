"""An LSTM taken one step at a time for many rows at once, without a graph: what sampling spends its time on."""

from __future__ import annotations

import torch
from torch import Tensor, nn

LstmState = tuple[Tensor, Tensor]
"""Hidden and cell state, both of shape ``(layers, R, H)`` for R rows."""


class LstmStepper:
    """The same function as ``lstm``, step by step.

    On CPUs torch's sigmoid is several times faster than its tanh, so that tanh(x) is computed as 2σ(2x) − 1. To
    this end the weights of the candidate gate and the cell state are kept doubled.

    Args:
        lstm: With input and hidden size H.
        state: Where to start. A state of one row stands for R equal ones, which part at the first step that is given
            R inputs.
    """

    def __init__(self, lstm: nn.LSTM, state: LstmState) -> None:
        self._hidden = list(state[0])
        self._doubled_cell = list(state[1] * 2)
        scale = torch.ones(4 * lstm.hidden_size, 1, device=state[0].device)
        scale[2 * lstm.hidden_size : 3 * lstm.hidden_size] = 2
        self._input_weights, self._hidden_weights, self._biases = [], [], []
        for w_ih, w_hh, b_ih, b_hh in lstm.all_weights:
            self._input_weights.append((w_ih * scale).T.contiguous())
            self._hidden_weights.append((w_hh * scale).T.contiguous())
            self._biases.append((b_ih + b_hh) * scale[:, 0])

    @property
    def state(self) -> LstmState:
        """The state after the steps so far."""
        return torch.stack(self._hidden), torch.stack(self._doubled_cell) / 2

    def project(self, inputs: Tensor) -> Tensor:
        """Return what ``inputs``, shape ``(…, H)``, add to the gates of the first layer, shape ``(…, 4H)``."""
        return inputs @ self._input_weights[0] + self._biases[0]

    def step(self, projected: Tensor) -> Tensor:
        """Take one step and return the hidden state of the last layer, shape ``(R, H)``.

        Args:
            projected: Projected inputs of shape ``(R, 4H)``, or ``(1, 4H)`` when all rows have the same.
        """
        hidden = self._update(0, projected)
        for layer in range(1, len(self._hidden)):
            hidden = self._update(layer, torch.addmm(self._biases[layer], hidden, self._input_weights[layer]))
        return hidden

    def _update(self, layer: int, from_input: Tensor) -> Tensor:
        hidden, weights = self._hidden[layer], self._hidden_weights[layer]
        if len(hidden) == len(from_input):
            gates = torch.addmm(from_input, hidden, weights)
        else:
            gates = hidden @ weights + from_input
        keep, forget, candidate, output = gates.sigmoid_().chunk(4, dim=1)
        cell = torch.addcmul(forget * self._doubled_cell[layer], keep, candidate, value=4).sub_(keep, alpha=2)
        self._doubled_cell[layer] = cell
        self._hidden[layer] = torch.lerp(-output, output, torch.sigmoid(cell))  # output·tanh
        return self._hidden[layer]
