"""How neural predictors are trained and asked, whatever they predict."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from awnas_predictors.embedders.base import Embedder
from awnas_predictors.graphs import CellGraphs

Floats = npt.NDArray[np.floating]


class NeuralPredictor:
    """A network over the inputs of an embedder, trained by Adam; each fit goes on from the weights of the last.

    Args:
        network: Maps the inputs of the embedder to outputs, a row for each architecture.
        embedder: Prepares the inputs.
        rng: The order of batches is drawn from it.
        epochs: Passes over the architectures at each fit.
        batch_size: Architectures in a batch, all pairs of which are ranked.
        learning_rate: Of Adam.
    """

    def __init__(
        self,
        network: nn.Module,
        embedder: Embedder,
        rng: np.random.Generator,
        *,
        epochs: int = 200,
        batch_size: int = 128,
        learning_rate: float = 1e-3,
    ) -> None:
        self.network, self.prepare, self.rng = network, embedder.prepare, rng
        self.epochs, self.batch_size = epochs, batch_size
        self.optimizer = torch.optim.Adam(network.parameters(), learning_rate)

    def descend(
        self, graphs: CellGraphs, targets: Floats, loss: Callable[[tuple[Tensor, ...], Tensor], Tensor]
    ) -> None:
        """Train on architectures and what was measured of each, a row of ``targets``.

        Args:
            graphs: Of the architectures.
            targets: Shape ``(N, ...)``.
            loss: Of the inputs of a batch and its targets.
        """
        inputs, values = self.prepare(graphs), torch.as_tensor(targets, dtype=torch.float32)
        self.network.train()
        for _ in range(self.epochs):
            for rows in torch.from_numpy(self.rng.permutation(len(values))).split(self.batch_size):
                self.optimizer.zero_grad()
                loss(tuple(part[rows] for part in inputs), values[rows]).backward()
                self.optimizer.step()

    @torch.inference_mode()
    def answer(self, graphs: CellGraphs, batch_size: int = 1024) -> Tensor:
        """Return what the network says of each architecture."""
        self.network.eval()
        batches = zip(*(part.split(batch_size) for part in self.prepare(graphs)), strict=True)
        return torch.cat([self.network(*batch) for batch in batches])


class Scorer(nn.Module):
    """An embedder and a perceptron on top of it, shape ``(B,)``."""

    def __init__(self, embedder: Embedder, hiddens: Sequence[int]) -> None:
        super().__init__()
        self.embedder, self.head = embedder, perceptron(embedder.out_dim, hiddens)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return scores, shape ``(B,)``."""
        scores: Tensor = self.head(self.embedder(*inputs)).squeeze(1)
        return scores


def perceptron(in_dim: int, hiddens: Sequence[int], out_dim: int = 1) -> nn.Sequential:
    """Return linear layers with ReLU between them."""
    sizes = [in_dim, *hiddens]
    layers = [part for pair in itertools.pairwise(sizes) for part in (nn.Linear(*pair), nn.ReLU())]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], out_dim))
