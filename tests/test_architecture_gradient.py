"""The gradient of architecture parameters, from the controller through supernet and evaluator and back.

Beside it stands one by automatic differentiation alone: of the validation loss, for the second order through a step of
SGD on the training loss.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.func import functional_call
from torch.nn import functional as F

from awnas_controllers.differentiable.controller import DifferentiableController
from awnas_core import Dataset, Purpose
from awnas_core.testing import build
from awnas_training.evaluators import architecture_gradients

SPACE = {
    "num_layers": 2,
    "cell_layout": [0, 1],
    "num_steps": 2,
    "shared_primitives": ["none", "skip_connect", "avg_pool_3x3", "sep_conv_3x3"],
}
SGD = {"type": "SGD", "lr": 0.1, "momentum": 0.9, "weight_decay": 3e-4}


class Noise(Dataset):
    """Images in double precision."""

    def splits(self):
        generator = torch.Generator().manual_seed(0)
        return {
            "train": [
                (torch.randn(1, 8, 8, generator=generator, dtype=torch.float64), i % 3) for i in range(32)
            ]
        }

    def facts(self):
        return {"num_classes": 3, "input_shape": (1, 8, 8)}


class Search:
    """A small search in double precision, whose controller descends the gradient as it is."""

    def __init__(self, supernet=None, **controller):
        shared = {"search_space": build("search_space", "cnn", SPACE), "dataset": Noise()}
        options = {"init_channels": 4, "dropout_rate": 0.0, **(supernet or {})}
        self.net = build("weights_manager", "diff_supernet", options, shared).double()
        shared |= {"weights_manager": self.net, "objective": build("objective", "classification")}
        evaluator = {
            "batch_size": 8,
            "data_portion": [0.5, 0.5],
            "workers_per_queue": 0,
            "eval_optimizer": SGD,
        }
        self.evaluator = build("evaluator", "differentiable_shared_weights", evaluator, shared)
        options = {"use_prob": True, "entropy_coeff": None, **controller}
        self.controller = DifferentiableController(
            shared["search_space"], np.random.default_rng(0), **options
        )
        for logits in self.controller.learnable():
            logits.data = torch.from_numpy(np.random.default_rng(len(logits)).standard_normal(logits.shape))
        self.controller.configure_optimizer({"type": "SGD", "lr": 1.0})

    def learnt(self):
        """Return what one controller step subtracts from each parameter, and the rollout."""
        before = [logits.detach().clone() for logits in self.controller.learnable()]
        (rollout,) = self.controller.sample(1, Purpose.PROPOSE)
        self.evaluator.evaluate_rollouts([rollout], gradient=self.controller.wants_gradient)
        self.controller.step([rollout])
        gradient = [b - a.detach() for b, a in zip(before, self.controller.learnable(), strict=True)]
        for logits, value in zip(self.controller.learnable(), before, strict=True):
            logits.data = value
        return gradient, rollout

    def by_autograd(self, rollout, *, unrolled):
        """Return the gradient of the parameters by automatic differentiation of everything."""
        train, validation = (self.evaluator.queues[name].peek() for name in ("weights", "controller"))
        candidate = self.net.assemble_candidate(rollout).train()
        weights = dict(candidate.named_parameters())
        logits = dict(
            zip(
                rollout.relaxed,
                (p.detach().clone().requires_grad_() for p in self.controller.learnable()),
                strict=True,
            )
        )
        relaxed = {}
        for mixture in rollout.space.mixtures:
            relaxed[mixture.name] = logits[mixture.name].softmax(-1)
            if mixture.edges_key in logits:
                edges = logits[mixture.edges_key]
                relaxed[mixture.edges_key] = torch.cat([edges[into].softmax(0) for into in mixture.slices])

        def loss(parameters, batch):
            outputs = functional_call(candidate, parameters, (batch[0],), {"relaxed": relaxed})
            return F.cross_entropy(outputs, batch[1])

        if unrolled:
            slopes = torch.autograd.grad(
                loss(weights, train), list(weights.values()), create_graph=True, allow_unused=True
            )
            optimizer = self.evaluator._weights_optimizer.optimizer
            for (name, weight), slope in zip(list(weights.items()), slopes, strict=True):
                if slope is not None:
                    step = slope + SGD["weight_decay"] * weight
                    velocity = optimizer.state.get(weight, {}).get("momentum_buffer")
                    if velocity is not None:
                        step = step + SGD["momentum"] * velocity
                    weights[name] = weight - SGD["lr"] * step
        return torch.autograd.grad(loss(weights, validation), list(logits.values()))


def relative_errors(gradient, expected):
    return [((g - e).norm() / e.norm()).item() for g, e in zip(gradient, expected, strict=True)]


PC_DARTS = [
    {"cell_group_kwargs": [{"partial_channel_proportion": 2}, {"partial_channel_proportion": 2}]},
    {"use_edge_normalization": True},
]


@pytest.mark.parametrize(("supernet", "controller"), [({}, {}), PC_DARTS], ids=["darts", "pc-darts"])
def test_the_first_order_equals_automatic_differentiation(supernet, controller):
    search = Search(supernet, **controller)
    batch = search.evaluator.queues["controller"].peek()
    gradient, rollout = search.learnt()
    search.evaluator.queues["controller"]._peeked = batch
    assert max(relative_errors(gradient, search.by_autograd(rollout, unrolled=False))) < 1e-12


@pytest.mark.parametrize(("supernet", "controller"), [({}, {}), PC_DARTS], ids=["darts", "pc-darts"])
def test_the_second_order_equals_an_unrolled_step(supernet, controller, monkeypatch):
    # Automatic differentiation knows no curvature where a ReLU bends; a difference over 0.01 feels some of it.
    monkeypatch.setattr(architecture_gradients, "REACH", 1e-7)
    search = Search(supernet, gradient_order="second", **controller)
    search.evaluator.update_evaluator(search.controller)  # momentum has something to go on with
    batch = search.evaluator.queues["controller"].peek()
    gradient, rollout = search.learnt()
    search.evaluator.queues["controller"]._peeked = batch
    expected = search.by_autograd(rollout, unrolled=True)
    assert max(relative_errors(gradient, expected)) < 1e-3
    assert min(relative_errors(search.by_autograd(rollout, unrolled=False), expected)) > 0.01
