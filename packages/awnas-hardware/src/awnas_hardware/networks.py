"""Architectures of a config as networks: which layers each has, and a module to run."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

from awnas_core import api
from awnas_core.config.build import Assembly
from awnas_core.errors import ConfigError
from awnas_core.layers import LayerSpec
from awnas_core.roles.search_space import SearchSpace
from awnas_core.rollout import Rollout
from awnas_core.session import Session
from awnas_hardware.primitive import primitives_of


class Networks:
    """The networks of a config.

    A config of a search builds candidates of its weights manager, one of a final training builds final models; a
    search without a weights manager knows the layers its space states, and has nothing to run.

    Args:
        session: An opened config.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.space: SearchSpace = session.get("search_space")
        self._has_final_model = "final_model" in session.config.components
        self._manager: Any = None
        if not self._has_final_model and "weights_manager" in session.config.components:
            self._manager = session.get("weights_manager")

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one example.

        Raises: ConfigError when the config builds no network, or no data set says so.
        """
        self._check_builds()
        facts = self._session.get("dataset").facts()
        if "input_shape" not in facts:
            raise ConfigError("the data set of the config does not say which shape an input has")
        return tuple(facts["input_shape"])

    def read(self, genotypes: Iterable[str | Sequence[int]]) -> list[Rollout]:
        """Return genotype texts or codes as rollouts."""
        return api.read_rollouts(self.space, genotypes)

    def sample(self, n: int) -> list[Rollout]:
        """Draw ``n`` different architectures with the seed of the session."""
        return api.random_sample(self._session, n, unique=True)

    def layers(self, rollout: Rollout) -> list[LayerSpec]:
        """Return the layers of an architecture.

        Raises: ConfigError when nothing says which they are.
        """
        if self._has_final_model:
            layers = self._final_model(rollout).layers()
        else:
            layers = (self._manager or self.space).layers(rollout)
        if not layers:
            raise ConfigError(
                f"{type(self.space).__name__} does not say which layers an architecture has; name a network in the "
                "config, with 'weights_manager_type' or 'final_model_type'"
            )
        return layers

    def primitives(self, rollout: Rollout) -> dict[str, float]:
        """Return how often an architecture runs each primitive."""
        return primitives_of(self.layers(rollout))

    def module(self, rollout: Rollout) -> Any:
        """Return the network of an architecture, a ``torch.nn.Module``.

        Raises: ConfigError when nothing builds it.
        """
        if self._has_final_model:
            return self._final_model(rollout).network
        self._check_builds()
        build = getattr(self._manager, "finalize", self._manager.assemble_candidate)
        return build(rollout)

    def _check_builds(self) -> None:
        if self._manager is None and not self._has_final_model:
            raise ConfigError(
                "the config builds no network that could be measured; name one with 'weights_manager_type' or "
                "'final_model_type'"
            )

    def _final_model(self, rollout: Rollout) -> Any:
        """Return a final model of its own, from the config with another genotype."""
        config = self._session.config
        checked = config.components["final_model"]
        given = dataclasses.replace(checked, options={**checked.options, "genotypes": str(rollout.genotype)})
        assembly = Assembly(
            dataclasses.replace(config, components={**config.components, "final_model": given}),
            self._session.registry,
            device=self._session.device,
            streams=self._session.assembly.streams,
        )
        built = self._session.assembly.components
        assembly.components = {kind: part for kind, part in built.items() if kind != "final_model"}
        return assembly.get("final_model")
