"""Seeded scopes repeat, and leave the global generators as they found them."""

import random

import numpy as np
import pytest
import torch

from awnas_torch.seeding import preserved_globals, seeded, torch_generator


def draws():
    return random.random(), float(np.random.rand()), float(torch.rand(()))  # noqa: NPY002


def rng(seed=0):
    return np.random.default_rng(seed)


def test_a_seeded_scope_follows_from_the_generator_alone():
    results = []
    for seed in (0, 0, 1):
        draws()  # of the global generators, which must not matter
        with seeded(rng(seed)):
            results.append(draws())
    assert results[0] == results[1]
    assert not set(results[0]) & set(results[2])


def test_two_scopes_of_one_generator_differ():
    generator = rng()
    results = []
    for _ in range(2):
        with seeded(generator):
            results.append(draws())
    assert not set(results[0]) & set(results[1])


@pytest.mark.parametrize("scope", [preserved_globals, lambda: seeded(rng())])
def test_global_generators_go_on_as_if_nothing_had_been(scope):
    random.seed(3)
    np.random.seed(3)  # noqa: NPY002
    torch.manual_seed(3)
    expected = draws()
    random.seed(3)
    np.random.seed(3)  # noqa: NPY002
    torch.manual_seed(3)
    with pytest.raises(ZeroDivisionError), scope():
        draws()[0] / 0
    assert draws() == expected


def test_a_torch_generator_follows_from_one_draw():
    first, second = (torch.rand(4, generator=torch_generator(rng())) for _ in range(2))
    assert torch.equal(first, second)
    generator = rng()
    torch_generator(generator)
    assert generator.integers(2**63) == np.random.default_rng(0).integers(2**63, size=2)[1]
