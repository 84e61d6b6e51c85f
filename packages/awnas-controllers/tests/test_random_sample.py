"""Random search draws from the space and from nothing else."""

import numpy as np
import pytest

from awnas_controllers.random_sample import RandomSampleController
from awnas_core import Purpose
from awnas_core.testing.toys import ToySpace


@pytest.mark.parametrize("purpose", list(Purpose))
def test_samples_are_those_of_the_space(purpose):
    space = ToySpace(num_decisions=5)
    controller = RandomSampleController(space, np.random.default_rng(3))
    assert controller.sample(20, purpose) == space.random_samples(20, np.random.default_rng(3))


def test_it_learns_nothing():
    space = ToySpace()
    taught, untaught = (RandomSampleController(space, np.random.default_rng(3)) for _ in range(2))
    assert taught.step(taught.sample(4)) == {}
    untaught.sample(4)
    assert taught.sample(10) == untaught.sample(10)
