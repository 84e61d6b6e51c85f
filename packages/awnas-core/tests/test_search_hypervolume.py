"""Hyper-volumes are those of another library, and of counting cells."""

import itertools

import numpy as np
import pytest

from awnas_core.search.hypervolume import hypervolume


def random_sets(m, cases=60):
    """Sets of points with ties, some of them no better than the reference."""
    rng = np.random.default_rng(m)
    for _ in range(cases):
        points = rng.integers(-2, 8, size=(int(rng.integers(1, 50)), m)).astype(float)
        yield points, rng.integers(-1, 3, size=m).astype(float)


@pytest.mark.parametrize("m", [1, 2, 3, 4, 5])
def test_volumes_are_those_of_another_library(m):
    moocore = pytest.importorskip("moocore")
    for points, reference in random_sets(m):
        expected = moocore.hypervolume(points, ref=reference, maximise=True)
        assert hypervolume(points, reference) == pytest.approx(expected)


@pytest.mark.parametrize("m", [1, 2, 3, 4])
def test_volumes_are_the_number_of_unit_cells_that_are_dominated(m):
    for points, reference in random_sets(m, cases=8):
        corners = np.array(list(itertools.product(range(-1, 8), repeat=m)))  # the better corner of each cell
        inside = (corners > reference).all(-1) & (corners[:, None] <= points).all(-1).any(-1)
        assert hypervolume(points, reference) == inside.sum()


@pytest.mark.parametrize("m", [2, 3, 4])
def test_smooth_fronts_of_real_numbers_agree_too(m):
    moocore = pytest.importorskip("moocore")
    directions = np.random.default_rng(m).random((60, m))
    front = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    expected = moocore.hypervolume(front, ref=[0.1] * m, maximise=True)
    assert hypervolume(front, [0.1] * m) == pytest.approx(expected)


def test_points_that_do_not_exceed_the_reference_add_nothing():
    assert hypervolume([[2.0, 0.0], [0.0, 2.0], [-1.0, 9.0]], [0.0, 0.0]) == 0
    assert hypervolume(np.empty((0, 3)), [0.0] * 3) == 0


@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_values_that_are_not_finite_are_refused(value):
    with pytest.raises(ValueError, match="finite"):
        hypervolume([[1.0, value]], [0.0, 0.0])
    with pytest.raises(ValueError, match="finite"):
        hypervolume([[1.0, 1.0]], [0.0, value])


def test_a_reference_of_other_objectives_is_refused():
    with pytest.raises(ValueError, match="2 objectives, the reference 3"):
        hypervolume([[1.0, 1.0]], [0.0] * 3)
