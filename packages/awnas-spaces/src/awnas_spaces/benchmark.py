"""Spaces whose architectures are rows of published tables."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from awnas_core.decisions import Codes
from awnas_core.errors import ConfigError
from awnas_core.roles.search_space import SearchSpace

Keys = npt.NDArray[np.uint64]


class BenchmarkSpace(SearchSpace):
    """A search space of which there are tables: what every architecture was worth when it was trained."""

    @property
    def benchmark(self) -> str:
        """Name of the benchmark whose tables know these architectures; empty when none does."""
        return ""

    def benchmark_keys(self, codes: Codes) -> Keys:
        """Return the number under which tables know each row of ``codes``, shape ``(n,)``.

        By default the codes read as one number, the last decision counting 1.
        """
        return codes.astype(np.uint64) @ self._place_values

    @cached_property
    def _place_values(self) -> Keys:
        values = [1]
        for cardinality in self.decisions.cardinalities[:0:-1].tolist():
            values.append(values[-1] * cardinality)
        if values[-1] * int(self.decisions.cardinalities[0]) > 2**64:
            raise ConfigError(f"{type(self).__name__} is too large to number; it needs keys of its own")
        return np.array(values[::-1], dtype=np.uint64)
