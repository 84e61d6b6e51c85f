"""Making one component by itself, from what a test hands in."""

from __future__ import annotations

import functools
import types
from collections.abc import Mapping
from typing import Any

import numpy as np

from awnas_core.components import Component
from awnas_core.config.checked import CheckedComponent
from awnas_core.config.component_check import ComponentCheck
from awnas_core.config.problems import ConfigProblems
from awnas_core.config.source import ConfigSource, Place
from awnas_core.device import Device
from awnas_core.errors import ConfigError
from awnas_core.plugins.hooks import API_VERSION, hookimpl
from awnas_core.plugins.manager import PluginRecord, discover
from awnas_core.plugins.registry import Registry
from awnas_core.plugins.spec import ComponentSpec
from awnas_core.world import World

UNDER_TEST = "under-test"
"""The name that a class gets which is tested without being registered."""


@functools.cache
def registry_with(kind: str, target: Any = None) -> Registry:
    """Return the registry of everything installed, the toys, and ``target`` as a component of ``kind``."""
    manager = discover()
    manager.add(PluginRecord(name="awnas-toys", origin="awnas-toys"), _toys)
    if target is not None:
        manager.add(PluginRecord(name=UNDER_TEST, origin=UNDER_TEST), lambda: _plugin_of(kind, target))
    return Registry(manager)


def check(kind: str, component: str | type[Component], cfg: Mapping[str, Any]) -> CheckedComponent:
    """Look a component up and check its options, as for a config.

    Args:
        kind: Its kind.
        component: Its name in the registry, or the class itself.
        cfg: Its options.

    Raises: ConfigProblems with everything that is wrong.
    """
    checker = ComponentCheck(_registry_of(kind, component), None, None)
    place = Place(ConfigSource({}, UNDER_TEST, ""))
    name = component if isinstance(component, str) else UNDER_TEST
    checked = checker.check(kind, name, dict(cfg), place.at(f"{kind}_type"), place.at(f"{kind}_cfg"))
    if checker.problems or checked is None:
        raise ConfigProblems(checker.problems)
    return checked


def build(
    kind: str,
    component: str | type[Component],
    cfg: Mapping[str, Any] | None = None,
    collaborators: Mapping[str, Any] | None = None,
    rng: np.random.Generator | None = None,
) -> Any:
    """Make a component, nested ones included.

    Args:
        kind: Its kind.
        component: Its name in the registry, or the class itself.
        cfg: Its options; defaults elsewhere.
        collaborators: Injected by name. There are a device, a world, no goals and no constraints without being asked
            for; facts such as ``num_classes`` come from a ``dataset``.
        rng: Injected; a nested component gets a stream of its own.

    Raises: ConfigError when an option is wrong or a collaborator is missing.
    """
    checked = check(kind, component, cfg or {})
    provided: dict[str, Any] = {
        "device": Device(),
        "world": World(),
        "goals": (),
        "constraints": (),
        "rollout_type": "discrete",
    }
    provided |= collaborators or {}
    if "dataset" in provided:
        provided = dict(provided["dataset"].facts()) | provided
    provided["registry"] = _registry_of(kind, component)
    return _construct(checked, provided, rng or np.random.default_rng(0))


def _construct(
    checked: CheckedComponent, provided: Mapping[str, Any], rng: np.random.Generator, **collaborators: Any
) -> Any:
    asked = {parameter.name for parameter in checked.schema.injected}
    options = checked.arguments() | {name: value for name, value in collaborators.items() if name in asked}
    for name, child in checked.children.items():
        if isinstance(child, tuple):
            options[name] = tuple(_construct(part, provided, rng.spawn(1)[0]) for part in child)
        elif checked.schema.children[name].deferred:
            options[name] = functools.partial(_construct, child, provided, rng=rng.spawn(1)[0])
        else:
            options[name] = _construct(child, provided, rng.spawn(1)[0])
    for parameter in checked.schema.injected:
        if parameter.name == "rng":
            options["rng"] = rng
        elif parameter.name in provided:
            options.setdefault(parameter.name, provided[parameter.name])
        elif parameter.required and parameter.name not in options:
            raise ConfigError(
                f"{checked.spec.kind} '{checked.spec.name}' asks for '{parameter.name}'; "
                "return one from collaborators()"
            )
    made = checked.cls(**options)
    if checked.schedules:
        made.schedules = dict(checked.schedules)
    return made


def _registry_of(kind: str, component: Any) -> Registry:
    return registry_with(kind, None if isinstance(component, str) else component)


def _toys() -> types.ModuleType:
    from awnas_core.testing import plugin

    return plugin


def _plugin_of(kind: str, target: Any) -> types.ModuleType:
    module = types.ModuleType("awnas_under_test")
    spec = ComponentSpec(kind=kind, name=UNDER_TEST, target=target, summary="Under test.")
    vars(module).update(awnas_api=API_VERSION, awnas_components=hookimpl(lambda: [spec]))
    return module
