"""Architecture parameters, and the continuous decisions that are drawn from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from awnas_core.relaxation import Mixture

Weights = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """All that a sample depends on besides the parameters; plain data, from which it is made again.

    Args:
        temperature: Of the softmax, above 0; towards 0 each edge becomes one-hot.
        seed: Of the Gumbel noise; None for no noise.
        batch: B, the number of samples that share a batch of data.
        uniform: All choices count the same, whatever the parameters are.
    """

    temperature: float = 1.0
    seed: int | None = None
    batch: int = 1
    uniform: bool = False


class ArchitectureParameters:
    """Logits of the choices of every edge (α) and, with edge normalisation, of the edges themselves (β).

    Args:
        mixtures: What is relaxed.
        rng: Draws the initial values, of standard deviation 0.001 as in DARTS.
        edges: Whether edges have weights of their own.
    """

    def __init__(self, mixtures: Sequence[Mixture], rng: np.random.Generator, *, edges: bool) -> None:
        self.mixtures = tuple(mixtures)
        self.edges = edges
        self.logits: dict[str, nn.Parameter] = {}
        for mixture in mixtures:
            self.logits[mixture.name] = _initial(mixture.shape, rng)
            if edges:
                self.logits[mixture.edges_key] = _initial(mixture.shape[:1], rng)

    def relax(self, draw: Draw, *, hard: bool) -> dict[str, Tensor]:
        """Return the sample that ``draw`` stands for, differentiable in the logits.

        Args:
            draw: Which sample.
            hard: Each edge is one-hot; the gradient passes as if it were not.

        Returns: Mixture name → weights ``(E, P)``, or ``(E, B, P)`` for B > 1, whose rows sum to 1; and, with edge
        weights, ``<name>.edges`` → ``(E,)``, which sum to 1 over the edges into each node.

        Source: Liu et al., "DARTS", ICLR 2019, eq. 2; with noise, Xie et al., "SNAS", ICLR 2019, eq. 6; hard, Dong and
        Yang, "Searching for a Robust Neural Architecture in Four GPU Hours" (GDAS), CVPR 2019, eq. 6; of edges, Xu et
        al., "PC-DARTS", ICLR 2020, eq. 3.
        """
        noise = None if draw.seed is None else np.random.default_rng(draw.seed)
        relaxed = {}
        for mixture in self.mixtures:
            logits = self._logits(mixture.name, draw)
            if draw.batch > 1:
                logits = logits[:, None].expand(-1, draw.batch, -1)  # (E, B, P)
            if noise is not None:
                logits = logits + torch.from_numpy(noise.gumbel(size=logits.shape)).to(logits.dtype)
            soft = torch.softmax(logits / draw.temperature, -1)
            relaxed[mixture.name] = straight_through(soft) if hard else soft
            if self.edges:
                edges = self._logits(mixture.edges_key, draw)
                relaxed[mixture.edges_key] = torch.cat([edges[into].softmax(0) for into in mixture.slices])
        return relaxed

    def log_probabilities(self) -> dict[str, Tensor]:
        """Return the logarithms of the softmax of all logits, under the keys of :meth:`relax`; never infinite."""
        result = {}
        for mixture in self.mixtures:
            result[mixture.name] = self.logits[mixture.name].log_softmax(-1)
            if self.edges:
                edges = self.logits[mixture.edges_key]
                result[mixture.edges_key] = torch.cat([edges[into].log_softmax(0) for into in mixture.slices])
        return result

    def probabilities(self) -> dict[str, Weights]:
        """Return the softmax of all logits, under the keys of :meth:`relax`."""
        return {key: value.detach().double().exp().numpy() for key, value in self.log_probabilities().items()}

    def state(self) -> dict[str, Tensor]:
        """Return a copy of all logits."""
        return {key: value.detach().clone() for key, value in self.logits.items()}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take up logits.

        Raises: ValueError when they are of other mixtures.
        """
        shapes = [{key: tuple(value.shape) for key, value in of.items()} for of in (self.logits, state)]
        if shapes[0] != shapes[1]:
            raise ValueError(f"expected {shapes[0]}, got {shapes[1]}")
        with torch.no_grad():
            for key, value in self.logits.items():
                value.copy_(state[key])

    def _logits(self, key: str, draw: Draw) -> Tensor:
        return torch.zeros_like(self.logits[key]) if draw.uniform else self.logits[key]


def straight_through(soft: Tensor) -> Tensor:
    """Return one-hot rows of the largest entries, with the gradient of ``soft``; the zeros are exact."""
    hard = torch.zeros_like(soft).scatter(-1, soft.argmax(-1, keepdim=True), 1.0)
    return hard + (soft - soft.detach())  # in this order the brackets are exactly 0


def entropy(log_probabilities: Tensor) -> Tensor:
    """Return −Σ p ln p over everything, in nats."""
    return -(log_probabilities.exp() * log_probabilities).sum()


def _initial(shape: tuple[int, ...], rng: np.random.Generator) -> nn.Parameter:
    return nn.Parameter(torch.from_numpy(1e-3 * rng.standard_normal(shape)).float())
