"""An LSTM taken one step at a time for many rows at once, without a graph: what sampling spends its time on.

In numpy, whose calls cost less than torch's, which is all that counts with few rows; only the sigmoid is torch's, which
is faster with many.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

Array = npt.NDArray[np.float32]


class LstmStepper:
    """The same function as ``lstm``, from zero states, step by step.

    Rows with one history share a state: one state stands for all rows at first, and while decisions are few the
    continuations by every choice are fewer than the rows.

    As tanh(x) = 2σ(2x) − 1, the weights of the candidate gate are kept doubled, and the cell state halved.

    Args:
        lstm: With input and hidden size H.
        rows: R, how many sequences there are.
    """

    def __init__(self, lstm: nn.LSTM, rows: int) -> None:
        size = lstm.hidden_size
        scale = np.array([1, 1, 2, 1], dtype=np.float32).reshape(4, 1, 1)
        self._input_weights, self._hidden_weights, self._biases = [], [], []
        for layer in lstm.all_weights:
            w_ih, w_hh, b_ih, b_hh = (array_of(p).reshape(4, size, -1) * scale for p in layer)
            self._input_weights.append(w_ih.swapaxes(1, 2))
            self._hidden_weights.append(w_hh.swapaxes(1, 2))
            self._biases.append((b_ih + b_hh).swapaxes(1, 2))
        self._hidden = [np.zeros((1, size), dtype=np.float32) for _ in lstm.all_weights]
        self._halved_cells = list(self._hidden)
        self._rows = rows
        self._state_of: npt.NDArray[np.int64] | None = np.zeros(
            rows, dtype=np.int64
        )  # None: each has its own

    def project(self, inputs: Array) -> Array:
        """Return what ``inputs``, shape ``(R, H)``, add to the gates of the first layer, shape ``(4, R, H)``."""
        return self._projected(0, inputs)

    def by_row(self, of_states: Array) -> Array:
        """Return for each row what is given for each state, shape ``(states, …)``."""
        return of_states if self._state_of is None else of_states.take(self._state_of, axis=0)

    def step(self, projected: Array) -> Array:
        """Take one step and return the hidden state of the last layer, shape ``(states, H)``.

        Args:
            projected: Projected inputs of shape ``(4, states, H)``, or ``(4, 1, H)`` when all have the same. R inputs,
                one for each row, give each row a state of its own.
        """
        if projected.shape[1] == self._rows:
            self._part()
        hidden = self._update(0, projected)
        for layer in range(1, len(self._hidden)):
            hidden = self._update(layer, self._projected(layer, hidden))
        return hidden

    def branch(self, choices: npt.NDArray[np.int64], projected: Array) -> Array:
        """Return the projected inputs, shape ``(4, states, H)``, of rows that have chosen among V.

        Args:
            choices: Shape ``(R,)``.
            projected: Projected inputs of the choices, shape ``(4, V, H)``.
        """
        states, count = len(self._hidden[0]), projected.shape[1]
        if self._state_of is None or states * count >= self._rows:
            return projected.take(choices, axis=1)
        self._hidden = [of_layer.repeat(count, axis=0) for of_layer in self._hidden]
        self._halved_cells = [of_layer.repeat(count, axis=0) for of_layer in self._halved_cells]
        self._state_of = self._state_of * count + choices
        return np.tile(projected, (1, states, 1))

    def _part(self) -> None:
        """Give each row a state of its own, where it has none."""
        if self._state_of is None:
            return
        self._hidden = [self.by_row(of_layer) for of_layer in self._hidden]
        self._halved_cells = [self.by_row(of_layer) for of_layer in self._halved_cells]
        self._state_of = None

    def _projected(self, layer: int, inputs: Array) -> Array:
        return inputs @ self._input_weights[layer] + self._biases[layer]

    def _update(self, layer: int, from_input: Array) -> Array:
        gates = self._hidden[layer] @ self._hidden_weights[layer]
        gates += from_input
        keep, forget, candidate, output = sigmoid(gates)
        candidate -= 0.5
        candidate *= keep
        forget *= self._halved_cells[layer]
        candidate += forget
        self._halved_cells[layer] = candidate
        bounded = sigmoid(candidate * 4)
        bounded *= 2
        bounded -= 1
        bounded *= output
        self._hidden[layer] = bounded
        return bounded


def array_of(parameter: Tensor) -> Array:
    """Return the values of a parameter; they are shared where it is on the CPU."""
    values: Array = parameter.detach().cpu().numpy()
    return values


def sigmoid(x: Array) -> Array:
    """Turn x into its sigmoid, in place."""
    torch.from_numpy(x).sigmoid_()
    return x
