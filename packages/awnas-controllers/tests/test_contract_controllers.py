"""The controllers keep the contract of the test kit."""

import pytest

from awnas_core import Evaluation, Goal
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


class TestFileSampler(ControllerContract):
    component = "file-sampler"

    @pytest.fixture(autouse=True)
    def _list(self, tmp_path):
        path = tmp_path / "archs.yaml"
        path.write_text("- toy(0, 1, 2, 0)\n- [1, 1, 1, 1]\n- toy(2, 2, 2, 2)\n")
        self.cfg = {"archs": str(path)}


class TestRejectionSample(ControllerContract):
    component = "rejection-sample"


class TestRejectionSampleOfEvolution(ControllerContract):
    component = "rejection-sample"
    cfg = {
        "base_sampler_type": "evo",
        "base_sampler_cfg": {"population_size": 3, "parent_pool_size": 2},
        "rejector_cfg": {"accept_repeats": False},
    }


class TestLocalSearch(ControllerContract):
    component = "local-search"
    cfg = {"init_samples": 2}


class TestSa(ControllerContract):
    component = "sa"


class TestEvo(ControllerContract):
    component = "evo"
    cfg = {"population_size": 4, "parent_pool_size": 2}


class TestElitistEvo(ControllerContract):
    component = "evo"
    cfg = {
        "population_size": 4,
        "parent_pool_size": 4,
        "elimination_strategy": "perf",
        "derive_from": "all",
        "train_weights_on": "population",
        "repeats": {"avoid": "history"},
    }


class Multiobjective(ControllerContract):
    def collaborators(self):
        goals = (Goal(metric="reward", reference=0.0), Goal(metric="cost", direction="min", reference=9.0))
        return super().collaborators() | {"goals": goals}

    def results(self, rollouts):
        return [
            rollout.record(Evaluation(perf={"reward": self.worth(rollout), "cost": float(sum(rollout.arch))}))
            for rollout in rollouts
        ]


class TestParetoEvo(ControllerContract):
    component = "pareto-evo"
    cfg = {"population_size": 3}


class TestParetoEvoOfTwoGoals(Multiobjective):
    component = "pareto-evo"
    cfg = {"population_size": 3, "derive_from": "n", "train_weights_on": "half-random"}


class TestUniformParetoEvo(Multiobjective):
    component = "pareto-evo"
    cfg = {"population_size": 3, "parent_selection": "uniform", "repeats": {"avoid": "population"}}


class TestCars(ControllerContract):
    component = "cars"
    cfg = {"population_size": 3}


class TestCarsOfTwoGoals(Multiobjective):
    component = "cars"
    cfg = {"population_size": 3, "train_weights_on": "half-random"}
