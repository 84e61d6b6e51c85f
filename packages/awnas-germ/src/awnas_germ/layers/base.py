"""What layers with weights share."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from awnas_core.errors import ConfigError
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

    def refuse_choices(self, **values: Any) -> None:
        """Refuse choices that cannot be relaxed.

        Raises: ConfigError naming the first.
        """
        for name, value in values.items():
            if isinstance(value, Expression):
                raise ConfigError(
                    f"'{name}' of {type(self).__name__} cannot be relaxed; search it with a controller of discrete "
                    "architectures, or fix it"
                )

    @abstractmethod
    def cost(self, values: tuple[Any, ...], shape: tuple[int, ...]) -> Cost:
        """Return the cost for one input of ``shape``, channels or features as recorded, at ``values`` of ``sizes``."""
