"""The options of a component, as its constructor states them: what a config is checked against."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Mapping
from typing import Any

from awnas_core.config.fields import Field, FieldSet
from awnas_core.config.findings import Finding
from awnas_core.config.plain import plain
from awnas_core.config.problems import Problem
from awnas_core.config.signature import ChildOption, Injected, Option, read_constructor
from awnas_core.config.source import Place
from awnas_core.errors import AwnasError, did_you_mean


class OptionsSchema:
    """What a component takes: collaborators by position, options and nested components by keyword.

    Args:
        target: The class, or a function that makes the component.

    Raises: PluginError when an option's annotation cannot be evaluated.
    """

    def __init__(self, target: Callable[..., Any]) -> None:
        constructor = read_constructor(target)
        self.target = target
        self.injected: tuple[Injected, ...] = constructor.injected
        self.options: Mapping[str, Option] = constructor.options
        self.children: Mapping[str, ChildOption] = constructor.children
        self._fields = FieldSet(
            getattr(target, "__qualname__", repr(target)),
            (Field(o.name, o.annotation, o.default, o.doc) for o in self.options.values()),
        )

    @property
    def schedulable(self) -> tuple[str, ...]:
        """Attributes that ``schedule_cfg`` may change."""
        return tuple(getattr(self.target, "schedulable", ()))

    @property
    def keys(self) -> list[str]:
        """The keys that the component's cfg may have, in order."""
        children = [key for child in self.children.values() for key in child.keys]
        return [*self.options, *children, *(["schedule_cfg"] if self.schedulable else [])]

    def defaults(self) -> dict[str, Any]:
        """Return the default of every option that has one; copies, free to change."""
        return {
            name: copy.deepcopy(option.default)
            for name, option in self.options.items()
            if not option.required
        }

    def validate(
        self, cfg: Mapping[Any, Any], place: Place, owner: str
    ) -> tuple[dict[str, Any], list[Problem]]:
        """Check the options in ``cfg``; nested components and schedules in it are left to the caller.

        Args:
            cfg: The component's cfg.
            place: Where it stands.
            owner: The component's registry name, for messages.

        Returns: All options, defaults filled in, as python values (tuples, dataclasses), and no problems; or whatever
        is wrong.
        """
        known = {*self.keys, "rollout_type"} | ({"schedule_cfg"} if not cfg.get("schedule_cfg") else set())
        unknown = [key for key in cfg if key not in known]
        given = {key: copy.deepcopy(value) for key, value in cfg.items() if key in self.options}
        values, found = self._fields.check(given)
        problems = [self._unknown(place.at(key), owner, self.keys) for key in unknown]
        problems += [self._problem(finding, place, owner) for finding in found]
        if problems:
            return {}, problems
        options = self.defaults() | values
        options = {name: options[name] for name in self.options}
        return options, self._impossible(options, place)

    def check_value(self, name: str, value: Any) -> str:
        """Return why ``value`` will not do for the option ``name``; empty when it will, or there is no such option."""
        if name not in self.options:
            return ""
        option = self.options[name]
        _, found = FieldSet(name, [Field(name, option.annotation)]).check({name: copy.deepcopy(value)})
        return found[0].message or "a key inside does not fit" if found else ""

    def to_json(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return options as plain data that :meth:`validate` takes again."""
        return {name: plain(value) for name, value in options.items()}

    def json_schema(self, ref_template: str = "#/$defs/{model}") -> dict[str, Any]:
        """Return the JSON Schema of the options, with defaults and descriptions; nested components left out."""
        return self._fields.json_schema(ref_template)

    def _impossible(self, options: dict[str, Any], place: Place) -> list[Problem]:
        """Ask the class itself; its error may carry a ``key`` that names the option at fault."""
        check = getattr(self.target, "check_options", None)
        if check is None:
            return []
        try:
            check(copy.deepcopy(options))
        except AwnasError as error:
            key = getattr(error, "key", None)
            return [(place if key is None else place.at(*str(key).split("."))).problem(str(error))]
        return []

    def _problem(self, finding: Finding, place: Place, owner: str) -> Problem:
        here = place.at(*finding.path)
        if finding.kind == "unknown":
            return self._unknown(here, owner, self._fields.names_inside(str(finding.path[0])))
        if finding.kind == "missing":
            option = self.options.get(str(finding.path[0])) if len(finding.path) == 1 else None
            about = f": {option.doc}" if option and option.doc else ""
            return here.problem(f"required by {owner}, but missing{about}")
        return here.wrong_value(finding.message)

    def _unknown(self, here: Place, owner: str, known: list[str]) -> Problem:
        name = here.path[-1]
        if not isinstance(name, str):
            return here.wrong_value(f"no such option of {owner}: a key is text")
        if name == "schedule_cfg":
            return here.problem(f"{owner} has nothing that can be scheduled; leave it out")
        hint = did_you_mean(name, known) or f"; it takes {', '.join(known) if known else 'no options'}"
        return here.wrong_value(f"no such option of {owner}{hint}")


@functools.cache
def options_of(target: Callable[..., Any]) -> OptionsSchema:
    """Return the schema of a class or function, the same object every time."""
    return OptionsSchema(target)
