"""Checking a whole config before anything is built: every mistake, with its place and its remedy, at once."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from awnas_core.config.checked import CheckedComponent, CheckedConfig
from awnas_core.config.component_check import ComponentCheck
from awnas_core.config.fates import in_order
from awnas_core.config.findings import shown
from awnas_core.config.needs import Needs
from awnas_core.config.problems import ConfigProblems, Problem
from awnas_core.config.schema import options_of
from awnas_core.config.source import ConfigSource, Place
from awnas_core.errors import RegistryError
from awnas_core.metrics import Constraint, Goal
from awnas_core.plugins.registry import Registry
from awnas_core.plugins.spec import ComponentSpec

__all__ = ["CheckedComponent", "CheckedConfig", "Family", "check_config"]

Family = Literal["search", "final"]

ROOTS: Mapping[Family, tuple[str, ...]] = {
    "search": ("search_space", "controller", "evaluator", "trainer"),
    "final": ("search_space", "dataset", "objective", "final_model", "final_trainer"),
}
"""What every config of a family names; what else it needs, these ask for."""


def check_config(source: ConfigSource, registry: Registry, *, family: Family) -> CheckedConfig:
    """Check a config; only components that it names are imported, and nothing is built.

    Args:
        source: The config, overrides applied.
        registry: Where components are looked up.
        family: Whether it is to search, or to train what was found.

    Raises: ConfigProblems with everything that is wrong.
    """
    return _ConfigCheck(source, registry, family).run()


def wishes(*, goals: tuple[Goal, ...] = (), constraints: tuple[Constraint, ...] = ()) -> None:
    """Stand for the options of a config as a whole.

    Args:
        goals: Metrics to improve; left to the objective when empty.
        constraints: Bounds that an acceptable architecture keeps.
    """


@dataclass(slots=True)
class _Entry:
    """What the config says of one kind."""

    type_key: str
    cfg_key: str
    has_type: bool = False
    name: Any = None
    cfg: Any = None


class _ConfigCheck:
    def __init__(self, source: ConfigSource, registry: Registry, family: Family) -> None:
        self.source = source
        self.registry = registry
        self.family = family
        self.place = Place(source)
        self.problems: list[Problem] = []
        self.suspected: set[str] = set()  # keys that a misspelt key probably stands for
        self.entries = self._read_keys()

    def run(self) -> CheckedConfig:
        rollout_type = self._rollout_type()
        checker = ComponentCheck(self.registry, rollout_type, self._dataset())
        components = self._components(checker)
        wished, problems = options_of(wishes).validate(self._wishes(), self.place, "a config")
        needs = Needs(self.registry, components, ROOTS[self.family], has_goals=bool(wished.get("goals")))
        found = [*self.problems, *checker.problems, *problems, *self._missing(needs)]
        if not found and len(components) == len(self.entries):
            found = self._unread(needs)
        self._refuse(found)
        unread = [kind for kind in components if kind not in needs.read]
        notes = [
            f"{kind} '{components[kind].spec.name}' is not built: nothing in this config asks for it"
            for kind in unread
        ]
        keys_unread = {
            key: note
            for kind, note in zip(unread, notes, strict=True)
            for key in (self.entries[kind].type_key, self.entries[kind].cfg_key)
        }
        return CheckedConfig(
            components={kind: component for kind, component in components.items() if kind in needs.read},
            rollout_type=rollout_type or self._usual_rollout_type(components),
            goals=wished["goals"],
            constraints=wished["constraints"],
            notes=(*checker.notes, *notes),
            keys=tuple(in_order(self.source.data, checker.fates, keys_unread)),
        )

    def _read_keys(self) -> dict[str, _Entry]:
        entries: dict[str, _Entry] = {}
        for key, value in self.source.data.items():
            if key in ("rollout_type", "goals", "constraints"):
                continue
            base, _, part = str(key).rpartition("_")
            try:
                kind = self.registry.kind(base).name if part in ("type", "cfg") else None
            except RegistryError:
                kind = None
            if kind is None or kind == "rollout":
                self._unknown_key(key)
                continue
            entry = entries.setdefault(kind, _Entry(f"{base}_type", f"{base}_cfg"))
            if key not in (entry.type_key, entry.cfg_key):
                message = f"given twice: it means the same as '{entry.type_key}'; leave one of them out"
                self.problems.append(self.place.at(key).problem(message))
            elif part == "type":
                entry.has_type, entry.name = True, value
            else:
                entry.cfg = value
        return entries

    def _unknown_key(self, key: object) -> None:
        kinds = [kind for kind in self.registry.kinds if kind != "rollout"]
        known = [
            "rollout_type",
            "goals",
            "constraints",
            *(f"{kind}_{part}" for kind in kinds for part in ("type", "cfg")),
        ]
        nearest = difflib.get_close_matches(str(key), known, n=1, cutoff=0.75)
        self.suspected.update(nearest)
        hint = (
            f"; did you mean '{nearest[0]}'?"
            if nearest
            else f"; there are rollout_type, goals, constraints, and <kind>_type and <kind>_cfg for {', '.join(kinds)}"
        )
        what = (
            "no installed plugin declares such a kind of component"
            if str(key).endswith(("_type", "_cfg"))
            else "no such key"
        )
        self.problems.append(self.place.at(key).wrong_value(f"{what}{hint}"))

    def _rollout_type(self) -> str | None:
        place = self.place.at("rollout_type")
        name = self.source.data.get("rollout_type")
        there_are = f"there are {', '.join(self.registry.names('rollout'))}"
        if "rollout_type" not in self.source.data:
            if self.family == "search" and "rollout_type" not in self.suspected:
                self.problems.append(place.problem(f"required by a search, but missing; {there_are}"))
            return None
        if not isinstance(name, str):
            self.problems.append(
                place.wrong_value(f"expected the name of a rollout, got {shown(name)}; {there_are}")
            )
            return None
        try:
            return self.registry.find("rollout", name).name
        except RegistryError as error:
            self.problems.append(place.wrong_value(str(error)))
            return None

    def _usual_rollout_type(self, components: Mapping[str, CheckedComponent]) -> str:
        given = components["search_space"].spec.rollouts
        return given[0] if given else "discrete"

    def _dataset(self) -> ComponentSpec | None:
        entry = self.entries.get("dataset")
        try:
            return self.registry.find("dataset", entry.name) if entry else None
        except RegistryError:
            return None  # reported with the component

    def _components(self, checker: ComponentCheck) -> dict[str, CheckedComponent]:
        components = {}
        for kind, entry in self.entries.items():
            type_place, cfg_place = self.place.at(entry.type_key), self.place.at(entry.cfg_key)
            if not entry.has_type:
                if entry.type_key not in self.suspected:
                    choice = ", ".join(self.registry.names(kind)) or "none"
                    message = f"options without a component: add '{entry.type_key}'; there are {choice}"
                    self.problems.append(cfg_place.problem(message))
                continue
            component = checker.check(kind, entry.name, entry.cfg, type_place, cfg_place)
            if component is not None:
                components[kind] = component
        return components

    def _wishes(self) -> dict[str, Any]:
        return {key: self.source.data[key] for key in ("goals", "constraints") if key in self.source.data}

    def _missing(self, needs: Needs) -> list[Problem]:
        problems = []
        for kind, asker in needs.asked.items():
            type_key = f"{kind}_type"
            if kind in self.entries or type_key in self.suspected:
                continue
            choice = ", ".join(self.registry.names(kind)) or "none installed"
            who = asker or ("a search" if self.family == "search" else "a final training")
            message = f"required by {who}, but missing; there are {choice}"
            problems.append(self.place.at(type_key).problem(message))
        for kind, message in needs.impossible:
            problems.append(self.place.at(self.entries[kind].type_key).problem(message))
        return problems

    def _unread(self, needs: Needs) -> list[Problem]:
        """Roles of a search may stand in its config unread (old configs name them all); other kinds may not."""
        tolerated = ("dataset", "weights_manager", "objective") if self.family == "search" else ()
        family = "a search" if self.family == "search" else "a final training"
        return [
            self.place.at(entry.type_key).problem(
                f"nothing reads it: no component of {family} asks for a {kind}"
            )
            for kind, entry in self.entries.items()
            if kind not in needs.read and kind not in tolerated
        ]

    def _refuse(self, found: list[Problem]) -> None:
        flawed = {problem.key for problem in self.source.problems}
        problems = [*self.source.problems, *(problem for problem in found if problem.key not in flawed)]
        if problems:
            raise ConfigProblems(problems)
