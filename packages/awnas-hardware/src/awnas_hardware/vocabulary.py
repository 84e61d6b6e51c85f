"""The primitives that a cost model knows, and networks as rows of counts of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from awnas_core.errors import ConfigError, did_you_mean
from awnas_hardware.primitive import Primitive, PrimitiveCounts, difference

Matrix = npt.NDArray[np.float64]
SHOWN = 5


class MissingPrimitiveError(ConfigError):
    """A network has primitives whose cost nobody knows."""


@dataclass(frozen=True)
class Vocabulary:
    """Names of primitives in a fixed order.

    Args:
        names: Texts of primitives, or, in tables that others published, what they call the parts of a network.
    """

    names: tuple[str, ...]

    @classmethod
    def of(cls, networks: Iterable[PrimitiveCounts]) -> Vocabulary:
        """Return every primitive of ``networks``, in alphabetical order."""
        return cls(tuple(sorted({name for network in networks for name in network})))

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def columns(self) -> dict[str, int]:
        """Name → column."""
        return {name: column for column, name in enumerate(self.names)}

    def missing(self, networks: Iterable[PrimitiveCounts]) -> list[str]:
        """Return the primitives of ``networks`` that are not here, in alphabetical order."""
        return sorted({name for network in networks for name in network} - set(self.columns))

    def matrix(self, networks: Sequence[PrimitiveCounts]) -> Matrix:
        """Return how often each network has each primitive, shape ``(n, P)``.

        Raises: MissingPrimitiveError naming what is unknown and how it differs from what is known.
        """
        matrix = np.zeros((len(networks), len(self)))
        try:
            for row, network in enumerate(networks):
                for name, count in network.items():
                    matrix[row, self.columns[name]] = count
        except KeyError:
            raise MissingPrimitiveError(self._complaint(self.missing(networks))) from None
        return matrix

    def descriptors(self) -> Matrix:
        """Return what is known of each primitive without measuring, shape ``(P, F)``.

        One run, millions of multiply-adds, megabytes of traffic and of weights, and one run of its operation; of names
        that are no primitives only the run.
        """
        known = [_parsed(name) for name in self.names]
        ops = sorted({primitive.op for primitive in known if primitive})
        rows = np.zeros((len(known), 4 + len(ops)))
        rows[:, 0] = 1
        for row, primitive in zip(rows, known, strict=True):
            if primitive:
                row[1:4] = primitive.macs / 1e6, primitive.traffic / 1e6, 4 * primitive.weights / 1e6
                row[4 + ops.index(primitive.op)] = 1
        return rows

    def _complaint(self, missing: Sequence[str]) -> str:
        lines = [f"  {name}{self._hint(name)}" for name in missing[:SHOWN]]
        rest = [f"  and {len(missing) - SHOWN} more"] if len(missing) > SHOWN else []
        what = "primitive is" if len(missing) == 1 else "primitives are"
        return "\n".join([f"{len(missing)} {what} unknown to the cost model:", *lines, *rest])

    def _hint(self, name: str) -> str:
        try:
            found = difference(name, self.names)
        except ConfigError:
            return did_you_mean(name, self.names)
        return f"; the nearest known differs in {found}" if found else "; nothing like it is known"


def _parsed(name: str) -> Primitive | None:
    try:
        return Primitive.parse(name)
    except ConfigError:
        return None
