"""Architectures from a list: the walk through it, and what is derived."""

import numpy as np
import pytest

from awnas_controllers.file_sampler import FileSamplerController
from awnas_core import CheckpointError, ConfigError, GenotypeError, Purpose
from awnas_core.search.genotype_file import write_rollouts
from awnas_core.testing.toys import ToySpace

SPACE = ToySpace(num_decisions=4)
LISTED = [rollout.arch for rollout in SPACE.random_samples(12, np.random.default_rng(0))]


@pytest.fixture
def listed(tmp_path):
    def write(archs=LISTED, mode="str"):
        path = tmp_path / "archs.yaml"
        write_rollouts(path, [SPACE.rollout(arch) for arch in archs], mode)
        return str(path)

    return write


def sampler(path, seed=0, **options):
    return FileSamplerController(SPACE, np.random.default_rng(seed), archs=path, **options)


def archs(rollouts):
    return [rollout.arch for rollout in rollouts]


@pytest.mark.parametrize("mode", ["str", "list"])
def test_the_list_is_walked_in_its_order(mode, listed):
    controller = sampler(listed(mode=mode), shuffle_indexes=False)
    walked = archs(controller.sample(5)) + archs(controller.sample(10))
    assert walked == [*LISTED, *LISTED[:3]]


def test_a_shuffled_walk_takes_another_order_each_time_and_misses_nothing(listed):
    controller = sampler(listed())
    rounds = [archs(controller.sample(12)) for _ in range(3)]
    assert all(sorted(one) == sorted(LISTED) for one in rounds)
    assert rounds[0] != rounds[1] != rounds[2]


def test_independent_samples_may_repeat_and_are_of_the_list(listed):
    controller = sampler(listed(), avoid_repeat=False)
    for purpose in (Purpose.PROPOSE, Purpose.TRAIN_WEIGHTS):
        assert set(archs(controller.sample(300, purpose))) == set(LISTED)


def test_the_best_evaluated_are_derived_first_then_the_rest_of_the_list(listed, tell):
    controller = sampler(listed())
    assert archs(controller.sample(3, Purpose.DERIVE)) == LISTED[:3]
    tell(controller, (LISTED[4], 0.5), (LISTED[7], 0.9))
    assert archs(controller.sample(4, Purpose.DERIVE)) == [LISTED[7], LISTED[4], *LISTED[:2]]


def test_deriving_more_than_there_are_begins_anew(listed):
    assert archs(sampler(listed(LISTED[:2])).sample(5, Purpose.DERIVE)) == [
        *LISTED[:2],
        *LISTED[:2],
        LISTED[0],
    ]


def test_an_entry_of_another_space_is_named(tmp_path):
    path = tmp_path / "archs.yaml"
    path.write_text("- toy(0, 0, 0, 0)\n- toy(0, 0, 0, 9)\n")
    with pytest.raises(GenotypeError, match=r"archs\.yaml', entry 1: decision 'd3' has codes 0 … 2, got 9"):
        sampler(str(path))


def test_a_missing_file_is_an_error():
    with pytest.raises(GenotypeError, match="cannot read the genotype list"):
        sampler("nowhere.yaml")


def test_the_list_may_stand_in_the_config_itself():
    controller = FileSamplerController(
        SPACE, np.random.default_rng(0), archs=("toy(0, 1, 2, 0)", "toy(1, 1, 1, 1)"), shuffle_indexes=False
    )
    assert archs(controller.sample(3)) == [(0, 1, 2, 0), (1, 1, 1, 1), (0, 1, 2, 0)]


@pytest.mark.parametrize("nothing", ["", ()])
def test_an_empty_list_is_refused(nothing):
    with pytest.raises(ConfigError, match="archs is empty"):
        sampler(nothing)


def test_the_state_of_another_list_is_refused(listed):
    state = sampler(listed()).state()
    with pytest.raises(CheckpointError, match="of a list of 12 architectures, archs has 2"):
        sampler(listed(LISTED[:2])).load_state(state)
