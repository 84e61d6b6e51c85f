"""What architectures cost: counted from their layers, without data."""

from __future__ import annotations

from awnas_core.errors import ConfigError
from awnas_core.layers import Cost, total_cost
from awnas_core.roles.search_space import SearchSpace
from awnas_core.roles.weights_manager import WeightsManager
from awnas_core.rollout import Arch, RelaxedRollout, Rollout

REMEMBERED = 100_000


class ArchitectureCosts:
    """Counts rollouts: as the weights manager builds them, or as the search space alone fixes them.

    A relaxed rollout costs what its most likely architecture costs. Every architecture is counted once.

    Args:
        search_space: Knows the layers where no network decides them.
        weights_manager: Knows the layers of its candidates.
    """

    def __init__(self, search_space: SearchSpace, weights_manager: WeightsManager | None = None) -> None:
        self._source = weights_manager or search_space
        self._known: dict[Arch, Cost] = {}

    def of(self, rollout: Rollout) -> Cost:
        """Return parameters and multiply-adds.

        Raises: ConfigError when nothing says which layers an architecture has.
        """
        if rollout.arch not in self._known:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[rollout.arch] = self._count(rollout)
        return self._known[rollout.arch]

    def _count(self, rollout: Rollout) -> Cost:
        discrete = rollout.discretize() if isinstance(rollout, RelaxedRollout) else rollout
        layers = self._source.layers(discrete)
        if not layers:
            raise ConfigError(
                f"{type(self._source).__name__} does not say which layers an architecture has, so its cost is unknown; "
                "name a network with 'weights_manager_type'"
            )
        return total_cost(layers)
