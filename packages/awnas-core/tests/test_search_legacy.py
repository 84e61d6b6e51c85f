"""Trainer options of the older layer."""

import pytest

from awnas_core import ConfigError
from awnas_core.testing.making import check


def test_what_the_controller_knows_is_dropped_from_the_trainer():
    old = {"epochs": 3, "is_differentiable": True, "rollout_batch_size": 1}
    assert check("trainer", "simple", old).options == check("trainer", "simple", {"epochs": 3}).options


def test_samples_that_share_a_batch_move_to_the_controller():
    with pytest.raises(ConfigError, match=r"controller_cfg\.rollout_batch_size: 256"):
        check("trainer", "simple", {"rollout_batch_size": 256})
