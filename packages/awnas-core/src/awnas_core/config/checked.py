"""A config that passed the check: components looked up, options as python values, nothing built yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from awnas_core.config.fates import KeyFate
from awnas_core.config.plain import plain
from awnas_core.config.schema import OptionsSchema
from awnas_core.metrics import Constraint, Goal
from awnas_core.plugins.spec import ComponentSpec

if TYPE_CHECKING:
    from awnas_core.schedule import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedComponent:
    """One component of a config.

    Args:
        spec: What its plugin states.
        cls: The class, imported.
        schema: What its constructor takes.
        options: Every option, defaults filled in.
        classes: Option → the class that its value names.
        children: Parameter name → nested component, or several where the parameter is a list.
        schedules: Attribute → how it changes from epoch to epoch.
        schedule_cfg: The schedules as written.
        rollout_type: The rollout type that this component alone is told; None for that of the config.
    """

    spec: ComponentSpec
    cls: Any
    schema: OptionsSchema
    options: Mapping[str, Any] = field(default_factory=dict)
    classes: Mapping[str, type] = field(default_factory=dict)
    children: Mapping[str, CheckedComponent | tuple[CheckedComponent, ...]] = field(default_factory=dict)
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    schedule_cfg: Mapping[str, Any] = field(default_factory=dict)
    rollout_type: str | None = None

    def arguments(self) -> dict[str, Any]:
        """Return the options as the constructor takes them: where one names a class, the class stands for the name."""
        named = {name: {**self.options[name], "type": cls} for name, cls in self.classes.items()}
        return {**self.options, **named}

    def resolved(self) -> dict[str, Any]:
        """Return its cfg with every default filled in, as plain data."""
        cfg = self.schema.to_json({name: self.options[name] for name in self.schema.options})
        for name, child in self.children.items():
            if isinstance(child, tuple):
                cfg[name] = [part.named(part.spec.kind) for part in child]
            else:
                cfg |= child.named(name)
        if self.rollout_type is not None:
            cfg["rollout_type"] = self.rollout_type
        if self.schedule_cfg:
            cfg["schedule_cfg"] = plain(self.schedule_cfg)
        return cfg

    def named(self, name: str) -> dict[str, Any]:
        """Return the two entries under which it stands in a config."""
        return {f"{name}_type": self.spec.name, f"{name}_cfg": self.resolved()}

    def tree(self) -> Iterator[CheckedComponent]:
        """Yield the component and all nested ones."""
        yield self
        for child in self.children.values():
            for part in child if isinstance(child, tuple) else (child,):
                yield from part.tree()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedConfig:
    """A whole config.

    Args:
        components: Kind → component; those that something in the config asks for.
        rollout_type: How architectures are encoded.
        goals: What to improve; empty leaves it to the objective.
        constraints: Bounds to keep.
        notes: What became of old keys, and which components nothing asks for; one sentence each.
        keys: What became of every key that is written in it.
    """

    components: Mapping[str, CheckedComponent]
    rollout_type: str
    goals: tuple[Goal, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    notes: tuple[str, ...] = ()
    keys: tuple[KeyFate, ...] = ()

    def resolved(self) -> dict[str, Any]:
        """Return the config with every default filled in, as plain data; it passes the check again."""
        config: dict[str, Any] = {"rollout_type": self.rollout_type}
        if self.goals:
            config["goals"] = plain(self.goals)
        if self.constraints:
            config["constraints"] = plain(self.constraints)
        for kind, component in self.components.items():
            config |= component.named(kind)
        return config
