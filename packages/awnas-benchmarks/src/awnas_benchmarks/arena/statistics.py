"""The little statistics that a fair comparison needs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def wilcoxon(a: Sequence[float] | Floats, b: Sequence[float] | Floats) -> float:
    """Return the two-sided p-value of the signed-rank test that paired values differ in neither direction.

    Exact: the distribution of the sum of ranks over all signs is worked out, ties sharing their mean rank; pairs
    without a difference are left out.

    Args:
        a: Values of one algorithm, by seed.
        b: Those of the other, for the same seeds.

    Source: Wilcoxon, "Individual comparisons by ranking methods", Biometrics Bulletin 1945; for learning algorithms,
    Demšar, JMLR 2006.
    """
    differences = np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)
    differences = differences[differences != 0]
    if not len(differences):
        return 1.0
    doubled = np.rint(2 * ranks(np.abs(differences))).astype(np.int64)  # whole numbers, ties too
    chances = np.ones(1)
    for rank in doubled.tolist():  # of each sum of positive ranks, when every sign is a coin
        longer = np.zeros(len(chances) + rank)
        longer[: len(chances)] += chances / 2
        longer[rank:] += chances / 2
        chances = longer
    positive = int(doubled[differences > 0].sum())
    tail = min(chances[: positive + 1].sum(), chances[positive:].sum())
    return float(min(1.0, 2 * tail))


def ranks(values: Sequence[float] | Floats) -> Floats:
    """Return the rank of each value, 1 for the smallest; equal values share the mean of their ranks."""
    _, places, counts = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[places], dtype=np.float64)


def holm(p_values: Mapping[tuple[str, str], float]) -> dict[tuple[str, str], float]:
    """Return p-values corrected for the number of comparisons.

    Source: Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 1979.
    """
    corrected, largest = {}, 0.0
    for place, (pair, p) in enumerate(sorted(p_values.items(), key=lambda item: item[1])):
        largest = max(largest, min(1.0, (len(p_values) - place) * p))
        corrected[pair] = largest
    return {pair: corrected[pair] for pair in p_values}


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over seeds.

    Args:
        mean: The mean.
        deviation: Standard deviation over seeds; 0 for one.
        half: Half the width of its 95 % interval; 0 for one seed.
    """

    mean: float
    deviation: float
    half: float

    @classmethod
    def of(cls, values: Sequence[float] | Floats) -> Mean:
        """Return the mean of values that are there; NaN when none is."""
        known = np.asarray(values, dtype=np.float64)
        known = known[~np.isnan(known)]
        if not len(known):
            return cls(math.nan, math.nan, math.nan)
        deviation = float(known.std(ddof=1)) if len(known) > 1 else 0.0
        half = student_quantile(len(known) - 1) * deviation / math.sqrt(len(known)) if len(known) > 1 else 0.0
        return cls(float(known.mean()), deviation, half)


def student_quantile(freedom: int, probability: float = 0.975) -> float:
    """Return a quantile of Student's t distribution, to 1 % from three degrees of freedom on.

    Source: the expansion of Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.7.5.
    """
    z = NormalDist().inv_cdf(probability)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, 1))


def pairs(names: Sequence[str]) -> list[tuple[str, str]]:
    """Return every two different names, in order."""
    return list(itertools.combinations(names, 2))
