"""Building components from a checked config: every collaborator is injected by its name."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from awnas_core.components import Component
from awnas_core.config.check import CheckedComponent, CheckedConfig
from awnas_core.device import Device
from awnas_core.errors import AwnasError, ConfigError
from awnas_core.plugins.registry import Registry
from awnas_core.run.random_streams import RandomStreams
from awnas_core.world import World


class Assembly:
    """The components of one config, each built when it is first asked for.

    Args:
        config: A config that passed the check.
        registry: Where kinds say which facts they provide.
        device: Injected as ``device``.
        streams: Every component that asks for ``rng`` gets a stream of its own.
        world: Injected as ``world``.
    """

    def __init__(
        self,
        config: CheckedConfig,
        registry: Registry,
        *,
        device: Device = Device(),
        streams: RandomStreams | None = None,
        world: World = World(),
    ) -> None:
        self.config = config
        self.registry = registry
        self.streams = streams or RandomStreams(0)
        self.components: dict[str, Component] = {}
        self._building: list[str] = []
        self._values: dict[str, Callable[[], Any]] = {
            "device": lambda: device,
            "world": lambda: world,
            "registry": lambda: registry,
            "rollout_type": lambda: config.rollout_type,
            "goals": self._goals,
            "constraints": lambda: config.constraints,
        }

    def get(self, kind: str) -> Any:
        """Return the component of ``kind``, building it and whatever it asks for.

        Raises: ConfigError when the config has none, or a component refuses its arguments.
        """
        if kind not in self.components:
            if kind not in self.config.components:
                wanted = f", which {self._building[-1]} asks for" if self._building else ""
                raise ConfigError(f"the config has no {kind}{wanted}; add '{kind}_type'")
            if kind in self._building:
                circle = " → ".join([*self._building[self._building.index(kind) :], kind])
                raise ConfigError(f"components ask for each other in a circle: {circle}")
            self._building.append(kind)
            try:
                for earlier in self.registry.kind(kind).build_after:
                    if earlier in self.config.components:
                        self.get(earlier)
                self.components[kind] = self._build(self.config.components[kind], kind)
            finally:
                self._building.pop()
        return self.components[kind]

    def _build(self, checked: CheckedComponent, path: str, **collaborators: Any) -> Any:
        """Build a component; ``collaborators`` stand in for those it asks for that the config would provide."""
        asked = {parameter.name for parameter in checked.schema.injected}
        options = checked.arguments() | {
            name: value for name, value in collaborators.items() if name in asked
        }
        for name, child in checked.children.items():
            where = f"{path}.{name}"
            if isinstance(child, tuple):
                options[name] = tuple(self._build(part, f"{where}.{i}") for i, part in enumerate(child))
            elif checked.schema.children[name].deferred:
                options[name] = functools.partial(self._build, child, where)
            else:
                options[name] = self._build(child, where)
        injected = {
            name: value for name, value in self._injected(checked, path).items() if name not in options
        }
        component = _construct(checked, path, injected | options)
        if checked.schedules:
            component.schedules = dict(checked.schedules)
        return component

    def _injected(self, checked: CheckedComponent, path: str) -> Mapping[str, Any]:
        arguments = {}
        for parameter in checked.schema.injected:
            provided = self._provide(parameter.name, path)
            if provided is not _NOTHING:
                arguments[parameter.name] = provided
            elif parameter.required:
                raise ConfigError(
                    f"{path} '{checked.spec.name}' asks for '{parameter.name}', which this config lacks"
                )
        return arguments

    def _provide(self, name: str, path: str) -> Any:
        if name == "rng":
            return self.streams.get(path)
        if name in self._values:
            return self._values[name]()
        if name in self.config.components:
            return self.get(name)
        for kind in self.registry.kinds.values():
            if name in kind.provides and kind.name in self.config.components:
                return self.get(kind.name).facts().get(name, _NOTHING)
        return _NOTHING

    def _goals(self) -> Any:
        if self.config.goals:
            return self.config.goals
        return self.get("objective").goals() if "objective" in self.config.components else ()


_NOTHING = inspect.Parameter.empty


def _construct(checked: CheckedComponent, path: str, arguments: Mapping[str, Any]) -> Any:
    try:
        return checked.cls(**arguments)
    except AwnasError as error:
        error.args = (f"{path} '{checked.spec.name}': {error}",)
        raise
