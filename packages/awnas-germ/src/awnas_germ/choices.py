"""Choices: values that a search decides, and arithmetic on them."""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, NoReturn

from awnas_core.errors import ConfigError

ENUMERABLE = 100_000
"""Most joint assignments that are tried to find every value an expression can take."""


class Expression(ABC):
    """A value that depends on choices; it stands where a constructor expects a number.

    ``+ - * // /`` with other expressions and numbers, :func:`maximum`, :func:`minimum` and :meth:`apply` make new
    expressions.
    """

    @property
    @abstractmethod
    def leaves(self) -> tuple[Choices, ...]:
        """The choices it depends on, each once."""

    @abstractmethod
    def value(self, chosen: Mapping[Choices, Any]) -> Any:
        """Return the value under an assignment of all its choices."""

    def values(self) -> tuple[Any, ...]:
        """Return every value that can come out, each once, in the order of the choices.

        Raises: ConfigError when there are too many assignments to try.
        """
        count = math.prod(len(leaf.choices) for leaf in self.leaves)
        if count > ENUMERABLE:
            names = ", ".join(leaf.name or "?" for leaf in self.leaves)
            raise ConfigError(
                f"an expression of {len(self.leaves)} choices ({names}) has {count} assignments, at most {ENUMERABLE} "
                "can be tried; let it depend on fewer choices"
            )
        assignments = itertools.product(*(leaf.choices for leaf in self.leaves))
        found = (self.value(dict(zip(self.leaves, chosen, strict=True))) for chosen in assignments)
        return tuple(dict.fromkeys(found))

    def apply(self, function: Callable[[Any], Any]) -> Expression:
        """Return ``function`` of the value: rounding to a multiple of 8, for example."""
        return _Function(function, (self,))

    def __add__(self, other: Any) -> Expression:
        return _Function(lambda a, b: a + b, (self, other))

    def __radd__(self, other: Any) -> Expression:
        return _Function(lambda a, b: b + a, (self, other))

    def __sub__(self, other: Any) -> Expression:
        return _Function(lambda a, b: a - b, (self, other))

    def __rsub__(self, other: Any) -> Expression:
        return _Function(lambda a, b: b - a, (self, other))

    def __mul__(self, other: Any) -> Expression:
        return _Function(lambda a, b: a * b, (self, other))

    def __rmul__(self, other: Any) -> Expression:
        return _Function(lambda a, b: b * a, (self, other))

    def __floordiv__(self, other: Any) -> Expression:
        return _Function(lambda a, b: a // b, (self, other))

    def __truediv__(self, other: Any) -> Expression:
        return _Function(lambda a, b: a / b, (self, other))

    def _refuse(self) -> NoReturn:
        raise ConfigError(
            f"{self!r} is not decided while the network is built, so it is no number yet; use it in forward, "
            "hand it to a searchable layer, or compute with it by arithmetic, apply, maximum or minimum"
        )

    def __bool__(self) -> bool:  # noqa: PLE0304 - it never returns
        self._refuse()

    def __index__(self) -> int:  # noqa: PLE0305 - it never returns
        self._refuse()

    def __float__(self) -> float:
        self._refuse()


class Choices(Expression):
    """One value out of several; the same object in two places is one decision.

    Args:
        choices: The values: numbers, texts, booleans, None, or tuples of these.
        name: Name of the decision; without one it is called after the attribute that holds it, as in
            ``stem.out_channels``. Give one to what should keep its name when the network is rearranged.

    Raises: ConfigError for no values, or the same one twice.
    """

    def __init__(self, choices: Sequence[Hashable], name: str | None = None) -> None:
        self.choices = tuple(choices)
        self.name = name
        if not self.choices or len(set(self.choices)) != len(self.choices):
            raise ConfigError(f"Choices needs at least one value, each once; got {list(choices)}")

    @property
    def leaves(self) -> tuple[Choices, ...]:
        """Itself."""
        return (self,)

    def value(self, chosen: Mapping[Choices, Any]) -> Any:
        """Return what was chosen."""
        return chosen[self]

    def values(self) -> tuple[Any, ...]:
        """Return the values."""
        return self.choices

    def pick(self, table: Mapping[Any, Any]) -> Expression:
        """Return the entry of ``table`` for the chosen value.

        Raises: ConfigError when a value has no entry.
        """
        if missing := [choice for choice in self.choices if choice not in table]:
            raise ConfigError(f"pick has no entry for {missing[0]!r}; it has {list(table)}")
        return self.apply(dict(table).__getitem__)

    def __repr__(self) -> str:
        return f"Choices({list(self.choices)}{f', {self.name!r}' if self.name else ''})"


class _Function(Expression):
    """A function of expressions and plain values."""

    def __init__(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self._function = function
        self._arguments = arguments

    @property
    def leaves(self) -> tuple[Choices, ...]:
        """The choices of all arguments."""
        return leaves_of(self._arguments)

    def value(self, chosen: Mapping[Choices, Any]) -> Any:
        """Return the function of the arguments' values."""
        return self._function(*(value_of(argument, chosen) for argument in self._arguments))

    def __repr__(self) -> str:
        return f"an expression of {', '.join(map(repr, self.leaves))}"


class Subset(Choices):
    """``size`` different members of ``members``, in their order: which inputs a node reads, for example."""

    def __init__(self, members: Sequence[Hashable], size: int, name: str | None = None) -> None:
        if not 1 <= size <= len(members):
            raise ConfigError(
                f"a subset of {len(members)} members has 1 … {len(members)} of them, got {size}"
            )
        super().__init__(list(itertools.combinations(members, size)), name)


def choose(values: Sequence[Hashable], name: str | None = None) -> Any:
    """Return a choice, or the value itself where there is only one."""
    return values[0] if len(values) == 1 else Choices(values, name)


def together(*values: Any) -> Any:
    """Return the tuple of some values; an expression when one of them is."""
    return _Function(lambda *parts: parts, values) if leaves_of(values) else values


def maximum(*arguments: Any) -> Any:
    """Return the largest argument; an expression when one of them is."""
    return _Function(max, arguments) if leaves_of(arguments) else max(arguments)


def minimum(*arguments: Any) -> Any:
    """Return the smallest argument; an expression when one of them is."""
    return _Function(min, arguments) if leaves_of(arguments) else min(arguments)


def round_to(value: Any, divisor: int) -> Any:
    """Return ``value`` rounded to a multiple of ``divisor``, at least one, never below 90 % of it.

    Source: the rule of Sandler et al., "MobileNetV2", CVPR 2018, as in its published code.
    """
    if isinstance(value, Expression):
        return value.apply(lambda v: round_to(v, divisor))
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


def leaves_of(value: Any) -> tuple[Choices, ...]:
    """Return the choices in a value: an expression, or a list, tuple or dict that holds some."""
    return tuple(dict.fromkeys(leaf for expression in expressions_in(value) for leaf in expression.leaves))


def expressions_in(value: Any) -> tuple[Expression, ...]:
    """Return the expressions in a value: itself, or the members of (nested) lists, tuples and dicts."""
    if isinstance(value, Expression):
        return (value,)
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return ()
    return tuple(expression for item in value for expression in expressions_in(item))


def value_of(value: Any, chosen: Mapping[Choices, Any]) -> Any:
    """Return ``value`` with every expression in it, also in lists, tuples and dicts, replaced by its value."""
    if isinstance(value, Expression):
        return value.value(chosen)
    if isinstance(value, dict):
        return {key: value_of(item, chosen) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(value_of(item, chosen) for item in value)
    return value


def largest(value: Any) -> Any:
    """Return the largest value that an expression can take; what is no expression comes back as it is."""
    return max(value.values()) if isinstance(value, Expression) else value
