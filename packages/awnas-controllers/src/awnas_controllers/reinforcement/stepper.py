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

    The state begins as one row that stands for R equal ones, which part at the first step that is given R inputs.
    As tanh(x) = 2σ(2x) − 1, the weights of the candidate gate and the cell state are kept doubled.

    Args:
        lstm: With input and hidden size H.
    """

    def __init__(self, lstm: nn.LSTM) -> None:
        size = lstm.hidden_size
        scale = np.array([1, 1, 2, 1], dtype=np.float32).reshape(4, 1, 1)
        self._input_weights, self._hidden_weights, self._biases = [], [], []
        for layer in lstm.all_weights:
            w_ih, w_hh, b_ih, b_hh = (array_of(p).reshape(4, size, -1) for p in layer)
            self._input_weights.append(transposed(w_ih * scale))
            self._hidden_weights.append(transposed(w_hh * scale))
            self._biases.append(transposed((b_ih + b_hh) * scale))
        self._hidden = [np.zeros((1, size), dtype=np.float32) for _ in lstm.all_weights]
        self._doubled_cells = [np.zeros((1, size), dtype=np.float32) for _ in lstm.all_weights]

    def project(self, inputs: Array) -> Array:
        """Return what ``inputs``, shape ``(R, H)``, add to the gates of the first layer, shape ``(4, R, H)``."""
        return self._projected(0, inputs)

    def step(self, projected: Array) -> Array:
        """Take one step and return the hidden state of the last layer, shape ``(R, H)``.

        Args:
            projected: Projected inputs of shape ``(4, R, H)``, or ``(4, 1, H)`` when all rows have the same.
        """
        hidden = self._update(0, projected)
        for layer in range(1, len(self._hidden)):
            hidden = self._update(layer, self._projected(layer, hidden))
        return hidden

    def _projected(self, layer: int, inputs: Array) -> Array:
        return inputs @ self._input_weights[layer] + self._biases[layer]

    def _update(self, layer: int, from_input: Array) -> Array:
        gates = self._hidden[layer] @ self._hidden_weights[layer]
        if gates.shape == from_input.shape:
            gates += from_input
        else:
            gates = gates + from_input
        keep, forget, candidate, output = sigmoid(gates)
        candidate *= 4
        candidate -= 2
        candidate *= keep
        candidate += forget * self._doubled_cells[layer]
        self._doubled_cells[layer] = candidate
        bounded = sigmoid(candidate.copy())
        bounded *= 2
        bounded -= 1
        bounded *= output
        self._hidden[layer] = bounded
        return bounded


def array_of(parameter: Tensor) -> Array:
    """Return the values of a parameter; they are shared where it is on the CPU."""
    values: Array = parameter.detach().cpu().numpy()
    return values


def transposed(matrices: Array) -> Array:
    """Return a contiguous transpose of the last two dimensions, by which products are fastest."""
    return np.ascontiguousarray(matrices.swapaxes(-1, -2))


def sigmoid(x: Array) -> Array:
    """Turn x into its sigmoid, in place."""
    torch.from_numpy(x).sigmoid_()
    return x
