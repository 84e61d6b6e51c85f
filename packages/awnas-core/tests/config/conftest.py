"""A small registry of toy components, enough for a search and for a final training."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pytest

from awnas_core import ComponentSpec, KindSpec, hookimpl
from awnas_core.errors import ConfigError
from awnas_core.options import Child, OptimizerCfg, PositiveInt
from awnas_core.plugins.manager import PluginManager, PluginRecord
from awnas_core.plugins.registry import Registry

if TYPE_CHECKING:
    from only_a_type_checker_sees_this import Space


@dataclass(frozen=True, kw_only=True)
class Tournament:
    """How a parent is chosen.

    Args:
        size: Rollouts drawn.
    """

    size: int = 25
    perf_name: str = "reward"

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ConfigError(f"size must be at least 1, got {self.size}")


class Cells:
    """Cells.

    Args:
        num_steps: Nodes in a cell.
    """

    schedulable = ("num_steps",)

    def __init__(self, *, num_steps: PositiveInt = 4, concat: Literal["loose", "all"] = "loose") -> None:
        self.num_steps = num_steps

    def random_sample(self, rng: Any) -> Any:
        """Return something with a genotype."""
        return types.SimpleNamespace(genotype=f"Cells({self.num_steps}: {rng.integers(10)})")


class Evolution:
    """Evolution.

    Args:
        population: Rollouts kept alive;
            the oldest leaves first.
        tournament: How a parent is chosen.
    """

    schedulable = ("population",)

    def __init__(
        self,
        search_space: Space,
        rng: Any,
        *,
        population: PositiveInt = 100,
        tournament: Tournament = Tournament(),
    ) -> None: ...

    @classmethod
    def check_options(cls, options: Mapping[str, Any]) -> None:
        """A tournament is not larger than the population."""
        if options["tournament"].size > options["population"]:
            error = ConfigError("a tournament cannot be larger than the population")
            error.key = "tournament.size"  # type: ignore[attr-defined]
            raise error


class Agent:
    """An agent."""

    def __init__(self, *, gamma: float = 1.0) -> None: ...


class ProximalAgent(Agent):
    """Another agent."""

    def __init__(self, *, gamma: float = 1.0, clip: float = 0.2) -> None: ...


class Reinforce:
    """Reinforcement learning."""

    def __init__(
        self, search_space: Space, *, entropy: float = 0.01, rl_agent: Agent = Child("rl_agent", "pg")
    ) -> None: ...


class Pictures:
    """Pictures."""

    def __init__(self, *, folder: str = "pictures") -> None: ...


class Sentences:
    """Sentences."""

    def __init__(self, *, corpus: str) -> None: ...


class Accuracy:
    """Accuracy."""

    def __init__(self, *, label_smoothing: float = 0.0) -> None: ...


class Supernet:
    """A supernet."""

    def __init__(
        self, search_space: Space, device: Any, rng: Any, num_classes: int, *, channels: PositiveInt = 16
    ) -> None: ...


class Shared:
    """Shared weights."""

    def __init__(
        self,
        dataset: Any,
        weights_manager: Any,
        objective: Any,
        *,
        batch_size: PositiveInt = 128,
        samples: int = 1,
    ) -> None: ...


def modern_shared_cfg(cfg: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Rename an old option."""
    if "mepa_samples" not in cfg:
        return cfg, []
    samples = cfg.pop("mepa_samples")
    if samples == 0:
        raise ConfigError("mepa_samples of 0 has no counterpart")
    return {**cfg, "samples": samples}, ["mepa_samples is called samples now"]


class Table:
    """A table."""

    def __init__(self, search_space: Space, *, path: str = "table.json") -> None: ...


class Loop:
    """A search loop."""

    def __init__(
        self,
        controller: Any,
        evaluator: Any,
        *,
        epochs: PositiveInt = 10,
        controller_optimizer: OptimizerCfg | None = None,
        test_every: PositiveInt | None = None,
    ) -> None: ...


class Adam:
    """An optimizer; what it moves, its owner knows."""

    def __init__(self, params: Any, lr: float = 0.001) -> None: ...


class Net:
    """A network of one genotype.

    Args:
        genotypes: Text of the genotype.
    """

    def __init__(
        self, search_space: Space, num_classes: int, *, genotypes: str, channels: int = 36
    ) -> None: ...


class Fit:
    """Trains a network."""

    def __init__(
        self, dataset: Any, final_model: Any, objective: Any, *, epochs: PositiveInt = 600
    ) -> None: ...


KINDS = [
    KindSpec(name="search_space"),
    KindSpec(name="rollout"),
    KindSpec(name="dataset", provides=("num_classes",)),
    *(KindSpec(name=name) for name in ("controller", "weights_manager", "objective", "evaluator", "trainer")),
    *(KindSpec(name=name) for name in ("final_model", "final_trainer", "rl_agent", "optimizer")),
]


def components() -> list[ComponentSpec]:
    def spec(kind: str, name: str, target: Any, **facts: Any) -> ComponentSpec:
        return ComponentSpec(kind=kind, name=name, target=target, summary=f"About {name}.", **facts)

    return [
        *(spec("rollout", name, "json:loads") for name in ("discrete", "ofa", "differentiable")),
        spec("search_space", "cells", Cells, rollouts=("discrete", "differentiable")),
        spec("controller", "aging-evo", Evolution, rollouts=("discrete", "ofa"), aliases=("evo",)),
        spec("controller", "rl", Reinforce, rollouts=("discrete",)),
        spec("controller", "broken", "not_installed_at_all:Thing"),
        spec("rl_agent", "pg", Agent),
        spec("rl_agent", "ppo", ProximalAgent),
        spec("dataset", "pictures", Pictures, data_types=("image",)),
        spec("dataset", "sentences", Sentences, data_types=("sequence",)),
        spec("objective", "accuracy", Accuracy),
        spec("weights_manager", "supernet", Supernet, rollouts=("discrete",), data_types=("image",)),
        spec(
            "evaluator", "shared", Shared, data_types=("image",), legacy="toy_translations:modern_shared_cfg"
        ),
        spec("evaluator", "table", Table),
        spec("trainer", "loop", Loop),
        spec("optimizer", "Adam", Adam),
        spec("final_model", "net", Net, data_types=("image",)),
        spec("final_trainer", "fit", Fit),
    ]


def registry_of(specs: list[ComponentSpec], kinds: list[KindSpec] = KINDS) -> Registry:
    """Return a registry of one plugin."""
    module = types.ModuleType("toys")
    module.awnas_api = 1  # type: ignore[attr-defined]
    module.awnas_components = hookimpl(lambda: specs)  # type: ignore[attr-defined]
    module.awnas_kinds = hookimpl(lambda: kinds)  # type: ignore[attr-defined]
    manager = PluginManager()
    manager.add(PluginRecord(name="toys", origin="awnas-toys", version="1"), lambda: module)
    return Registry(manager)


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """A registry with one or two toys of every kind."""
    translations = types.ModuleType("toy_translations")
    translations.modern_shared_cfg = modern_shared_cfg  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "toy_translations", translations)
    return registry_of(components())


@pytest.fixture
def make_registry() -> Callable[..., Registry]:
    """Make a registry of given specs."""
    return registry_of
