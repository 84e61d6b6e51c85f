"""The network of a supernet: a stem, cells that architectures share, and a classifier."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from torch import Tensor, nn

from awnas_spaces.genotype import Cell

RunCell = Callable[[Sequence[Tensor]], Tensor]
"""Outputs of the cells before, oldest first → output of a cell."""


class CellStack(nn.Module):
    """Stem, shared cells and classifier.

    Args:
        stems: One after the other.
        spread: Outputs of the stems and the images → what the first cell gets, oldest first.
        cells: The cell of each layer.
        groups: The cell group of each.
        classifier: Gets the mean over the pixels of the last cell.
        dropout_rate: Before the classifier.
        last: What happens to the output of the last cell before.
    """

    def __init__(
        self,
        stems: nn.ModuleList,
        spread: Callable[[list[Tensor], Tensor], list[Tensor]],
        cells: Iterable[nn.Module],
        groups: Sequence[int],
        classifier: nn.Linear,
        *,
        dropout_rate: float,
        last: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.stems = stems
        self.cells = nn.ModuleList(cells)
        self.last = last or nn.Sequential()
        self.dropout = nn.Dropout(dropout_rate)
        self.classifier = classifier
        self._spread, self._groups = spread, tuple(groups)

    @property
    def layers(self) -> list[tuple[Any, int]]:
        """The cells from the stem to the classifier, each with its group."""
        return list(zip(self.cells, self._groups, strict=True))

    def candidate(self, cells: Sequence[Cell]) -> Candidate:
        """Return the network of one architecture, the cell of each group given."""
        return Candidate(self, [cell.walk(cells[group]) for cell, group in self.layers])

    def run(self, images: Tensor, cells: Iterable[RunCell]) -> Tensor:
        """Return logits ``(N, classes)`` of images ``(N, C, H, W)``, by ``cells`` in place of the network's own."""
        outputs: list[Tensor] = []
        for stem in self.stems:
            outputs.append(stem(outputs[-1] if outputs else images))
        states = self._spread(outputs, images)
        for cell in cells:
            states = [*states[1:], cell(states)]
        logits: Tensor = self.classifier(self.dropout(self.last(states[-1]).mean((2, 3))))
        return logits


class Candidate(nn.Module):
    """One architecture with the weights of the supernet; its members are the modules it uses and no others.

    Args:
        network: Whose stem and classifier it uses.
        cells: The walk through each of its cells.
    """

    def __init__(self, network: CellStack, cells: Iterable[nn.Module]) -> None:
        super().__init__()
        self.stems = network.stems
        self.cells = nn.ModuleList(cells)
        self.last, self.dropout, self.classifier = network.last, network.dropout, network.classifier
        self._run = network.run

    def forward(self, images: Tensor) -> Tensor:
        """Return logits ``(N, classes)`` for images ``(N, C, H, W)``."""
        return self._run(images, self.cells)
