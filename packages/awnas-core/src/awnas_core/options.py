"""Types for the options of components: ranges that the config check knows, and nested components."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge, Gt, Le, Predicate

PositiveInt = Annotated[int, Ge(1)]
NonNegativeInt = Annotated[int, Ge(0)]
PositiveFloat = Annotated[float, Gt(0)]
NonNegativeFloat = Annotated[float, Ge(0)]
Fraction = Annotated[float, Ge(0), Le(1)]


def _is_file(path: Path) -> bool:
    if not path.is_file():
        raise ValueError(f"expected a file, but there is none at '{path}' (seen from '{Path.cwd()}')")
    return True


ExistingFile = Annotated[Path, Predicate(_is_file)]
"""A file that must be there before anything is built."""


@dataclass(frozen=True, slots=True)
class ClassOf:
    """Marks a mapping ``{"type": name, **options}`` whose name is that of a class of a kind, built by its owner.

    The check looks the class up and knows its options; the component gets the class for the name.
    """

    kind: str


OptimizerCfg = Annotated[dict[str, Any], ClassOf("optimizer")]
"""``{"type": name, **options}``: an optimizer of torch or of a plugin."""
SchedulerCfg = Annotated[dict[str, Any], ClassOf("lr_scheduler")]
"""``{"type": name, **options}``: a learning-rate scheduler of torch, of awnas or of a plugin."""


@dataclass(frozen=True, slots=True)
class _ChildMark:
    kind: str
    default: str | None
    cfg: Mapping[str, Any] = field(default_factory=dict)
    many: bool = False
    own_rollouts: bool = False
    deferred: bool = False


def Child(  # noqa: N802 - reads as a type
    kind: str,
    default: str | None = None,
    cfg: Mapping[str, Any] | None = None,
    *,
    own_rollouts: bool = False,
    deferred: bool = False,
) -> Any:
    """Mark a keyword-only option ``x`` as a nested component, read from ``x_type`` and ``x_cfg``.

    Args:
        kind: Kind of the component.
        default: Name used when the config has no ``x_type``; None makes it required.
        cfg: Its options when the config has neither ``x_type`` nor ``x_cfg``.
        own_rollouts: It works with rollouts of a type of its own, not with those that the config names.
        deferred: Hand in a function that builds the component, every time it is called, instead of the component
            itself; keyword arguments stand in for collaborators by name.

    ::

        def __init__(self, search_space, rng, *, rl_agent: Agent = Child("rl_agent", "pg")) -> None: ...

    Typed ``Any`` so that it can stand as the default of an option annotated with the role. The builder replaces it;
    whoever calls the constructor directly passes a component.
    """
    return _ChildMark(kind, default, cfg or {}, own_rollouts=own_rollouts, deferred=deferred)


def Children(kind: str) -> Any:  # noqa: N802 - reads as a type
    """Mark a keyword-only option as a list of nested components, at least one; the builder hands in a tuple.

    Args:
        kind: Kind of each; the items of the list read ``{<kind>_type: …, <kind>_cfg: …}``.

    ::

        def __init__(self, *, sub_objectives: tuple[Objective, ...] = Children("objective")) -> None: ...
    """
    return _ChildMark(kind, None, many=True)


def is_child(default: object) -> bool:
    """Tell whether a default is a :func:`Child` or :func:`Children` mark."""
    return isinstance(default, _ChildMark)
