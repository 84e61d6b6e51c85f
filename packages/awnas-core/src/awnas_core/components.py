"""What every component of a search shares: epoch hooks, schedules and state."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from awnas_core.schedule import Schedule


class Component:
    """Base of everything a config can name.

    The constructor is the schema: positional parameters are injected by name (``search_space``,
    ``rng``, ``device``, …), keyword-only parameters are the options a config may set.

    A component may also be a ``torch.nn.Module``; nothing here collides with one.
    """

    schedulable: ClassVar[tuple[str, ...]] = ()
    """Attributes that ``schedule_cfg`` may change from epoch to epoch."""

    schedules: Mapping[str, Schedule] = {}
    """What is scheduled on this component; set when it is built from a config."""

    @classmethod
    def check_options(cls, options: Mapping[str, Any]) -> None:
        """Refuse options that are each of the right type but impossible together.

        Called with all options, defaults included, before anything is built.

        Raises: ConfigError saying what was expected.
        """

    @property
    def logger(self) -> logging.Logger:
        """The logger named after the class."""
        return logging.getLogger(f"awnas.{type(self).__name__}")

    def on_epoch_start(self, epoch: int) -> None:
        """Apply the schedules for ``epoch`` (1-based). A subclass that overrides this calls ``super()``."""
        for name, schedule in sorted(self.schedules.items()):
            setattr(self, name, schedule.value(epoch))

    def on_epoch_end(self, epoch: int) -> None:
        """Close ``epoch``; does nothing by default."""

    def state(self) -> dict[str, Any]:
        """Return what a resumed run needs beyond the constructor's arguments.

        Nested dicts, lists, numbers, strings, numpy arrays and torch tensors; parts that the component
        owns (a network, an agent) are included, injected collaborators are not.
        """
        return {}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take up ``state``, as returned by :meth:`state` of an equal component.

        Raises: CheckpointError when the state belongs to something else.
        """


def walk(*roots: Component) -> Iterator[Component]:
    """Yield the components that can be reached from ``roots`` through attributes, each exactly once.

    Attributes that hold components directly or in (nested) lists, tuples and dicts are followed. This is how epoch
    hooks reach nested components and the search space, whoever holds them.
    """
    seen: set[int] = set()
    stack: list[Any] = list(reversed(roots))
    while stack:
        item = stack.pop()
        if isinstance(item, (list, tuple)):
            stack.extend(part for part in reversed(item) if isinstance(part, (Component, list, tuple, dict)))
        elif isinstance(item, dict):
            stack.extend(
                part for part in reversed(item.values()) if isinstance(part, (Component, list, tuple, dict))
            )
        elif isinstance(item, Component) and id(item) not in seen:
            seen.add(id(item))
            yield item
            stack.append(list(vars(item).values()))
