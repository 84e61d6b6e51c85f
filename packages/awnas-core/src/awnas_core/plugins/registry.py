"""Looking components up by kind and name, over all plugins."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from awnas_core.errors import PluginError, RegistryError, did_you_mean
from awnas_core.plugins.manager import PluginManager, PluginRecord
from awnas_core.plugins.official import OFFICIAL, home_of
from awnas_core.plugins.spec import CommandSpec, ComponentSpec, KindSpec, PresetSpec, fold


@dataclass(frozen=True, slots=True)
class Refused:
    """A component, or a kind, that is declared but cannot be used, and why."""

    spec: ComponentSpec | KindSpec
    reason: str

    @property
    def what(self) -> str:
        """Kind and name, as a message says them."""
        kind = self.spec.kind if isinstance(self.spec, ComponentSpec) else "kind"
        return f"{kind} '{self.spec.name}' of {self.spec.distribution}"


class Registry:
    """All components that the loaded plugins offer, conflicts resolved."""

    def __init__(self, manager: PluginManager) -> None:
        self.manager = manager
        self.kinds: dict[str, KindSpec] = {}
        self.refused: list[Refused] = []
        self._kind_names: dict[str, str] = {}
        self._components: dict[tuple[str, str], ComponentSpec] = {}
        self._supports: set[tuple[str, str, str]] = set()
        for kind in sorted(manager.kinds(), key=lambda kind: kind.distribution not in OFFICIAL):
            self._add_kind(kind)
        self._resolve(self._of_known_kinds(manager.components()))

    @property
    def plugins(self) -> list[PluginRecord]:
        """What became of every plugin."""
        return self.manager.records

    def kind(self, name: str) -> KindSpec:
        """Return the kind of that name or alias.

        Raises: RegistryError listing the kinds.
        """
        try:
            return self.kinds[self._kind_names[fold(name)]]
        except KeyError:
            hint = did_you_mean(name, self.kinds) or f"; the kinds are {', '.join(sorted(self.kinds))}"
            raise RegistryError(f"no kind '{name}'{hint}") from None

    def find(self, kind: str, name: str) -> ComponentSpec:
        """Return the component of that name or alias.

        Raises: RegistryError that says what to install, which plugin failed, or the nearest name.
        """
        of_kind = self.kind(kind)
        found = self._components.get((of_kind.name, fold(str(name))))
        if found is not None:
            return found
        if home_of(of_kind.name, str(name)) is None:
            of_library = library_classes(of_kind).get(str(name))
            if of_library is not None:
                return ComponentSpec(kind=of_kind.name, name=name, target=of_library)
        raise RegistryError(self._why_missing(of_kind.name, str(name)))

    def names(self, kind: str) -> list[str]:
        """Return what a config may name, sorted: the components of a kind and the classes of its library."""
        return sorted({*library_classes(self.kind(kind)), *(spec.name for spec in self.specs(kind))})

    def specs(self, kind: str | None = None) -> list[ComponentSpec]:
        """Return all components, or those of one kind, sorted by kind and name."""
        wanted = None if kind is None else self.kind(kind).name
        unique = {(spec.kind, spec.name): spec for spec in self._components.values()}
        return [unique[key] for key in sorted(unique) if wanted in (None, key[0])]

    def takes(self, spec: ComponentSpec, rollout_type: str) -> bool:
        """Tell whether a component takes a rollout type, by its own word or the rollout's."""
        if not spec.rollouts or fold(rollout_type) in map(fold, spec.rollouts):
            return True
        return any((fold(rollout_type), spec.kind, name) in self._supports for name in spec.names)

    def load(self, spec: ComponentSpec) -> Any:
        """Import and return what ``spec`` names.

        Raises: PluginError when that fails, naming the plugin.
        """
        return load_target(spec.target, f"{spec.kind} '{spec.name}' of {spec.distribution or 'this process'}")

    def commands(self) -> list[CommandSpec]:
        """Return the subcommands that plugins add."""
        return self.manager.commands()

    def presets(self) -> dict[str, PresetSpec]:
        """Return the presets by folded name; the first plugin of a name keeps it, awnas's own first."""
        presets: dict[str, PresetSpec] = {}
        for preset in sorted(self.manager.presets(), key=lambda p: p.distribution not in OFFICIAL):
            presets.setdefault(fold(preset.name), preset)
        return presets

    def _add_kind(self, kind: KindSpec) -> None:
        names = [fold(name) for name in (kind.name, *kind.aliases)]
        taken = next((self._kind_names[name] for name in names if name in self._kind_names), None)
        if taken is None:
            self._kind_names |= dict.fromkeys(names, kind.name)
            self.kinds[kind.name] = kind
        else:
            holder = self.kinds[taken]
            reason = f"it takes a name of kind '{taken}' of {holder.distribution}, which keeps it"
            self.refused.append(Refused(kind, reason))

    def _of_known_kinds(self, specs: Iterable[ComponentSpec]) -> list[ComponentSpec]:
        known = []
        for spec in specs:
            if spec.kind in self.kinds:
                known.append(spec)
            else:
                self.refused.append(Refused(spec, f"nobody declares the kind '{spec.kind}'"))
        return known

    def _resolve(self, specs: list[ComponentSpec]) -> None:
        """Collect first, then decide: names before aliases, so that the order of plugins means nothing."""
        for of_aliases in (False, True):
            claims: dict[tuple[str, str], list[ComponentSpec]] = {}
            for spec in specs:
                for name in spec.names[1:] if of_aliases else spec.names[:1]:
                    claims.setdefault((spec.kind, name), []).append(spec)
            for key, claimants in claims.items():
                if key not in self._components and (winner := self._winner(key[1], claimants)):
                    self._components[key] = winner
        for spec in specs:
            if self._components.get((spec.kind, fold(spec.name))) is spec and spec.kind == "rollout":
                self._supports |= {(fold(spec.name), kind, fold(name)) for kind, name in spec.supports}

    def _winner(self, name: str, claimants: list[ComponentSpec]) -> ComponentSpec | None:
        if len(claimants) == 1:
            return claimants[0]
        replacing = [spec for spec in claimants if spec.replaces]
        official = [spec for spec in claimants if spec.distribution in OFFICIAL]
        favoured = replacing or official
        winner = favoured[0] if len(favoured) == 1 else None
        owners = " and ".join(sorted({spec.distribution for spec in claimants}))
        for spec in claimants:
            if spec is not winner:
                verdict = f"{winner.distribution} keeps it" if winner else "nobody gets it"
                advice = "block one with AWNAS_DISABLE_PLUGINS, or declare replaces=True"
                self.refused.append(Refused(spec, f"'{name}' is claimed by {owners}: {verdict}; {advice}"))
        return winner

    def _why_missing(self, kind: str, name: str) -> str:
        for refused in self.refused:
            spec = refused.spec
            if isinstance(spec, ComponentSpec) and spec.kind == kind and fold(name) in spec.names:
                return f"{kind} '{name}' cannot be used: {refused.reason}"
        home = home_of(kind, name)
        for record in self.plugins:
            if home is not None and record.origin == home and record.status != "loaded":
                owner = f"plugin '{record.name}' ({home})"
                return f"{kind} '{name}' belongs to {owner}, which is {record.status}: {record.error}"
        if home is not None:
            advice = f"which is not installed; try: pip install {home}"
            return f"{kind} '{name}' comes with the distribution {home}, {advice}"
        known = self.names(kind)
        hint = (
            did_you_mean(name, known)
            or did_you_mean(fold(name), known)
            or f"; there are {', '.join(known) or 'none'}"
        )
        failed = [record.name for record in self.plugins if record.status == "failed"]
        trouble = f" (failed plugins: {', '.join(failed)}; see awnas plugins)" if failed else ""
        return f"no {kind} '{name}'{hint}{trouble}"


