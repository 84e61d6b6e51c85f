"""Published spaces: genotypes read back as parts, and parts cost what the papers' networks do."""

from __future__ import annotations

import numpy as np
import pytest

from awnas_core.errors import ConfigError, GenotypeError
from awnas_hardware.published import SPACES, published_space


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_the_example_of_a_space_is_one_of_its_architectures(space):
    counts = space.primitives(space.example)
    descriptors = space.descriptors(sorted(counts))
    assert descriptors.shape[0] == len(counts)
    assert (descriptors >= 0).all()


@pytest.mark.parametrize(
    ("name", "genotype", "message"),
    [
        ("fbnet", "k3_e1 skip", "2 blocks instead of 22"),
        ("fbnet", " ".join(["k3_e2"] * 22), "no block 'k3_e2'; did you mean"),
        ("ofa", "r224 k3e4", "no resolution and five stages"),
        ("ofa", "r224 k3e5 k3e3 k3e3 k3e3 k3e3", "no block 'k3e5' at place 0 of stage 0"),
        ("ofa", "r224 k3e4,k3e4,k3e4,k3e4,k3e4 k3e3 k3e3 k3e3 k3e3", "at place 4 of stage 0"),
        ("nasbench-201", "|none~0|+|none~0|none~1|", "no three nodes"),
        ("nasbench-201", "|none~0|+|none~0|none~1|+|no~0|none~1|none~2|", "no operation 'no'"),
    ],
)
def test_other_text_is_refused(name, genotype, message):
    with pytest.raises(GenotypeError, match=message):
        published_space(name).primitives(genotype)


def test_an_unknown_space_is_refused():
    with pytest.raises(ConfigError, match="did you mean 'fbnet'"):
        published_space("fb-net")


def total(space, genotype):
    counts = published_space(space).primitives(genotype)
    names = sorted(counts)
    return np.array([counts[name] for name in names]) @ published_space(space).descriptors(names)


def test_a_cell_of_convolutions_has_the_multiply_adds_of_the_benchmark():
    """15.6 million a 3×3 convolution in the sixteen-channel stage's five cells and as much in both others: 6 edges."""
    per_edge = 3 * 5 * 9 * 16 * 16 * 32 * 32 / 1e6
    cell = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|"
    assert total("nasbench-201", cell)[1] == pytest.approx(6 * per_edge)


def test_the_smallest_resolution_costs_its_share_of_pixels():
    blocks = " ".join(["k5e6,k3e4"] * 5)
    small, large = total("ofa", f"r112 {blocks}"), total("ofa", f"r224 {blocks}")
    assert small[1:3] == pytest.approx(large[1:3] / 4)
    assert small[3:5] == pytest.approx(large[3:5])


def test_a_skip_costs_nothing_unless_it_changes_the_shape():
    facts = published_space("fbnet").facts
    assert facts("2:skip") == (0, 0, 0, 0)
    assert facts("1:skip").macs == pytest.approx(16 * 24 * 56 * 56 / 1e6)


def test_groups_divide_the_arithmetic_of_pointwise_convolutions():
    facts = published_space("fbnet").facts
    pointwise = 2 * 24 * 24 * 56 * 56 / 1e6
    assert facts("2:k3_e1").macs - facts("2:k3_e1_g2").macs == pytest.approx(pointwise / 2)
