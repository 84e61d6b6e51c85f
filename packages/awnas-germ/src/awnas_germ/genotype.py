"""Genotypes of networks with choices: decision → value, and the grammar of their text."""

from __future__ import annotations

import ast
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from awnas_core.errors import GenotypeError


@dataclass(frozen=True, slots=True)
class GermGenotype:
    """The value of every decision that matters; ``str()`` gives text that :func:`parse_genotype` reads."""

    items: tuple[tuple[str, Hashable], ...]

    def __str__(self) -> str:
        return f"GermGenotype({dict(self.items)!r})"

    def __getitem__(self, name: str) -> Hashable:
        return dict(self.items)[name]


def parse_genotype(text: str) -> dict[str, Any]:
    """Read ``GermGenotype({'stem.out_channels': 32, …})``, the mapping alone, or ``OrderedDict([('…', 32), …])``.

    The text is taken apart by Python's own parser and never run: names, numbers, texts, booleans, None, tuples and
    lists are read, also numbers written ``np.int64(160)``; anything else is refused.

    Raises: GenotypeError saying what was expected.
    """
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise GenotypeError(
            f"not a genotype: {error}; expected GermGenotype({{'name': value, …}})"
        ) from error
    value = _value(node)
    if isinstance(value, (tuple, list)):
        if not all(isinstance(pair, tuple) and len(pair) == 2 for pair in value):
            raise GenotypeError("a genotype in a list consists of pairs (name, value)")
        value = dict(value)
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise GenotypeError("expected GermGenotype({'name': value, …})")
    return value


def _value(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=bool() | int() | float() | str() | None as constant):
            return constant
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
        case ast.Tuple(elts=elements):
            return tuple(_value(element) for element in elements)
        case ast.List(elts=elements):
            return tuple(_value(element) for element in elements)
        case ast.Dict(keys=keys, values=values) if all(key is not None for key in keys):
            return {_value(key): _value(value) for key, value in zip(keys, values, strict=True) if key}
        case ast.Call(func=ast.Name(id="GermGenotype" | "OrderedDict"), args=[inner], keywords=[]):
            return _value(inner)
        case ast.Call(
            func=ast.Attribute(
                value=ast.Name(id="np" | "numpy"), attr="int64" | "int32" | "float64" | "bool_"
            ),
            args=[inner],
            keywords=[],
        ):
            return _value(inner)
    raise GenotypeError(
        f"cannot read {ast.unparse(node)!r} in a genotype; expected a name, a number or a text"
    )


def text_of(values: Mapping[str, Hashable]) -> GermGenotype:
    """Return the genotype of decision → value."""
    return GermGenotype(tuple(values.items()))
