"""The controllers keep the contract of the test kit."""

import pytest

from awnas_core.testing import ControllerContract


class TestRandomSample(ControllerContract):
    component = "random-sample"


class TestPairs(ControllerContract):
    component = "pairs"


class RlContract(ControllerContract):
    component = "rl"

    @pytest.fixture(autouse=True)
    def _cells(self, cells):
        self._cells = cells

    def space(self):
        return self._cells()


class TestRl(RlContract):
    pass


class TestRlWithIndependentGroups(RlContract):
    cfg = {"independent_cell_group": True, "controller_network_type": "embed_lstm"}


class TestRlWithConditionedGroups(RlContract):
    cfg = {"condition_hidden_cell_groups": True}


class TestRlWithPpo(RlContract):
    cfg = {
        "controller_network_type": "embed_lstm",
        "controller_network_cfg": {"num_lstm_layers": 2},
        "rl_agent_type": "ppo",
        "rl_agent_cfg": {"minibatch_size": 2},
    }


class TestSoftmax(ControllerContract):
    component = "differentiable"
    cfg = {"use_prob": True, "use_edge_normalization": True}


class TestGumbelSoftmax(ControllerContract):
    component = "differentiable"
    cfg = {"rollout_batch_size": 2}


class TestHardSamples(ControllerContract):
    component = "differentiable"
    cfg = {"gumbel_hard": True}