def library_classes(kind: KindSpec) -> dict[str, type]:
    """Return the classes of a kind's library by name: public, and derived from the kind's base; none without one.

    Raises: PluginError when the library or the base cannot be imported.
    """
    if kind.library is None or kind.base is None:
        return {}
    try:
        library = importlib.import_module(kind.library)
    except ImportError as error:
        raise PluginError(
            f"{kind.library}, the library of kind '{kind.name}', cannot be imported: {error}"
        ) from error
    return classes_in(library, load_target(kind.base, f"the base of kind '{kind.name}'"))


def classes_in(module: ModuleType, base: type) -> dict[str, type]:
    """Return the public classes of a module that derive from ``base``, by name; ``base`` itself left out."""
    return {
        name: member
        for name, member in vars(module).items()
        if name[0] != "_" and isinstance(member, type) and issubclass(member, base) and member is not base
    }


def load_target(target: Any, what: str) -> Any:
    """Return what ``"module:attribute"`` names, or ``target`` itself when it is no text.

    Raises: PluginError naming ``what`` and the cause.
    """
    if not isinstance(target, str):
        return target
    module, _, attribute = target.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except Exception as error:  # importing runs foreign code: anything can happen
        raise PluginError(
            f"{what} cannot be imported from '{target}': {type(error).__name__}: {error}"
        ) from error
