"""A score for each architecture, trained by value or by rank."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from awnas_predictors.gates import Gates
from awnas_predictors.graphs import CellGraphs
from awnas_predictors.losses import hinge_loss, listwise_loss, mse_loss
from awnas_torch.seeding import seeded

Floats = npt.NDArray[np.floating]
LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "hinge": hinge_loss,
    "listwise": listwise_loss,
    "mse": mse_loss,
}


class PointwisePredictor:
    """An embedder and a perceptron on top of it.

    Args:
        embedder: Embeds batches of edges, ``(B, G, S, V, V)`` → ``(B, out_dim)``.
        rng: The weights of the perceptron and the order of batches are drawn from it.
        loss: hinge, listwise or mse. For mse, targets are best brought to mean 0 and deviation 1.
        hiddens: Widths of the perceptron.
        epochs: Passes over the architectures at each call of :meth:`fit`.
        batch_size: Architectures in a batch, all pairs of which are ranked.
        learning_rate: Of Adam.
    """

    def __init__(
        self,
        embedder: Gates,
        rng: np.random.Generator,
        *,
        loss: Literal["hinge", "listwise", "mse"] = "hinge",
        hiddens: Sequence[int] = (200, 200, 200),
        epochs: int = 200,
        batch_size: int = 128,
        learning_rate: float = 1e-3,
    ) -> None:
        sizes = [embedder.out_dim, *hiddens]
        with seeded(rng):
            layers = [part for a, b in itertools.pairwise(sizes) for part in (nn.Linear(a, b), nn.ReLU())]
            self.network = nn.Sequential(embedder, *layers, nn.Linear(sizes[-1], 1))
        self.rng, self.loss = rng, LOSSES[loss]
        self.epochs, self.batch_size = epochs, batch_size
        self.optimizer = torch.optim.Adam(self.network.parameters(), learning_rate)

    def fit(self, graphs: CellGraphs, targets: Floats) -> None:
        """Train on architectures and what was measured of each, shape ``(B,)``; larger is better."""
        edges, values = torch.from_numpy(graphs.edges), torch.as_tensor(targets, dtype=torch.float32)
        self.network.train()
        for _ in range(self.epochs):
            order = torch.from_numpy(self.rng.permutation(len(edges)))
            for rows in order.split(self.batch_size):
                self.optimizer.zero_grad()
                self.loss(self.network(edges[rows]).squeeze(1), values[rows]).backward()
                self.optimizer.step()

    @torch.inference_mode()
    def predict(self, graphs: CellGraphs, batch_size: int = 1024) -> Floats:
        """Return a score for each architecture, shape ``(B,)``."""
        self.network.eval()
        batches = torch.from_numpy(graphs.edges).split(batch_size)
        scores: Floats = torch.cat([self.network(batch).squeeze(1) for batch in batches]).numpy()
        return scores
