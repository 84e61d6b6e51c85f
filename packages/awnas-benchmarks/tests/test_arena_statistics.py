"""The statistics of the arena, against enumeration, printed tables and worked examples."""

import itertools
import math

import numpy as np
import pytest

from awnas_benchmarks.arena.statistics import Mean, holm, ranks, student_quantile, wilcoxon


def brute_force(a, b):
    """The signed-rank test by trying every sign."""
    differences = [x - y for x, y in zip(a, b, strict=True) if x != y]
    sizes = sorted(abs(d) for d in differences)
    rank = {s: np.mean([i for i, other in enumerate(sizes, 1) if other == s]) for s in sizes}
    observed = sum(rank[abs(d)] for d in differences if d > 0)
    sums = [
        sum(rank[abs(d)] for d, sign in zip(differences, signs, strict=True) if sign)
        for signs in itertools.product((0, 1), repeat=len(differences))
    ]
    low = sum(s <= observed + 1e-9 for s in sums)
    high = sum(s >= observed - 1e-9 for s in sums)
    return min(1.0, 2 * min(low, high) / len(sums))


def test_wilcoxon_is_what_enumeration_gives_with_ties_and_zeros_too():
    rng = np.random.default_rng(0)
    for n in (3, 6, 9, 11):
        for _ in range(6):
            a, b = rng.integers(0, 6, n).astype(float), rng.integers(0, 6, n).astype(float)
            assert wilcoxon(a, b) == pytest.approx(brute_force(a, b), abs=1e-12)
            assert wilcoxon(a, b) == wilcoxon(b, a)


def test_wilcoxon_of_a_printed_example():
    """Heights of cross- and self-fertilised corn (Darwin 1876), as in the manual of SciPy: W = 24, p = 0.041."""
    differences = [6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75]
    assert wilcoxon(differences, [0] * len(differences)) == pytest.approx(0.041259765625)


def test_wilcoxon_of_equal_values_finds_nothing():
    assert wilcoxon([1.0, 2.0], [1.0, 2.0]) == 1.0
    assert wilcoxon([1.0], [0.0]) == 1.0


def test_wilcoxon_of_a_hundred_seeds_is_near_its_normal_limit():
    rng = np.random.default_rng(1)
    a = rng.normal(0.2, 1.0, 100)
    n = 100
    positive = ranks(np.abs(a))[a > 0].sum()
    z = (positive - n * (n + 1) / 4) / math.sqrt(n * (n + 1) * (2 * n + 1) / 24)
    assert wilcoxon(a, np.zeros(n)) == pytest.approx(math.erfc(abs(z) / math.sqrt(2)), rel=0.03)


def test_equal_values_share_their_mean_rank():
    assert ranks([3.0, 1.0, 3.0, 2.0]).tolist() == [3.5, 1.0, 3.5, 2.0]


def test_holm_multiplies_the_smallest_most_and_never_falls():
    p = {("a", "b"): 0.01, ("a", "c"): 0.04, ("b", "c"): 0.03}
    assert holm(p) == {("a", "b"): 0.03, ("a", "c"): 0.06, ("b", "c"): 0.06}
    assert list(holm(p)) == list(p)


@pytest.mark.parametrize(
    ("freedom", "printed"), [(3, 3.182), (4, 2.776), (9, 2.262), (19, 2.093), (99, 1.984), (10_000, 1.960)]
)
def test_quantiles_are_those_of_printed_tables(freedom, printed):
    assert student_quantile(freedom) == pytest.approx(printed, rel=0.01)


def test_a_mean_has_the_interval_of_its_sample():
    mean = Mean.of([1.0, 2.0, 3.0, 4.0, math.nan])
    assert (mean.mean, mean.deviation) == (2.5, pytest.approx(1.2909944))
    assert mean.half == pytest.approx(3.182 * 1.2909944 / 2, rel=0.01)
    assert Mean.of([0.5]) == Mean(0.5, 0.0, 0.0)
    assert math.isnan(Mean.of([]).mean)


def test_nineteen_of_twenty_intervals_hold_the_mean():
    rng = np.random.default_rng(2)
    held = [abs((m := Mean.of(rng.normal(0, 1, 10))).mean) <= m.half for _ in range(2_000)]
    assert 0.93 < np.mean(held) < 0.97
