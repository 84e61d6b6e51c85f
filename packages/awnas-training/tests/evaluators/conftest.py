"""A supernet small enough for brute force: smooth, in double precision, one cell of two inner nodes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from awnas_core import Decision, Decisions, Device, Mixture, RelaxedRollout, SearchSpace, WeightsManager
from awnas_core.testing import build
from awnas_training.evaluators.shared_weights import SharedWeightsEvaluator

TARGETS = (1, 2, 2)
OPS = ("none", "skip", "conv", "wide")


class CellSpace(SearchSpace):
    """Node 1 reads node 0; node 2 reads both; each edge has an operation."""

    mixtures = (Mixture("cell", OPS, TARGETS),)

    def __init__(self) -> None:
        self._decisions = Decisions([Decision(f"edge {i}", OPS) for i in range(3)])

    @property
    def decisions(self):
        return self._decisions

    def discretize(self, relaxed):
        weights = relaxed["cell"]
        return tuple(map(int, (weights.mean(1) if weights.ndim == 3 else weights).argmax(-1)))

    def genotype(self, arch):
        return str(arch)

    def parse(self, text):
        raise NotImplementedError


class Supernet(WeightsManager, nn.Module):
    def __init__(self, *, dropout: float = 0.0) -> None:
        nn.Module.__init__(self)
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.stem = nn.Sequential(nn.Conv2d(1, 4, 3, 2), nn.BatchNorm2d(4))
            self.edges = nn.ModuleList(nn.ModuleDict({"conv": _conv(1), "wide": _conv(3)}) for _ in TARGETS)
            self.head = nn.Linear(4, 10)
        self.dropout = nn.Dropout(dropout)
        self.double()

    def assemble_candidate(self, rollout) -> nn.Module:
        return Candidate(self, rollout)

    def layers(self, rollout):
        return []

    def state(self):
        return {"weights": dict(self.state_dict())}

    def load_state(self, state):
        self.load_state_dict(state["weights"])


class Candidate(nn.Module):
    def __init__(self, network: Supernet, rollout: Any) -> None:
        super().__init__()
        self.network = network
        if isinstance(rollout, RelaxedRollout):
            self.relaxed = {key: torch.as_tensor(value) for key, value in rollout.relaxed.items()}
        else:
            self.relaxed = {"cell": torch.eye(len(OPS), dtype=torch.float64)[list(rollout.arch)]}
        self.active = (self.relaxed["cell"] != 0).tolist()

    def forward(self, images, relaxed=None):
        net = self.network
        weights = (relaxed or self.relaxed)["cell"]
        edges = (relaxed or self.relaxed).get("cell.edges", torch.ones(3))
        x = net.stem(images.double())
        first = edges[0] * self._mix(0, weights[0], x, relaxed)
        second = edges[1] * self._mix(1, weights[1], x, relaxed) + edges[2] * self._mix(
            2, weights[2], first, relaxed
        )
        return net.head(net.dropout((first + second).mean((2, 3))))

    def _mix(self, edge, weights, x, relaxed):
        ops = {"skip": nn.Identity(), **self.network.edges[edge]}
        return sum(
            (
                weights[OPS.index(name)] * op(x)
                for name, op in ops.items()
                if relaxed is not None or self.active[edge][OPS.index(name)]
            ),
            torch.zeros_like(x),
        )


def _conv(kernel: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(4, 4, kernel, padding=kernel // 2), nn.Tanh(), nn.BatchNorm2d(4, affine=False)
    )


def make_evaluator(supernet=None, *, objective=None, seed=0, **options) -> SharedWeightsEvaluator:
    """Return an evaluator on the digits, without clipping, momentum or schedule unless asked for."""
    options = {
        "batch_size": 8,
        "data_portion": (0.05, 0.05),
        "workers_per_queue": 0,
        "eval_optimizer": {"type": "SGD", "lr": 0.1},
        "eval_scheduler": None,
    } | options
    return SharedWeightsEvaluator(
        build("dataset", "digits"),
        supernet or Supernet(),
        objective or build("objective", "classification"),
        Device("cpu"),
        np.random.default_rng(seed),
        **options,
    )


def make_relaxed(n: int = 1, *, seed: int = 1, edges: bool = False, hard: bool = False) -> list[Any]:
    """Return fresh relaxed architectures in double precision, the same each time."""
    generator = torch.Generator().manual_seed(seed)
    rollouts = []
    for _ in range(n):
        weights = torch.randn(3, 4, generator=generator, dtype=torch.float64).softmax(-1)
        if hard:
            weights = torch.eye(4, dtype=torch.float64)[weights.argmax(-1)]
        relaxed = {"cell": weights}
        if edges:
            relaxed["cell.edges"] = torch.rand(3, generator=generator, dtype=torch.float64)
        rollouts.append(RelaxedRollout(CellSpace(), relaxed))
    return rollouts


@pytest.fixture
def supernet():
    return Supernet


@pytest.fixture
def cell_space():
    return CellSpace()


@pytest.fixture
def evaluator():
    return make_evaluator


@pytest.fixture
def relaxed():
    return make_relaxed
