"""What layers with weights share."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from awnas_core.layers import Cost
from awnas_germ.choices import Expression
from awnas_germ.resolve import Searchable


class Layer(Searchable):
    """A layer with weights of its own, whose cost can be told without building it."""

    @property
    @abstractmethod
    def sizes(self) -> tuple[Any, ...]:
        """The expressions and plain values that its cost depends on."""

    @property
    def spatial(self) -> tuple[Expression, ...]:
        """The expressions that the size of its output depends on, apart from channels."""
        return ()

    @abstractmethod
    def cost(self, values: tuple[Any, ...], shape: tuple[int, ...]) -> Cost:
        """Return the cost for one input of ``shape``, channels or features as recorded, at ``values`` of ``sizes``."""
