"""Checking one component of a config, and those nested in it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from awnas_core.config.checked import CheckedComponent
from awnas_core.config.class_cfg import complaints
from awnas_core.config.fates import KeyFate, fates_of, old_names
from awnas_core.config.findings import shown
from awnas_core.config.problems import Problem
from awnas_core.config.schema import OptionsSchema, options_of
from awnas_core.config.signature import ChildOption
from awnas_core.config.source import Place
from awnas_core.errors import AwnasError, ConfigError, did_you_mean
from awnas_core.plugins.registry import Registry, load_target
from awnas_core.plugins.spec import ComponentSpec

if TYPE_CHECKING:
    from awnas_core.schedule import Schedule


class ComponentCheck:
    """Looks components up, imports them and checks their options; gathers problems instead of stopping.

    Args:
        registry: Where components are looked up.
        rollout_type: What every component must take; None leaves that unchecked.
        dataset: Whose data types every component must take; None leaves that unchecked.
    """

    def __init__(self, registry: Registry, rollout_type: str | None, dataset: ComponentSpec | None) -> None:
        self.registry = registry
        self.rollout_type = rollout_type
        self.dataset = dataset
        self.problems: list[Problem] = []
        self.notes: list[str] = []
        self.fates: list[KeyFate] = []

    def check(
        self, kind: str, name: object, cfg: object, type_place: Place, cfg_place: Place
    ) -> CheckedComponent | None:
        """Check one component; None when it cannot be looked up or imported, which is among the problems then."""
        try:
            spec = self._find(kind, name)
            self._check_data(spec, type_place)
            cls = self.registry.load(spec)
            schema = options_of(cls)
        except AwnasError as error:
            self.problems.append(type_place.wrong_value(str(error)))
            return None
        if cfg is not None and not isinstance(cfg, Mapping):
            self.problems.append(cfg_place.wrong_value(f"expected a mapping of options, got {shown(cfg)}"))
            cfg = {}
        return self._check_cfg(spec, cls, schema, cfg or {}, type_place, cfg_place)

    def _find(self, kind: str, name: object) -> ComponentSpec:
        if not isinstance(name, str):
            raise ConfigError(
                f"expected the name of a {kind}, got {shown(name)}; there are {self._choice(kind)}"
            )
        return self.registry.find(kind, name)

    def _check_cfg(
        self,
        spec: ComponentSpec,
        cls: Any,
        schema: OptionsSchema,
        cfg: Mapping[Any, Any],
        type_place: Place,
        cfg_place: Place,
    ) -> CheckedComponent:
        translated = self._translated(spec, cfg, cfg_place)
        if translated is None:
            return CheckedComponent(spec=spec, cls=cls, schema=schema)
        cfg, old = translated
        options: dict[str, Any] = {}
        try:
            options, problems = schema.validate(cfg, cfg_place, spec.name)
            self.problems += problems
        except AwnasError as error:  # a mistake in the plugin
            self.problems.append(type_place.problem(str(error)))
        rollout_type = self._own_rollout_type(spec, cfg, type_place, cfg_place)
        if rollout_type is not None and any(
            parameter.name == "rollout_type" for parameter in schema.injected
        ):
            options["rollout_type"] = rollout_type
        schedule_cfg = cfg.get("schedule_cfg") or {}
        return CheckedComponent(
            spec=spec,
            cls=cls,
            schema=schema,
            options=options,
            classes=self._classes(schema, cfg, cfg_place) if options else {},
            children=self._children(schema, cfg, cfg_place, old),
            schedules=self._schedules(schema, schedule_cfg, cfg_place.at("schedule_cfg"), spec.name),
            schedule_cfg=copy.deepcopy(schedule_cfg),
            rollout_type=rollout_type,
        )

    def _translated(
        self, spec: ComponentSpec, cfg: Mapping[Any, Any], place: Place
    ) -> tuple[Mapping[Any, Any], Mapping[str, str]] | None:
        """Let the component's plugin turn the options of an older layer into today's; None when it refuses.

        Returns: The options, and the names under which those that were renamed are written.
        """
        new, notes = cfg, []
        if spec.legacy is not None:
            try:
                translate = load_target(
                    spec.legacy, f"the translation of old options of {spec.kind} '{spec.name}'"
                )
                new, notes = translate(copy.deepcopy(dict(cfg)))
            except AwnasError as error:
                self.problems.append(place.problem(str(error)))
                return None
        self.notes += [str(place.problem(note)) for note in notes]
        self.fates += fates_of(place.path, cfg, new, notes)
        return new, old_names(notes)

    def _classes(self, schema: OptionsSchema, cfg: Mapping[Any, Any], place: Place) -> dict[str, type]:
        """Return the classes that options name; a default is right, and stays a name."""
        written = {o.name: o.class_of for o in schema.options.values() if o.class_of and cfg.get(o.name)}
        classes = {name: self._class(kind, cfg[name], place.at(name)) for name, kind in written.items()}
        return {name: cls for name, cls in classes.items() if cls is not None}

    def _class(self, kind: str, cfg: Mapping[str, Any], place: Place) -> type | None:
        try:
            cls: type = self.registry.load(self._find(kind, cfg.get("type")))
        except AwnasError as error:
            self.problems.append(place.at("type").wrong_value(str(error)))
            return None
        self.problems += [place.at(key).problem(complaint) for key, complaint in complaints(cls, cfg)]
        return cls

    def _children(
        self, schema: OptionsSchema, cfg: Mapping[Any, Any], place: Place, old: Mapping[str, str]
    ) -> dict[str, CheckedComponent | tuple[CheckedComponent, ...]]:
        children: dict[str, CheckedComponent | tuple[CheckedComponent, ...]] = {}
        for name, child in schema.children.items():
            checked = (
                self._list_of_children(child, cfg, place)
                if child.many
                else self._child(child, cfg, place, old)
            )
            if checked is not None:
                children[name] = checked
        return children

    def _child(
        self, child: ChildOption, cfg: Mapping[Any, Any], place: Place, old: Mapping[str, str]
    ) -> CheckedComponent | None:
        type_key, cfg_key = child.keys
        type_place, cfg_place = (place.at(old.get(key, key)) for key in child.keys)
        is_untouched = type_key not in cfg and cfg_key not in cfg
        child_name = cfg.get(type_key, child.default)
        if child_name is None:
            message = f"required: the name of a {child.kind}; there are {self._choice(child.kind)}"
            self.problems.append(type_place.problem(message))
            return None
        child_cfg = child.cfg if is_untouched else cfg.get(cfg_key)
        checker = self._of_any_rollouts() if child.own_rollouts else self
        return checker.check(child.kind, child_name, child_cfg, type_place, cfg_place)

    def _of_any_rollouts(self) -> ComponentCheck:
        """Return a checker that asks for no rollout type and gathers what it finds in the same lists."""
        checker = copy.copy(self)
        checker.rollout_type = None
        return checker

    def _list_of_children(
        self, child: ChildOption, cfg: Mapping[Any, Any], place: Place
    ) -> tuple[CheckedComponent, ...]:
        here, items = place.at(child.name), cfg.get(child.name)
        single = ChildOption(child.kind, child.kind, None)
        if not isinstance(items, list) or not items:
            message = (
                f"expected a list of at least one {{{': …, '.join(single.keys)}: …}}, got {shown(items)}"
            )
            self.problems.append(here.wrong_value(message))
            return ()
        checked = [self._item(single, item, here.at(index)) for index, item in enumerate(items)]
        return tuple(item for item in checked if item is not None)

    def _item(self, child: ChildOption, item: Any, place: Place) -> CheckedComponent | None:
        if not isinstance(item, Mapping):
            message = f"expected {{{': …, '.join(child.keys)}: …}}, got {shown(item)}"
            self.problems.append(place.wrong_value(message))
            return None
        for key in item:
            if key not in child.keys:
                hint = did_you_mean(str(key), child.keys) or f"; there are {', '.join(child.keys)}"
                self.problems.append(place.at(key).problem(f"no such key{hint}"))
        self.fates += fates_of(place.path, item, item, ())
        return self._child(child, item, place, {})

    def _schedules(self, schema: OptionsSchema, cfg: Any, place: Place, owner: str) -> dict[str, Schedule]:
        if not schema.schedulable:
            return {}  # the key itself was refused
        if not isinstance(cfg, Mapping):
            self.problems.append(
                place.wrong_value(f"expected a mapping of attributes to schedules, got {shown(cfg)}")
            )
            return {}
        schedules = {}
        for name, written in cfg.items():
            if name in schema.schedulable:
                try:
                    schedules[name] = self._schedule(schema, name, written)
                except ConfigError as error:
                    self.problems.append(place.at(name).wrong_value(str(error)))
            else:
                hint = (
                    did_you_mean(str(name), schema.schedulable) or f"; it has {', '.join(schema.schedulable)}"
                )
                self.problems.append(
                    place.at(name).problem(f"{owner} has no such attribute to schedule{hint}")
                )
        return schedules

    def _schedule(self, schema: OptionsSchema, name: str, written: Any) -> Schedule:
        from awnas_core.schedule import parse_schedule

        schedule = parse_schedule(written)
        if written.get("type") == "value":
            for value in written["value"]:
                if complaint := schema.check_value(name, value):
                    raise ConfigError(f"in its values: {complaint}")
        return schedule

    def _own_rollout_type(
        self, spec: ComponentSpec, cfg: Mapping[Any, Any], type_place: Place, cfg_place: Place
    ) -> str | None:
        """Check that the component takes the rollouts; return the type its own cfg states, if it does."""
        own, place = None, type_place
        if "rollout_type" in cfg:
            place = cfg_place.at("rollout_type")
            try:
                own = self._find("rollout", cfg["rollout_type"]).name
            except AwnasError as error:
                self.problems.append(place.wrong_value(str(error)))
                return None
        wanted = own or self.rollout_type
        if wanted is not None and not self.registry.takes(spec, wanted):
            verb = "gives" if spec.kind == "search_space" else "takes"
            message = (
                f"{spec.kind} '{spec.name}' does not {verb[:-1]} '{wanted}' rollouts "
                f"(it {verb} {', '.join(spec.rollouts)}). For others: awnas registry -t {spec.kind}"
            )
            self.problems.append(place.problem(message))
        return own

    def _check_data(self, spec: ComponentSpec, place: Place) -> None:
        data = self.dataset
        if (
            data is None
            or spec.kind == "dataset"  # itself, or one that it makes something else of
            or not data.data_types
            or not spec.data_types
            or set(spec.data_types) & set(data.data_types)
        ):
            return
        message = (
            f"{spec.kind} '{spec.name}' takes {', '.join(spec.data_types)} data, but dataset '{data.name}' gives "
            f"{', '.join(data.data_types)}; choose another of the two"
        )
        self.problems.append(place.problem(message))

    def _choice(self, kind: str) -> str:
        return ", ".join(self.registry.names(kind)) or "none"
