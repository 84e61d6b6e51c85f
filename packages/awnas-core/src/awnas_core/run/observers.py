"""Telling observers about a run, one by one, so that none can stop it."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

import pluggy

from awnas_core.plugins import hooks


class Observers:
    """Objects or plugin modules that implement run events of :mod:`awnas_core.plugins.hooks`."""

    def __init__(self, members: Iterable[Any] = ()) -> None:
        self._pluggy = pluggy.PluginManager("awnas")
        self._pluggy.add_hookspecs(hooks)
        for member in members:
            self.add(member)

    def add(self, member: Any) -> None:
        """Add one observer, told of events from now on."""
        if not self._pluggy.is_registered(member):
            self._pluggy.register(member)

    def notify(self, event: str, **facts: Any) -> None:
        """Call every observer of ``event``; one that raises is left out for the rest of the run, with one warning."""
        for implementation in getattr(self._pluggy.hook, event).get_hookimpls():
            try:
                implementation.function(*(facts[name] for name in implementation.argnames))
            except Exception as error:  # noqa: BLE001 - foreign code: anything can happen
                self._pluggy.unregister(implementation.plugin)
                warnings.warn(
                    f"observer '{implementation.plugin_name}' is switched off for this run: "
                    f"{event} raised {type(error).__name__}: {error}",
                    stacklevel=2,
                )
