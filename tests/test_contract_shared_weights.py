"""Measuring with the shared weights of a supernet keeps the contract of evaluators."""

import numpy as np

from awnas_core.testing import EvaluatorContract, build


class TestDiscreteSharedWeights(EvaluatorContract):
    component = "discrete-shared-weights"
    cfg = {"batch_size": 16, "data_portion": [0.05, 0.05], "workers_per_queue": 0}

    def space(self):
        return build("search_space", "cnn", {"num_layers": 3, "num_steps": 2})

    def collaborators(self):
        dataset = build("dataset", "digits")
        shared = {"search_space": self.space(), "dataset": dataset}
        rng = np.random.default_rng(4)
        supernet = build("weights_manager", "supernet", {"init_channels": 4}, shared, rng)
        return {**shared, "weights_manager": supernet, "objective": build("objective", "classification")}


def test_queues_with_workers_leave_the_global_generator_alone():
    contract = TestDiscreteSharedWeights()
    contract.cfg = {**contract.cfg, "workers_per_queue": 1}
    contract.test_it_leaves_the_global_generators_alone()
