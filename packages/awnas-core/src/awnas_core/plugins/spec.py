"""What a plugin states about itself: plain facts, no work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from awnas_core.errors import PluginError


def fold(name: str) -> str:
    """Return the spelling that names are compared in: kebab-case, lower case."""
    return name.replace("_", "-").lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentSpec:
    """One component that a config can name.

    Args:
        kind: A kind declared by some plugin, ``"controller"`` for example.
        name: Registry name, kebab-case.
        target: ``"module:Class"``, imported when the component is first used; or the class itself.
        rollouts: Rollout types it takes (for a search space: gives); empty for any.
        data_types: Types of data it takes (for a data set: gives); empty for any.
        aliases: Other names it answers to.
        supports: For a rollout: components of other plugins that take it too, as (kind, name).
        legacy: ``"module:function"`` that turns the options of an older layer into today's.
        summary: One sentence of about 70 characters.
        replaces: Take the name from a component that has it already.
        plugin: Name of the plugin; set when it is loaded.
        distribution: Distribution of the plugin; set when it is loaded.
        version: Its version; set when it is loaded.
    """

    kind: str
    name: str
    target: Any
    rollouts: tuple[str, ...] = ()
    data_types: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    supports: tuple[tuple[str, str], ...] = ()
    legacy: str | None = None
    summary: str = ""
    replaces: bool = False
    plugin: str = ""
    distribution: str = ""
    version: str = ""

    def __post_init__(self) -> None:
        for label, value in (
            ("rollouts", self.rollouts),
            ("data_types", self.data_types),
            ("aliases", self.aliases),
        ):
            if isinstance(value, str):
                raise PluginError(
                    f"{self.kind} '{self.name}': {label} must be a tuple of names, got the text {value!r}"
                )
        if isinstance(self.target, str) and self.target.count(":") != 1:
            raise PluginError(
                f"{self.kind} '{self.name}': target must read 'module:Class', got {self.target!r}"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The name and its aliases, folded."""
        return tuple(dict.fromkeys(fold(name) for name in (self.name, *self.aliases)))


@dataclass(frozen=True, slots=True, kw_only=True)
class KindSpec:
    """A role that components can play.

    Args:
        name: As in ``<name>_type`` and ``<name>_cfg``.
        base: ``"module:Class"`` that its components derive from; None where any callable will do.
        aliases: Other spellings.
        provides: Names of facts that its component offers for injection.
        build_after: Kinds that are built before it even when it does not ask for them.
        library: Module whose classes derived from ``base`` can be named too, as they are spelt there.
        summary: One sentence.
    """

    name: str
    base: str | None = None
    aliases: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    build_after: tuple[str, ...] = ()
    library: str | None = None
    summary: str = ""
    distribution: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSpec:
    """A subcommand of ``awnas`` whose module is imported when it is called.

    Args:
        name: What the user types after ``awnas``.
        target: ``"module:function"`` (a Typer command) or ``"module:app"`` (a Typer group).
        summary: One sentence for ``--help``.
    """

    name: str
    target: str
    summary: str = ""
    distribution: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetSpec:
    """A ready configuration shipped in a package.

    Args:
        name: What the user types instead of a path.
        path: ``"package:relative/path.yaml"``.
        kind: ``"search"`` or ``"final"``.
        summary: One sentence.
        tags: ``"test"`` marks presets that run in seconds, as tests of what they name.
        trials: Other runs that tests make of it: each a list of ``KEY=VALUE`` as for ``--set``, and of seconds too.
    """

    name: str
    path: str
    kind: str = "search"
    summary: str = ""
    tags: tuple[str, ...] = ()
    trials: tuple[tuple[str, ...], ...] = ()
    distribution: str = ""
