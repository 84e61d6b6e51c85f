"""Rejection sampling: one architecture of each kind."""

import numpy as np
import pytest

from awnas_controllers.evolution.evo import EvoController
from awnas_controllers.random_sample import RandomSampleController
from awnas_controllers.rejection.controller import RejectionSampleController
from awnas_controllers.rejection.rejectors import CanonicalTable
from awnas_core import CheckpointError, Purpose, SpaceExhaustedError
from awnas_core.testing.toys import ToySpace


class Multisets(ToySpace):
    """Architectures are isomorphic when they hold the same choices, in whatever order."""

    def key(self, arch):
        return tuple(sorted(arch))


SPACE = Multisets(num_decisions=3, num_choices=3)  # 27 architectures of 10 kinds


def rejecting(base=None, space=SPACE, *, accept_repeats=True, **options):
    base = base or RandomSampleController(space, np.random.default_rng(0))
    table = CanonicalTable(space, accept_repeats=accept_repeats)
    return RejectionSampleController(base_sampler=base, rejector=table, **options)


def archs(rollouts):
    return [rollout.arch for rollout in rollouts]


def test_each_kind_is_always_represented_by_the_same_architecture():
    drawn = archs(rejecting().sample(500))
    assert len(set(drawn)) == len({SPACE.key(arch) for arch in drawn}) == 10
    assert len(drawn) == 500


def test_the_first_architecture_of_a_kind_is_the_one_that_stands_for_it():
    free = archs(RandomSampleController(SPACE, np.random.default_rng(0)).sample(60))
    first = {}
    for arch in free:
        first.setdefault(SPACE.key(arch), arch)
    assert set(archs(rejecting().sample(60))) <= set(first.values())


def test_every_kind_comes_once_when_repeats_are_not_accepted():
    controller = rejecting(accept_repeats=False, maximum_sample_threshold=300)
    drawn = archs(controller.sample(4) + controller.sample(6))
    assert len({SPACE.key(arch) for arch in drawn}) == 10
    with pytest.raises(SpaceExhaustedError, match="0 of 1 architectures were accepted in 300 rounds"):
        controller.sample(1)


def test_rejected_ones_are_taken_in_the_end_when_that_is_wanted():
    controller = rejecting(
        accept_repeats=False, maximum_sample_threshold=50, accept_when_reaching_threshold=True
    )
    drawn = archs(controller.sample(15))
    assert len(drawn) == 15
    assert len({SPACE.key(arch) for arch in drawn}) == 10


def test_the_base_sampler_learns_and_derives(tell):
    base = EvoController(SPACE, np.random.default_rng(0), population_size=2, parent_pool_size=2)
    controller = rejecting(base)
    controller.configure_optimizer(None, perf_name="accuracy")
    controller.search_space = SPACE
    tell(controller, ((0, 1, 2), {"accuracy": 0.9}), ((2, 1, 0), {"accuracy": 0.8}))
    assert archs(controller.sample(2, Purpose.DERIVE)) == [(0, 1, 2), (2, 1, 0)]
    assert list(base.population) == [(0, 1, 2), (2, 1, 0)]


def test_a_table_goes_on_where_it_was():
    controller = rejecting()
    before = set(archs(controller.sample(200)))
    resumed = rejecting(RandomSampleController(SPACE, np.random.default_rng(9)))
    resumed.load_state(controller.state())
    assert set(archs(resumed.sample(200))) == before
    assert len(resumed.rejector) == 10


def test_the_table_of_another_space_is_refused():
    state = CanonicalTable(SPACE).state() | {"archs": np.full((1, 3), 7)}
    with pytest.raises(CheckpointError, match="another search space"):
        CanonicalTable(SPACE).load_state(state)
