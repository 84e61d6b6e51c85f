"""Finding plugins, loading each in isolation, and asking them what they offer."""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, TypeVar

import pluggy

from awnas_core.errors import PluginError
from awnas_core.plugins import hooks
from awnas_core.plugins.local import DECLARED, import_file, plugin_files, plugin_folder
from awnas_core.plugins.official import OFFICIAL
from awnas_core.plugins.spec import CommandSpec, ComponentSpec, KindSpec, PresetSpec, fold

Fact = TypeVar("Fact", ComponentSpec, KindSpec, CommandSpec, PresetSpec)


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginRecord:
    """What became of one plugin.

    Args:
        name: Name of its entry point, or of its file without the ending.
        origin: Distribution, or path of the file.
        version: Version of the distribution; empty for a file.
        status: ``"loaded"``, ``"blocked"`` or ``"failed"``.
        error: Why it failed or what blocked it.
    """

    name: str
    origin: str
    version: str = ""
    status: Literal["loaded", "blocked", "failed"] = "loaded"
    error: str = ""

    @property
    def is_official(self) -> bool:
        """Whether it belongs to a distribution of awnas itself."""
        return self.origin in OFFICIAL


class PluginManager:
    """The plugins of one process; a plain object, so that a test builds a fresh one."""

    def __init__(self) -> None:
        self.records: list[PluginRecord] = []
        self._pluggy = pluggy.PluginManager("awnas")
        self._pluggy.add_hookspecs(hooks)

    def add(self, record: PluginRecord, load: Callable[[], ModuleType]) -> None:
        """Load one plugin; whatever goes wrong is written into its record and stops nothing else."""
        try:
            module = load()
            _check_api(module)
            self._pluggy.register(module, name=_key(record))
            _refuse_unknown_hooks(self._pluggy, module)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - foreign code: anything can happen
            self._drop(record, error)
        else:
            self.records.append(record)

    def block(self, record: PluginRecord, reason: str) -> None:
        """Remember a plugin that was not loaded on request."""
        self.records.append(replace(record, status="blocked", error=reason))

    def components(self) -> list[ComponentSpec]:
        """Return every component of every loaded plugin, with the distribution filled in."""
        declared = [
            replace(spec, plugin=record.name, distribution=record.origin, version=record.version)
            for record in self._loaded()
            for spec in getattr(self._module(record), DECLARED, ())
        ]
        return [*self._gather("awnas_components", ComponentSpec), *declared]

    def kinds(self) -> list[KindSpec]:
        """Return every kind that a loaded plugin declares."""
        return self._gather("awnas_kinds", KindSpec)

    def commands(self) -> list[CommandSpec]:
        """Return every subcommand that a loaded plugin adds."""
        return self._gather("awnas_commands", CommandSpec)

    def presets(self) -> list[PresetSpec]:
        """Return every preset that a loaded plugin ships."""
        return self._gather("awnas_presets", PresetSpec)

    def observers(self) -> list[Any]:
        """Return the loaded plugin modules, to be told of run events."""
        return [self._module(record) for record in self._loaded()]

    def _loaded(self) -> list[PluginRecord]:
        return [record for record in self.records if record.status == "loaded"]

    def _module(self, record: PluginRecord) -> Any:
        return self._pluggy.get_plugin(_key(record))

    def _gather(self, hook: str, fact: type[Fact]) -> list[Fact]:
        facts: list[Fact] = []
        for record in self._loaded():
            implementation = getattr(self._module(record), hook, None)
            if implementation is None:
                continue
            try:
                facts += _stamped(_of_type(implementation(), fact, hook), record)
            except Exception as error:  # noqa: BLE001 - foreign code: anything can happen
                self.records.remove(record)
                self._drop(record, error)
        return facts

    def _drop(self, record: PluginRecord, error: BaseException) -> None:
        if self._pluggy.has_plugin(_key(record)):
            self._pluggy.unregister(name=_key(record))
        text = str(error) if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"
        self.records.append(replace(record, status="failed", error=text))


