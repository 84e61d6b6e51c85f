"""The supernet keeps the contract of the test kit."""

import torch

from awnas_core.testing import WeightsManagerContract, build


class TestSupernet(WeightsManagerContract):
    component = "supernet"
    cfg = {"init_channels": 4}

    def space(self):
        return build("search_space", "cnn", {"num_layers": 3, "num_steps": 2})

    def collaborators(self):
        return {"search_space": self.space(), "num_classes": 3, "input_shape": (1, 8, 8)}

    def inputs(self):
        return torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))


class TestCloseNet(TestSupernet):
    component = "closenet"
    cfg = {"init_channels": 4, "num_blocks": 3, "active_blocks": 2}
