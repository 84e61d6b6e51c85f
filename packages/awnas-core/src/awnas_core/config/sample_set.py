"""Choosing components that fit together, for a sample config."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import yaml

from awnas_core.config.check import ROOTS, CheckedComponent, CheckedConfig, Family, check_config
from awnas_core.config.component_check import ComponentCheck
from awnas_core.config.needs import Needs
from awnas_core.config.source import Place, parse_source, preset_source
from awnas_core.errors import AwnasError, ConfigError, did_you_mean
from awnas_core.plugins.registry import Registry
from awnas_core.plugins.spec import ComponentSpec


def fitting_config(registry: Registry, family: Family, rollout_type: str, data_type: str) -> CheckedConfig:
    """Return a checked config for a rollout type and a type of data.

    A preset that fits is the best guide to what works together; without one, the first components that fit are taken
    with their defaults.

    Raises: RegistryError for an unknown rollout type, ConfigError for an unknown data type or when nothing fits.
    """
    rollout_type = registry.find("rollout", rollout_type).name
    known = sorted({data for spec in registry.specs("dataset") for data in spec.data_types})
    if data_type not in known:
        hint = did_you_mean(data_type, known) or f"; there is {', '.join(known) or 'none'}"
        raise ConfigError(f"no installed dataset gives {data_type} data{hint}")
    for config in _presets(registry, family):
        dataset = config.components.get("dataset")
        fits_data = dataset is not None and data_type in dataset.spec.data_types
        if fits_data and (family == "final" or config.rollout_type == rollout_type):
            return config
    return _Assortment(registry, family, rollout_type, data_type).config()


def _presets(registry: Registry, family: Family) -> Iterable[CheckedConfig]:
    for _, preset in sorted(registry.presets().items()):
        if preset.kind == family:
            try:
                yield check_config(preset_source(preset), registry, family=family)
            except AwnasError:  # a preset that needs what is not installed
                continue


class _Assortment:
    """Takes the first component of each needed kind that fits."""

    def __init__(self, registry: Registry, family: Family, rollout_type: str, data_type: str) -> None:
        self.registry = registry
        self.family = family
        self.rollout_type = rollout_type
        self.data = next(spec for spec in registry.specs("dataset") if data_type in spec.data_types)
        self.components: dict[str, CheckedComponent] = {}
        self.given: dict[str, dict[str, Any]] = {}

    def config(self) -> CheckedConfig:
        while missing := [kind for kind in self._asked() if kind not in self.components]:
            for kind in missing:
                self._choose(kind)
        data: dict[str, Any] = {"rollout_type": self.rollout_type}
        for kind, component in self.components.items():
            data[f"{kind}_type"] = component.spec.name
            data[f"{kind}_cfg"] = self.given.get(kind, {})
        source = parse_source(yaml.safe_dump(data, sort_keys=False), "sample")
        return check_config(source, self.registry, family=self.family)

    def _asked(self) -> list[str]:
        return list(Needs(self.registry, self.components, ROOTS[self.family], has_goals=False).asked)

    def _choose(self, kind: str) -> None:
        candidates = [self.data] if kind == "dataset" else self.registry.specs(kind)
        for spec in candidates:
            checker = ComponentCheck(self.registry, self.rollout_type, self.data)
            place = Place(parse_source("sample: 0"))
            given = self._placeholders(spec)
            component = checker.check(kind, spec.name, given, place, place)
            if component is not None and not checker.problems:
                self.components[kind] = component
                self.given[kind] = given
                return
        there_are = ", ".join(spec.name for spec in candidates) or "none"
        fits = f"fits '{self.rollout_type}' rollouts and {', '.join(self.data.data_types)} data with its defaults"
        raise ConfigError(f"no installed {kind} {fits}; there are {there_are}")

    def _placeholders(self, spec: ComponentSpec) -> dict[str, Any]:
        """A final model needs a genotype: any architecture of the search space shows how one looks."""
        if spec.kind != "final_model" or "search_space" not in self.components:
            return {}
        space = self.components["search_space"]
        try:
            architecture = space.cls(**space.options).random_sample(np.random.default_rng(0))
        except Exception:  # noqa: BLE001 - foreign code; without an example the option stays missing, and the check says so
            return {}
        return {"genotypes": str(architecture.genotype)}