def discover(
    *, local: bool = True, files: Iterable[Path] = (), environ: Mapping[str, str] = os.environ
) -> PluginManager:
    """Load the installed plugins, and the local ones.

    Args:
        local: Also run the plugin files of the user's plugin folder.
        files: More plugin files, given on the command line.
        environ: Where ``AWNAS_PLUGIN_DIR``, ``AWNAS_DISABLE_PLUGINS`` and ``AWNAS_DISABLE_PLUGIN_AUTOLOAD`` are read.
    """
    manager = PluginManager()
    blocked = {
        fold(name.strip()) for name in environ.get("AWNAS_DISABLE_PLUGINS", "").split(",") if name.strip()
    }
    own_only = environ.get("AWNAS_DISABLE_PLUGIN_AUTOLOAD", "0") not in ("", "0")

    def consider(record: PluginRecord, load: Callable[[], ModuleType]) -> None:
        if record.origin != "awnas-core" and blocked & {fold(record.name), fold(record.origin)}:
            manager.block(record, "AWNAS_DISABLE_PLUGINS")
        elif own_only and not record.is_official:
            manager.block(record, "AWNAS_DISABLE_PLUGIN_AUTOLOAD")
        else:
            manager.add(record, load)

    for entry_point in sorted(importlib.metadata.entry_points(group="awnas"), key=lambda point: point.name):
        distribution = entry_point.dist
        assert distribution is not None, "entry points of installed distributions know where they come from"
        consider(
            PluginRecord(name=entry_point.name, origin=fold(distribution.name), version=distribution.version),
            entry_point.load,
        )
    if local:
        for path in plugin_files(plugin_folder(environ)):
            consider(PluginRecord(name=path.stem, origin=str(path)), lambda path=path: import_file(path))  # type: ignore[misc]
    for path in files:  # asked for by name: never blocked, and a failure is the user's to know
        manager.add(PluginRecord(name=path.stem, origin=str(path)), lambda path=path: import_file(path))  # type: ignore[misc]
        if manager.records[-1].status == "failed":
            raise PluginError(f"plugin file '{path}' cannot be used: {manager.records[-1].error}")
    return manager


def _key(record: PluginRecord) -> str:
    return f"{record.origin}:{record.name}"


def _check_api(module: ModuleType) -> None:
    if not isinstance(module, ModuleType):
        raise PluginError(f"the entry point must name a module, not {module!r}")
    is_file = module.__name__.startswith("awnas_local_")
    version = getattr(module, "awnas_api", hooks.API_VERSION if is_file else None)
    if version is None:
        raise PluginError("it does not state awnas_api; write 'awnas_api = 1' into its plugin module")
    if version != hooks.API_VERSION:
        raise PluginError(
            f"it was written for version {version!r} of the plugin protocol, this awnas-core speaks "
            f"{hooks.API_VERSION}; install a matching version of the plugin or of awnas-core"
        )


def _refuse_unknown_hooks(manager: pluggy.PluginManager, module: ModuleType) -> None:
    known = {name for name in vars(hooks) if name.startswith("awnas_")}
    for name, value in vars(module).items():
        if hasattr(value, "awnas_impl") and name not in known:
            raise PluginError(f"no hook '{name}'; the hooks are {', '.join(sorted(known))}")


def _of_type(facts: Any, fact: type[Fact], hook: str) -> Sequence[Fact]:
    if not isinstance(facts, (list, tuple)):
        raise PluginError(f"{hook} must return a list of {fact.__name__}, got {type(facts).__name__}")
    for item in facts:
        if not isinstance(item, fact):
            raise PluginError(f"{hook} must return {fact.__name__} objects, got {type(item).__name__}")
    return facts


def _stamped(facts: Sequence[Fact], record: PluginRecord) -> list[Fact]:
    if facts and isinstance(facts[0], ComponentSpec):
        return [
            replace(f, plugin=record.name, distribution=record.origin, version=record.version) for f in facts
        ]
    return [replace(f, distribution=record.origin) for f in facts]
