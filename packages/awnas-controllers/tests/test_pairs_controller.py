"""The controller of pairs."""

from __future__ import annotations

import numpy as np
import pytest

from awnas_controllers.pairs import PairsController
from awnas_controllers.random_sample import RandomSampleController
from awnas_core import ConfigError, Evaluation, Purpose
from awnas_core.testing.toys import ToySpace


class Recorder(RandomSampleController):
    """Remembers what it learns from."""

    def step(self, rollouts):
        self.learnt = list(rollouts)
        return {"loss": 0.5}


def test_both_members_teach_the_inner_controller():
    inner = Recorder(ToySpace(), np.random.default_rng(0))
    controller = PairsController(inner_controller=inner)
    pairs = controller.sample(3)
    members = [member for pair in pairs for member in pair.pair]
    assert members == ToySpace().random_samples(6, np.random.default_rng(0))
    for member in members[:5]:
        member.record(Evaluation(perf={"reward": 1.0}))
    assert controller.step(pairs) == {"loss": 0.5}
    assert inner.learnt == members[:5]


def test_the_final_choice_is_no_pair():
    controller = PairsController(inner_controller=Recorder(ToySpace(), np.random.default_rng(0)))
    assert controller.sample(2, Purpose.DERIVE) == ToySpace().random_samples(2, np.random.default_rng(0))


def test_relaxed_architectures_make_no_pairs():
    inner = Recorder(ToySpace(), np.random.default_rng(0))
    inner.wants_gradient = "first"
    with pytest.raises(ConfigError, match="discrete"):
        PairsController(inner_controller=inner)
