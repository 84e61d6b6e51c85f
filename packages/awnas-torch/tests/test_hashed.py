"""Random numbers by position: the published sequence, and even coverage."""

import numpy as np

from awnas_torch.hashed import uniforms

# The first outputs of SplitMix64 from 1234567, as printed on rosettacode.org, "Pseudo-random numbers/Splitmix64".
PUBLISHED = [
    6457827717110365317,
    3203168211198807973,
    9817491932198370423,
    4593380528125082431,
    16408922859458223821,
]


def test_the_numbers_are_those_of_splitmix64():
    numbers = uniforms(np.array([1234567], dtype=np.uint64), 5)[0]
    np.testing.assert_array_equal(numbers, [(value >> 11) / 2**53 for value in PUBLISHED])


def test_numbers_of_neighbouring_seeds_are_even_and_unrelated():
    numbers = uniforms(np.arange(20_000, dtype=np.uint64), 3)
    assert numbers.min() >= 0
    assert numbers.max() < 1
    for column in numbers.T:
        counts = np.histogram(column, bins=20, range=(0, 1))[0]
        assert abs(counts - 1000).max() < 150  # five standard deviations
    pairs = np.corrcoef(np.concatenate([numbers[:-1].T, numbers[1:].T]))
    assert abs(pairs - np.eye(6)).max() < 0.04
