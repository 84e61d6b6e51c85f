"""A space of cells small enough to enumerate, and ``rl`` controllers on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from awnas_controllers.reinforcement.agents import PolicyGradientAgent
from awnas_controllers.reinforcement.controller import RlController
from awnas_controllers.reinforcement.networks import AnchorLstm, EmbedLstm
from awnas_core import Decision, Decisions, Evaluation, Rollout, SearchSpace

NETWORKS = {"anchor": AnchorLstm, "embed": EmbedLstm}


class Cells(SearchSpace):
    """Cells whose decisions are ordered unlike those of a policy: all primitives first, last node first."""

    def __init__(
        self,
        primitives: Sequence[Sequence[str]] = (("a", "b", "c"), ("a", "b", "c")),
        *,
        steps: Sequence[int] = (2, 2),
        num_init_nodes: int = 2,
        num_node_inputs: int = 2,
    ) -> None:
        self.num_init_nodes = num_init_nodes
        self.num_node_inputs = num_node_inputs
        self.group_names = tuple(f"group_{g}" for g in range(len(primitives)))
        self._primitives = [tuple(names) for names in primitives]
        self._steps = steps
        decisions = []
        self._places: dict[tuple[int, str, int], int] = {}
        for group, names in enumerate(self._primitives):
            for place in reversed(range(steps[group] * num_node_inputs)):
                self._places[group, "op", place] = len(decisions)
                decisions.append(Decision(f"op {group} {place}", names))
            for place in reversed(range(steps[group] * num_node_inputs)):
                self._places[group, "node", place] = len(decisions)
                nodes = tuple(range(num_init_nodes + place // num_node_inputs))
                decisions.append(Decision(f"node {group} {place}", nodes))
        self._decisions = Decisions(decisions)

    @property
    def decisions(self) -> Decisions:
        return self._decisions

    def steps_of(self, group: int) -> int:
        return self._steps[group]

    def primitives_of(self, group: int) -> tuple[str, ...]:
        return self._primitives[group]

    def cells(self, arch: Any) -> list[tuple[list[int], list[int]]]:
        def part(group: int, kind: str) -> list[int]:
            return [
                arch[self._places[group, kind, i]] for i in range(self._steps[group] * self.num_node_inputs)
            ]

        return [(part(group, "node"), part(group, "op")) for group in range(len(self._primitives))]

    def genotype(self, arch: Any) -> str:
        return str(self.cells(arch))

    def parse(self, text: str) -> Any:
        raise NotImplementedError


def make_rl(
    space: SearchSpace, *, network: Any = "embed", agent: Any = None, seed: int = 0, **options: Any
) -> RlController:
    """Return a controller; ``network`` is a network or the short name of one."""
    if isinstance(network, str):
        network = NETWORKS[network](np.random.default_rng(seed + 1))
    return RlController(
        space,
        np.random.default_rng(seed),
        controller_network=network,
        rl_agent=agent or PolicyGradientAgent(),
        **options,
    )


def evaluate(rollouts: Sequence[Rollout], worth: Callable[[Rollout], float]) -> list[Rollout]:
    return [rollout.record(Evaluation(perf={"reward": worth(rollout)})) for rollout in rollouts]


@pytest.fixture
def rl():
    return make_rl


@pytest.fixture
def networks():
    return NETWORKS


@pytest.fixture
def cells():
    return Cells


@pytest.fixture
def rewarded():
    return evaluate


def tell(controller: Any, *results: tuple[Sequence[int], Any]) -> dict[str, float]:
    """Report (architecture, reward or perf or evaluation) in one step."""

    def evaluation(what: Any) -> Evaluation:
        if isinstance(what, Evaluation):
            return what
        return Evaluation(perf=what if isinstance(what, dict) else {"reward": float(what)})

    space = controller.search_space
    return controller.step([space.rollout(tuple(arch)).record(evaluation(what)) for arch, what in results])


def search(controller: Any, worth: Callable[[Any], Any], evaluations: int, *, batch: int = 1) -> None:
    """Ask and tell so many evaluations; ``worth`` returns the reward or the perf of an architecture."""
    for _ in range(evaluations // batch):
        rollouts = controller.sample(batch)
        tell(controller, *((rollout.arch, worth(rollout.arch)) for rollout in rollouts))


@pytest.fixture(name="tell")
def _tell():
    return tell


@pytest.fixture(name="search")
def _search():
    return search
