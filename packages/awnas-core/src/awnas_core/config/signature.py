"""A constructor read as a schema: what is injected, which options there are, which parts are components."""

from __future__ import annotations

import functools
import inspect
import sys
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from awnas_core.config.docstrings import argument_docs
from awnas_core.errors import PluginError
from awnas_core.options import ClassOf, is_child

REQUIRED: Any = inspect.Parameter.empty
"""Stands as the default of what a config must give."""


@dataclass(frozen=True, slots=True)
class Injected:
    """A positional parameter: a collaborator, handed in by its name."""

    name: str
    required: bool


@dataclass(frozen=True, slots=True)
class Option:
    """A keyword-only parameter: a value that a config may set.

    Args:
        name: Key in the config.
        annotation: The type, evaluated.
        default: Its default; ``REQUIRED`` when there is none.
        doc: Its text in the docstring, one line.
    """

    name: str
    annotation: Any
    default: Any = REQUIRED
    doc: str = ""

    @property
    def required(self) -> bool:
        """Whether a config must give it."""
        return self.default is REQUIRED

    @property
    def class_of(self) -> str | None:
        """Kind of the class that its value names; None where it names none."""
        members = (self.annotation, *typing.get_args(self.annotation))  # of a union, or Annotated itself
        marks = (mark for member in members for mark in getattr(member, "__metadata__", ()))
        return next((mark.kind for mark in marks if isinstance(mark, ClassOf)), None)


@dataclass(frozen=True, slots=True)
class ChildOption:
    """A keyword-only parameter that is a component itself, read from ``<name>_type`` and ``<name>_cfg``, or a list.

    Args:
        name: Name of the parameter.
        kind: Kind of the component.
        default: Component used when the config names none; None when it must.
        cfg: Its options when the config gives neither type nor options.
        doc: Its text in the docstring, one line.
        many: Whether it is a list of components, each read from ``<kind>_type`` and ``<kind>_cfg``.
        own_rollouts: Whether it works with another rollout type than the config's.
        deferred: Whether a function that builds it is handed in, instead of the component.
    """

    name: str
    kind: str
    default: str | None
    cfg: Mapping[str, Any] = field(default_factory=dict)
    doc: str = ""
    many: bool = False
    own_rollouts: bool = False
    deferred: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """Its keys in the component's cfg."""
        return (self.name,) if self.many else (f"{self.name}_type", f"{self.name}_cfg")


@dataclass(frozen=True, slots=True)
class Constructor:
    """The parameters of a class's constructor, or of a function, sorted by what they mean."""

    injected: tuple[Injected, ...]
    options: Mapping[str, Option]
    children: Mapping[str, ChildOption]


def read_constructor(target: Callable[..., Any]) -> Constructor:
    """Return what the constructor of ``target`` takes; ``**`` stands for the options of the base class's constructor.

    Annotations of injected parameters are never evaluated: they may name what only a type checker imports.

    Raises: PluginError when an option's annotation cannot be evaluated.
    """
    functions = list(_constructor_functions(target))
    docs = argument_docs(target)
    options: dict[str, Option] = {}
    children: dict[str, ChildOption] = {}
    for function, parameter in ((f, p) for f, parameters in functions for p in parameters):
        name, default = parameter.name, parameter.default
        if parameter.kind is not parameter.KEYWORD_ONLY or name in options or name in children:
            continue
        if is_child(default):
            children[name] = ChildOption(
                name,
                default.kind,
                default.default,
                default.cfg,
                docs.get(name, ""),
                default.many,
                default.own_rollouts,
                default.deferred,
            )
        else:
            annotation = _evaluate(parameter, function, target)
            options[name] = Option(name, annotation, default, docs.get(name, ""))
    injected = tuple(
        Injected(p.name, p.default is p.empty)
        for _, parameters in functions[:1]
        for p in parameters
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    )
    return Constructor(injected, options, children)


def _constructor_functions(target: Callable[..., Any]) -> Iterator[tuple[Any, list[inspect.Parameter]]]:
    """Yield whose signatures count: the ``__init__`` nearest to the class, and of its bases while they take ``**``."""
    if not isinstance(target, type):
        function = inspect.unwrap(target.func if isinstance(target, functools.partial) else target)
        yield function, _parameters(function, is_method=False)
        return
    for init in (vars(cls)["__init__"] for cls in target.__mro__ if "__init__" in vars(cls)):
        if not isinstance(init, types.FunctionType):
            return
        function = inspect.unwrap(init)
        parameters = _parameters(function, is_method=True)
        yield function, parameters
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            return


def _parameters(function: Any, is_method: bool) -> list[inspect.Parameter]:
    if sys.version_info >= (3, 14):  # annotations are evaluated late there, and would be here
        from annotationlib import Format

        signature = inspect.signature(function, annotation_format=Format.FORWARDREF)
    else:
        signature = inspect.signature(function)
    return list(signature.parameters.values())[int(is_method) :]


def _evaluate(parameter: inspect.Parameter, function: Any, target: Any) -> Any:
    """Evaluate one annotation, alone, in the module of the function it belongs to."""
    if parameter.annotation is parameter.empty:
        return Any
    holder = types.SimpleNamespace(__annotations__={parameter.name: parameter.annotation})
    try:
        hints = typing.get_type_hints(holder, globalns=function.__globals__, include_extras=True)
    except Exception as error:  # the annotation is foreign code
        raise PluginError(
            f"option '{parameter.name}' of {target.__qualname__}: its annotation {parameter.annotation!r} cannot be "
            f"evaluated in module {function.__module__}: {error}; import its names there at run time"
        ) from error
    annotation = hints[parameter.name]
    return annotation | None if parameter.default is None and annotation is not Any else annotation
