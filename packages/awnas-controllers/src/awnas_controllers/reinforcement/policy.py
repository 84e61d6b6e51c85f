"""A recurrent policy over the decisions of cells: draws architectures, and scores given ones with a graph."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from awnas_controllers.reinforcement.plan import CellPlan
from awnas_controllers.reinforcement.stepper import (
    Array,
    LstmStepper,
    array_of,
    sigmoid,
)

if TYPE_CHECKING:
    from awnas_controllers.reinforcement.networks import LstmNetwork

LstmState = tuple[Tensor, Tensor]
"""Hidden and cell state, both of shape ``(layers, R, H)``."""
FORBIDDEN = -1e30
"""Logit of what may not be chosen: of probability 0, and finite, so that 0·log 0 is 0, also in the gradient."""
Scores = tuple[Tensor, Tensor]
"""Log-probability of each action and entropy (nats) of its distribution, of equal shape."""


class Policy(nn.Module, ABC):
    """A distribution over architectures that is drawn from without a graph, and scored with one.

    Actions have the shape ``(n, G, T)``: n architectures, G groups of decisions, T decisions in each.
    """

    @property
    def device(self) -> torch.device:
        """Where its parameters are."""
        return next(self.parameters()).device

    @abstractmethod
    def sample(self, n: int, rng: np.random.Generator) -> Tensor:
        """Draw n architectures; actions of shape ``(n, G, T)``, on the CPU."""

    @abstractmethod
    def score(self, actions: Tensor) -> Scores:
        """Return log-probabilities and entropies of ``actions``; all of shape ``(n, G, T)``."""


class CellPolicy(Policy, ABC):
    """An LSTM with a head for nodes (attention over the nodes there are) and a head for primitives.

    Letters as in :class:`CellPlan`, and H hidden units, A attention units, R rows. Without chaining every pair of
    architecture and group is a row of its own, and all groups are taken at once; with it a row is an architecture,
    and the groups follow one another.

    Args:
        network: Sizes and the shaping of logits.
        plan: What to decide.
    """

    def __init__(self, network: LstmNetwork, plan: CellPlan) -> None:
        super().__init__()
        hidden, attention, primitives = network.controller_hid, network.attention_hid, len(plan.vocabulary)
        self.network = network
        self.plan = plan
        self.lstm = nn.LSTM(hidden, hidden, network.num_lstm_layers)
        self.op_embedding = nn.Parameter(torch.empty(primitives, hidden))
        self.query = nn.Parameter(torch.empty(attention, hidden))  # W_h
        self.key = nn.Parameter(torch.empty(attention, hidden))  # W_a, W_e
        self.attention = nn.Parameter(torch.empty(attention))  # v
        self.op_head = nn.Parameter(torch.empty(primitives, hidden))  # W_op
        self.op_mask: Tensor | None
        mask = None if plan.shares_vocabulary else torch.from_numpy(plan.op_mask())
        self.register_buffer("op_mask", mask, persistent=False)

    def sample(self, n: int, rng: np.random.Generator) -> Tensor:
        """Draw n architectures; actions of shape ``(n, G, T)``, on the CPU."""
        plan = self.plan
        rows, passes = self._rows(n)
        noise = gumbel((passes, plan.num_decisions, rows, max(plan.num_nodes, len(plan.vocabulary))), rng)
        drawn = []
        stepper = LstmStepper(self.lstm, rows)
        for i in range(passes):
            mask = self._masks(i, rows)
            allowed = None if mask is None else mask.numpy(force=True)
            drawn.append(self._sample_cell(stepper, noise[i], allowed))
        actions = np.stack(drawn, 2)  # (T, R, passes)
        return torch.from_numpy(actions.transpose(1, 2, 0).reshape(n, plan.num_groups, plan.num_decisions))

    def score(self, actions: Tensor) -> Scores:
        """Return log-probabilities and entropies of ``actions``; all of shape ``(n, G, T)``."""
        rows, passes = self._rows(len(actions))
        by_pass = actions.reshape(rows, passes, -1).movedim(1, 0)
        state = self._zero_state(rows)
        log_probs, entropies = [], []
        for i, cell in enumerate(by_pass):
            scores, state = self._score_cell(state, cell, self._masks(i, rows))
            log_probs.append(scores[0])
            entropies.append(scores[1])
        return (
            torch.stack(log_probs, 1).reshape(actions.shape),
            torch.stack(entropies, 1).reshape(actions.shape),
        )

    @abstractmethod
    def _sample_cell(
        self, stepper: LstmStepper, noise: Array, op_mask: npt.NDArray[np.bool_] | None
    ) -> npt.NDArray[np.int64]:
        """Draw a cell for each row, shape ``(T, R)``, with noise for :func:`draw` of shape ``(T, R, …)``."""

    @abstractmethod
    def _score_cell(
        self, state: LstmState, actions: Tensor, op_mask: Tensor | None
    ) -> tuple[Scores, LstmState]:
        """Score a cell for each row, ``actions`` of shape ``(R, T)``; also return the state after it."""

    def _rows(self, n: int) -> tuple[int, int]:
        """Return (rows, passes over a cell) that n architectures take."""
        groups = self.plan.num_groups
        return (n, groups) if self.plan.chained else (n * groups, 1)

    def _masks(self, which: int, rows: int) -> Tensor | None:
        """Return the primitives allowed in a pass, shape ``(R, P)``; None where all are."""
        if self.op_mask is None:
            return None
        if self.plan.chained:
            return self.op_mask[which].expand(rows, -1)
        return self.op_mask.repeat(rows // self.plan.num_groups, 1)

    def _zero_state(self, rows: int) -> LstmState:
        zeros = self.op_head.new_zeros(self.lstm.num_layers, rows, self.lstm.hidden_size)
        return zeros, zeros

    def _node_logits(self, keys: Tensor, hidden: Tensor) -> Tensor:
        """Return v·tanh(key + W_h·h) for keys ``(…, N, A)`` and hidden states ``(…, H)``, shape ``(…, N)``."""
        queries = (hidden @ self.query.T).unsqueeze(-2)
        return self.network.shape(torch.tanh(keys + queries) @ self.attention, self.network.node_constant)

    def _op_logits(self, hidden: Tensor, op_mask: Tensor | None) -> Tensor:
        """Return W_op·h, FORBIDDEN for primitives that are not allowed, shape ``(…, P)``."""
        logits = self.network.shape(hidden @ self.op_head.T, self.network.op_constant)
        return logits if op_mask is None else logits.masked_fill(~op_mask, FORBIDDEN)


class NodeHead:
    """Scores from-nodes without a graph; v·tanh(k + q) is computed as 2v·σ(2k + 2q) − Σv."""

    def __init__(self, policy: CellPolicy) -> None:
        attention = array_of(policy.attention)
        self._network = policy.network
        self._key, self._query = ((array_of(matrix) * 2).T for matrix in (policy.key, policy.query))
        self._attention = attention * 2
        self._offset = attention.sum()

    def keys(self, nodes: Array) -> Array:
        """Return what :meth:`logits` knows nodes by: ``(…, H)`` in, ``(…, A)`` out."""
        return nodes @ self._key

    def logits(self, keys: Array, hidden: Array) -> Array:
        """Return logits of shape ``(R, N)`` for keys ``(1 or R, N, A)`` and hidden states ``(R, H)``."""
        queries = (hidden @ self._query)[:, None]
        known = sigmoid(keys + queries)  # (R, N, A)
        logits = (known.reshape(-1, known.shape[-1]) @ self._attention).reshape(known.shape[:-1])
        logits -= self._offset
        return self._network.shape(logits, self._network.node_constant)


class OpHead:
    """Scores primitives without a graph."""

    def __init__(self, policy: CellPolicy) -> None:
        self._network = policy.network
        self._head = array_of(policy.op_head).T

    def logits(self, hidden: Array) -> Array:
        """Return logits of shape ``(R, P)`` for hidden states ``(R, H)``, whether allowed or not."""
        return self._network.shape(hidden @ self._head, self._network.op_constant)


def draw(logits: Array, noise: Array, allowed: npt.NDArray[np.bool_] | None = None) -> npt.NDArray[np.int64]:
    """Return one index for each row from the distributions ``softmax(logits)``, by the Gumbel-max trick.

    Args:
        logits: Shape ``(R, choices)``.
        noise: Standard Gumbel noise of shape ``(R, at least choices)``.
        allowed: Shape ``(R, choices)``; None where all are.

    Source: Maddison et al., "A* Sampling", NeurIPS 2014.
    """
    noisy = logits + noise[:, : logits.shape[1]]
    return (noisy if allowed is None else np.where(allowed, noisy, -np.inf)).argmax(1)


def gumbel(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Return standard Gumbel noise: minus the logarithm of exponential noise, which is kept from being infinite."""
    exponential = np.maximum(rng.standard_exponential(shape, dtype=np.float32), np.float32(1e-37))
    return -np.log(exponential)


def choose(logits: Tensor, actions: Tensor) -> Scores:
    """Return log-probability and entropy of ``actions`` under ``logits``, shape ``(…, choices)``."""
    log_probs = torch.log_softmax(logits, -1)
    chosen = log_probs.gather(-1, actions.unsqueeze(-1)).squeeze(-1)
    return chosen, -(log_probs.exp() * log_probs).sum(-1)
