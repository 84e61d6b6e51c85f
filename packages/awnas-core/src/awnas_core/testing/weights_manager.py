"""What every weights manager promises."""

# ruff: noqa: D102 - the names of tests are sentences

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from awnas_core.layers import total_cost
from awnas_core.roles.search_space import SearchSpace
from awnas_core.roles.weights_manager import WeightsManager
from awnas_core.rollout import Rollout
from awnas_core.testing.compare import global_seed, same
from awnas_core.testing.component import ComponentContract


class WeightsManagerContract(ComponentContract):
    """Tests that every weights manager of discrete architectures passes; state :meth:`space` and :meth:`inputs`."""

    kind: ClassVar[str] = "weights_manager"

    def space(self) -> SearchSpace:
        """Return the search space of the tests."""
        raise NotImplementedError("return the search space whose architectures are assembled")

    def inputs(self) -> Any:
        """Return a small batch of inputs, the same each time."""
        raise NotImplementedError("return a batch of inputs")

    def collaborators(self) -> Mapping[str, Any]:
        """Return the search space and what is known of the inputs."""
        return {"search_space": self.space()}

    def rollouts(self, n: int = 3) -> list[Rollout]:
        """Return architectures, the same each time."""
        return self.space().random_samples(n, np.random.default_rng(11))

    def use(self, component: WeightsManager) -> Any:
        """Run candidates as whoever trains them does: in a seeded scope, for the sake of dropout."""
        with global_seed(5):
            return [component.assemble_candidate(rollout)(self.inputs()) for rollout in self.rollouts(2)]

    def test_a_candidate_is_a_function_of_its_architecture(self) -> None:
        manager = self.made()
        first, second, _ = self.rollouts()
        outputs = [
            manager.assemble_candidate(rollout).eval()(self.inputs()) for rollout in (first, second, first)
        ]
        assert same(outputs[0], outputs[2])
        assert not same(outputs[0], outputs[1])

    def test_candidates_lend_the_weights_instead_of_copying_them(self) -> None:
        manager = self.made()
        owned = {id(parameter) for parameter in manager.parameters()}
        for rollout in self.rollouts():
            assert {id(parameter) for parameter in manager.assemble_candidate(rollout).parameters()} <= owned

    def test_layers_are_counted_without_data(self) -> None:
        manager = self.made()
        for rollout in self.rollouts():
            layers = manager.layers(rollout)
            assert len({layer.name for layer in layers}) == len(layers)
            assert total_cost(layers).params > 0
