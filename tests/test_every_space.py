"""Every controller of populations runs on every space that is installed, by ask and tell, without a trainer."""

from __future__ import annotations

import copy
import time
from typing import Any

import numpy as np
import pytest

from awnas_core import Evaluation, Goal, Purpose, RelaxedRollout
from awnas_core.errors import ConfigError
from awnas_core.session import installed_registry
from awnas_core.testing import build
from awnas_core.testing.compare import same

SMALL: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "cnn": ({"num_layers": 3, "num_steps": 2}, {}),
    "ensemble": ({"inner_search_space_cfg": {"num_layers": 2, "num_steps": 2}, "ensemble_size": 2}, {}),
    "germ": ({"network_type": "nasbench-201"}, {"input_shape": (3, 16, 16), "num_classes": 10}),
}
"""Options and collaborators of spaces that are better tried small; all others are tried as they come."""

WITHOUT_SAMPLES = {"general"}
SPACES = sorted(
    spec.name for spec in installed_registry().specs("search_space") if spec.name not in WITHOUT_SAMPLES
)
LEARNING: dict[str, dict[str, Any]] = {
    "evo": {"population_size": 12, "parent_pool_size": 6},
    "pareto-evo": {"population_size": 8},
    "cars": {"population_size": 6},
    "sa": {},
    "local-search": {"init_samples": 4},
}
CONTROLLERS: dict[str, dict[str, Any]] = {
    **LEARNING,
    "random-sample": {},
    "rejection-sample": {"base_sampler_type": "evo", "base_sampler_cfg": LEARNING["evo"]},
}
ROUNDS, ASKED = 12, 8
SECONDS = 5.0
"""What one controller may take on one space; it takes milliseconds, on a busy machine a second."""


@pytest.fixture(scope="module")
def space_of():
    """Make each space once: some take a second."""
    made: dict[str, Any] = {}

    def get(name: str) -> Any:
        if name not in made:
            made[name] = build("search_space", name, *SMALL.get(name, ({}, {})))
        return made[name]

    return get


def controller_of(name: str, space: Any, seed: int = 0) -> Any:
    goals = (Goal(metric="reward"), Goal(metric="cost", direction="min"))
    parts = {"search_space": space, "goals": goals}
    return build("controller", name, CONTROLLERS[name], parts, np.random.default_rng(seed))


class Judge:
    """Rewards every choice of an architecture by a number of its own; costs likewise."""

    def __init__(self, space: Any) -> None:
        self.space = space
        rng = np.random.default_rng(3)
        self.tables = rng.random((2, len(space.decisions), 64))

    def perf(self, rollout: Any) -> dict[str, float]:
        codes = self.space.encode_codes([rollout])[0] % 64
        reward, cost = self.tables[:, np.arange(len(codes)), codes].mean(1)
        return {"reward": float(reward), "cost": float(cost)}

    def tell(self, rollouts: list[Any]) -> list[float]:
        for rollout in rollouts:
            rollout.record(Evaluation(perf=self.perf(rollout)))
        return [rollout.reward for rollout in rollouts]


def check_rollouts(rollouts: list[Any], space: Any) -> None:
    for rollout in rollouts:
        assert rollout.status == "pending"
        assert not isinstance(rollout, RelaxedRollout)
        assert space.check_arch(rollout.arch) == rollout.arch
        assert space.parse(str(rollout.genotype)) == rollout.arch


@pytest.mark.parametrize("name", CONTROLLERS)
@pytest.mark.parametrize("space_name", SPACES)
def test_ask_and_tell(space_of, space_name, name):
    space = space_of(space_name)
    judge, controller = Judge(space), controller_of(name, space)
    started = time.process_time()
    rewards = []
    for _ in range(ROUNDS):
        rollouts = controller.sample(ASKED)
        assert len(rollouts) == ASKED
        check_rollouts(rollouts, space)
        rewards.append(judge.tell(rollouts))
        assert all(np.isfinite(value) for value in controller.step(rollouts).values())
    chosen = controller.sample(2, Purpose.DERIVE)
    assert time.process_time() - started < SECONDS
    check_rollouts(chosen, space)
    if name in LEARNING:
        assert max(judge.perf(rollout)["reward"] for rollout in chosen) > np.mean(rewards[0])


@pytest.mark.parametrize("space_name", SPACES)
def test_one_architecture_stands_for_all_that_are_isomorphic(space_of, space_name):
    space = space_of(space_name)
    controller = controller_of("rejection-sample", space)
    of_key: dict[Any, set[Any]] = {}
    for rollout in controller.sample(100):
        of_key.setdefault(space.key(rollout.arch), set()).add(rollout.arch)
    assert all(len(archs) == 1 for archs in of_key.values())


@pytest.mark.parametrize("name", CONTROLLERS)
@pytest.mark.parametrize("space_name", SPACES)
def test_a_resumed_one_proposes_what_it_would_have(space_of, space_name, name):
    space = space_of(space_name)
    judge, through = Judge(space), controller_of(name, space)
    for _ in range(2):
        rollouts = through.sample(ASKED)
        judge.tell(rollouts)
        through.step(rollouts)
    resumed = controller_of(name, space, seed=1)
    resumed.load_state(copy.deepcopy(through.state()))
    assert same(resumed.state(), through.state())
    for part in generators_of(resumed):
        part.bit_generator.state = generators_of(through)[0].bit_generator.state
    expected, found = ([rollout.arch for rollout in one.sample(ASKED)] for one in (through, resumed))
    assert found == expected


def generators_of(controller: Any) -> list[np.random.Generator]:
    """Return the generators of a controller and of the sampler in it."""
    parts = [controller, getattr(controller, "base_sampler", None)]
    return [
        value
        for part in parts
        if part is not None
        for value in vars(part).values()
        if isinstance(value, np.random.Generator)
    ]


@pytest.mark.parametrize("name", CONTROLLERS)
def test_a_space_that_cannot_be_sampled_says_so(name):
    with pytest.raises(ConfigError, match="give it genotypes"):
        controller_of(name, build("search_space", "general")).sample(1)
