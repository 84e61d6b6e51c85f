"""Which components a config needs: what its roots ask for by the names of their parameters, and so on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from awnas_core.config.checked import CheckedComponent
from awnas_core.config.signature import Injected
from awnas_core.plugins.registry import Registry

FREE = frozenset({"device", "rng", "goals", "constraints", "rollout_type", "registry", "world"})
"""Names that can be injected whatever the config holds."""


class Needs:
    """What the components of a config ask for.

    Args:
        registry: Where kinds state the facts they provide.
        components: Those that could be imported.
        roots: Kinds that are needed in any case.
        has_goals: Whether the config states goals; else whoever asks for them needs an objective.

    Attributes:
        asked: Needed kind → who asks for it, empty for a root.
        read: Kinds that are needed or at least used when they are there.
        impossible: (kind, message) of components that ask for what nothing provides.
    """

    def __init__(
        self,
        registry: Registry,
        components: Mapping[str, CheckedComponent],
        roots: Iterable[str],
        *,
        has_goals: bool,
    ) -> None:
        self._registry = registry
        self._components = components
        self._has_goals = has_goals
        self.asked: dict[str, str] = dict.fromkeys(roots, "")
        self.read: set[str] = set()
        self.impossible: list[tuple[str, str]] = []
        for kind in list(self.asked):
            self._visit(kind)

    def _visit(self, kind: str) -> None:
        if kind in self.read:
            return
        self.read.add(kind)
        if kind not in self._components:
            return
        for component in self._components[kind].tree():
            asker = f"{component.spec.kind} '{component.spec.name}'"
            for parameter, provider in self._providers(component):
                if provider is None:
                    if component is self._components[kind] and parameter.required:
                        message = (
                            f"{asker} asks for '{parameter.name}', which nothing provides; tell its author"
                        )
                        self.impossible.append((kind, message))
                    continue
                if parameter.required and parameter.name != "goals":
                    self.asked.setdefault(provider, asker)
                self._visit(provider)

    def _providers(self, component: CheckedComponent) -> Iterator[tuple[Injected, str | None]]:
        """Yield each parameter and the kind whose component it comes from, None for nobody."""
        for parameter in component.schema.injected:
            name = parameter.name
            if name == "goals" and not self._has_goals:
                yield parameter, "objective"
            elif name in self._registry.kinds:
                yield parameter, name
            elif name not in FREE:
                facts = (kind.name for kind in self._registry.kinds.values() if name in kind.provides)
                yield parameter, next(facts, None)
