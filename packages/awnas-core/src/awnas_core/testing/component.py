"""What every component promises: options, state, randomness, hooks."""

# ruff: noqa: D102 - the names of tests are sentences

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from awnas_core.components import Component, walk
from awnas_core.config.needs import FREE
from awnas_core.config.schema import OptionsSchema, options_of
from awnas_core.config.source import ConfigSource, Place
from awnas_core.run.random_streams import global_state
from awnas_core.run.state import load_state, save_state
from awnas_core.testing.compare import global_seed, same
from awnas_core.testing.making import build, check, registry_with


class ComponentContract:
    """Tests that a component of any kind passes.

    State :attr:`component`, and :attr:`kind` where the role's own contract does not; or override :meth:`make`.
    """

    kind: ClassVar[str] = ""
    """Kind of the component."""
    component: ClassVar[str | type[Component]] = ""
    """Its name in the registry, or the class."""
    cfg: ClassVar[Mapping[str, Any]] = {}
    """Its options in these tests: what has no default, and what keeps the tests quick."""
    seed: ClassVar[int] = 0
    """Seed of the generator that :meth:`make` is handed."""

    def collaborators(self) -> Mapping[str, Any]:
        """Return what is injected besides device, world and rng: name → fresh component or value."""
        return {}

    def make(self, rng: np.random.Generator) -> Any:
        """Return a fresh component; equal generators give equal components."""
        return build(self.kind, self.component, self.cfg, self.collaborators(), rng)

    def use(self, component: Any) -> Any:
        """Let the component do what it is for, once, and return what came of it, in comparable form."""
        return component.state()

    def made(self) -> Any:
        """Return a component from :meth:`make` and the seed."""
        return self.make(np.random.default_rng(self.seed))

    def test_the_defaults_and_required_options_are_enough_to_make_it(self) -> None:
        schema = _schema(self.made())
        required = {name for name, option in schema.options.items() if option.required}
        nested = {key for child in schema.children.values() if child.default is None for key in child.keys}
        if self.component:
            least = {key: value for key, value in self.cfg.items() if key in required | nested}
            check(self.kind, self.component, least)
        assert not required - set(self.cfg), "options without a default stand in cfg"

    def test_its_options_survive_json(self) -> None:
        schema = _schema(self.made())
        options = schema.defaults() | {key: value for key, value in self.cfg.items() if key in schema.options}
        place = Place(ConfigSource({}, "json", ""))
        values, problems = schema.validate(schema.to_json(options), place, "it")
        assert not problems
        again, problems = schema.validate(json.loads(json.dumps(schema.to_json(values))), place, "it")
        assert not problems
        assert again == values

    def test_every_collaborator_it_asks_for_can_be_injected(self) -> None:
        kinds = registry_with(self.kind).kinds
        known = FREE | set(kinds) | {fact for kind in kinds.values() for fact in kind.provides}
        component = self.made()
        asked = {parameter.name for parameter in _schema(component).injected}
        assert asked <= known, f"nothing provides {sorted(asked - known)}; make options keyword-only"

    def test_what_it_declares_schedulable_is_an_attribute(self) -> None:
        component = self.made()
        for name in component.schedulable:
            assert hasattr(component, name)

    def test_epochs_can_start_and_end(self) -> None:
        component = self.made()
        for epoch in (1, 2):
            component.on_epoch_start(epoch)
            self.use(component)
            component.on_epoch_end(epoch)

    def test_equal_generators_give_equal_components(self) -> None:
        results = []
        for seed in (1, 2):  # of the global generators, which must not matter
            with global_seed(seed):
                component = self.made()
                results.append([self.use(component) for _ in range(3)])
        assert same(*results)

    def test_it_leaves_the_global_generators_alone(self) -> None:
        self.use(self.made())  # importing, too, may draw: let that be over
        before = copy.deepcopy(global_state())
        component = self.made()
        self.use(component)
        component.load_state(component.state())
        assert same(global_state(), before)

    def test_its_state_survives_the_disk(self, tmp_path: Path) -> None:
        component = self.made()
        for _ in range(2):
            self.use(component)
        save_state(tmp_path, component.state())
        restored = self.made()
        restored.load_state(load_state(tmp_path))
        assert same(restored.state(), component.state())

    def test_a_resumed_one_goes_on_as_if_never_stopped(self, tmp_path: Path) -> None:
        through = self.made()
        for _ in range(2):
            self.use(through)
        save_state(tmp_path, {role: part.state() for role, part in _parts(through).items()})
        generators = copy.deepcopy([generator.state for generator in _bit_generators(through)])
        expected = [self.use(through) for _ in range(3)]
        resumed = self.made()
        saved = load_state(tmp_path)
        for role, part in _parts(resumed).items():
            part.load_state(saved[role])
        for generator, state in zip(_bit_generators(resumed), generators, strict=True):
            generator.state = state
        assert same([self.use(resumed) for _ in range(3)], expected)


def _schema(component: Any) -> OptionsSchema:
    cls: Any = type(component)
    return options_of(cls)


def _parts(component: Component) -> dict[str, Component]:
    """Return what a run saves: the component and its collaborators, which it holds under the names they came by."""
    names = [parameter.name for parameter in _schema(component).injected]
    held = {name: getattr(component, name, None) for name in names}
    collaborators = {name: part for name, part in held.items() if isinstance(part, Component)}
    return {"component under test": component, **collaborators}


def _bit_generators(component: Component) -> list[Any]:
    """Return the numpy generators of everything reachable, which a run saves, each once."""
    found = {}
    for part in walk(component):
        for value in vars(part).values():
            if isinstance(value, np.random.Generator):
                found[id(value)] = value.bit_generator
    return list(found.values())
