"""The cost model: counts of primitives in, cost out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from awnas_hardware.primitive import PrimitiveCounts
from awnas_hardware.vocabulary import Matrix, Vocabulary

Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Sample:
    """Measured networks.

    Args:
        counts: How often each network runs each primitive, shape ``(n, P)``.
        costs: What each network costs, shape ``(n,)``, above 0.
        names: The primitives, ``P`` of them.
        parts: What one run of each primitive costs by itself, shape ``(P,)``; NaN where that was not measured.
        descriptors: What is known of each primitive without measuring, shape ``(P, F)``, none of it below 0.
        order: When each network was measured, by its number, shape ``(n,)``.
    """

    counts: Matrix
    costs: Matrix
    names: tuple[str, ...]
    parts: Matrix
    descriptors: Matrix
    order: npt.NDArray[np.integer[Any]]

    @classmethod
    def of(
        cls,
        vocabulary: Vocabulary,
        networks: Sequence[PrimitiveCounts],
        costs: Matrix | None = None,
        *,
        parts: Matrix | None = None,
        descriptors: Matrix | None = None,
    ) -> Sample:
        """Return networks in the order in which they were measured; what is left out is unknown.

        Raises: MissingPrimitiveError when the vocabulary lacks a primitive of a network.
        """
        return cls(
            counts=vocabulary.matrix(networks),
            costs=np.full(len(networks), np.nan) if costs is None else costs,
            names=vocabulary.names,
            parts=np.full(len(vocabulary), np.nan) if parts is None else parts,
            descriptors=vocabulary.descriptors() if descriptors is None else descriptors,
            order=np.arange(len(networks)),
        )

    def costing(self, costs: Matrix) -> Sample:
        """Return the same networks with other costs, as on another device."""
        return replace(self, costs=costs)

    def take(self, rows: npt.NDArray[np.integer[Any]]) -> Sample:
        """Return some of the networks."""
        return replace(self, counts=self.counts[rows], costs=self.costs[rows], order=self.order[rows])


class CostModel(ABC):
    """Predicts the cost of networks from counts of their primitives."""

    kind: ClassVar[str]
    needs_parts: ClassVar[bool] = False  # whether it asks what primitives cost by themselves

    @classmethod
    @abstractmethod
    def fit(cls, sample: Sample) -> Self:
        """Return the model of measured networks.

        Raises: ConfigError when the sample lacks what the model needs.
        """

    @abstractmethod
    def predict(self, counts: Matrix) -> Matrix:
        """Return what networks cost, shape ``(n,)``, for counts ``(n, P)``."""

    @abstractmethod
    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return all parameters as arrays; :meth:`from_arrays` makes an equal model of them."""

    @classmethod
    @abstractmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Return the model with these parameters.

        Raises: KeyError or ValueError when they are of something else.
        """
