"""Rules between choices."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import nn

from awnas_core.decisions import Codes
from awnas_core.errors import ConfigError
from awnas_germ.choices import ENUMERABLE, Choices, leaves_of, value_of

RULES = "germ_rules"
"""The attribute under which a module keeps the rules it states."""


class Rule:
    """A condition that every architecture keeps.

    Args:
        holds: Function of the values of ``arguments``; true where the architecture is allowed.
        arguments: Expressions and plain values.

    Raises: ConfigError when it depends on no choice, or on too many to try all their assignments.
    """

    def __init__(self, holds: Callable[..., bool], arguments: tuple[Any, ...]) -> None:
        self.leaves = leaves_of(arguments)
        count = math.prod(len(leaf.choices) for leaf in self.leaves)
        if not self.leaves or count > ENUMERABLE:
            raise ConfigError(
                f"a rule depends on at least one choice and at most {ENUMERABLE} assignments, here {count}"
            )
        assignments = itertools.product(*(leaf.choices for leaf in self.leaves))
        chosen = (dict(zip(self.leaves, values, strict=True)) for values in assignments)
        table = [bool(holds(*(value_of(argument, c) for argument in arguments))) for c in chosen]
        self.table = np.array(table).reshape([len(leaf.choices) for leaf in self.leaves])
        if not self.table.any():
            raise ConfigError("a rule that no assignment keeps leaves no architecture")

    def kept(self, codes: Codes, columns: dict[Choices, int]) -> npt.NDArray[np.bool_]:
        """Return which rows of ``codes``, shape ``(n, D)``, keep the rule."""
        kept: npt.NDArray[np.bool_] = self.table[tuple(codes[:, columns[leaf]] for leaf in self.leaves)]
        return kept


def require(module: nn.Module, holds: Callable[..., bool], *arguments: Any) -> None:
    """State a rule between choices, in the constructor of the network.

    ::

        require(self, lambda first, last: first <= last, width_1, width_2)

    Args:
        module: The module that states it.
        holds: Function of the values of ``arguments``; true where the architecture is allowed.
        arguments: Expressions and plain values.
    """
    vars(module).setdefault(RULES, []).append(Rule(holds, arguments))


def rules_of(network: nn.Module) -> list[Rule]:
    """Return the rules that the modules of ``network`` state."""
    return [rule for module in network.modules() for rule in vars(module).get(RULES, ())]


def all_kept(rules: list[Rule], columns: dict[Choices, int], codes: Codes) -> npt.NDArray[np.bool_]:
    """Return which rows of ``codes``, shape ``(n, D)``, keep every rule."""
    kept = np.ones(len(codes), dtype=bool)
    for rule in rules:
        kept &= rule.kept(codes, columns)
    return kept
