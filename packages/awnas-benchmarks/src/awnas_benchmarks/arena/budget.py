"""What a search may spend."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from awnas_core.errors import ConfigError

_TEXT = re.compile(r"\s*(\d+(?:\.\d+)?(?:[eE]\d+)?)\s*(s?)\s*")


@dataclass(frozen=True, slots=True)
class Budget:
    """A number of evaluations, or the seconds that training the architectures would have taken.

    Args:
        amount: How much.
        unit: Of what.
    """

    amount: float
    unit: Literal["evaluations", "seconds"] = "evaluations"

    @classmethod
    def parse(cls, text: str) -> Budget:
        """Read ``100`` (evaluations) or ``12000s``.

        Raises: ConfigError when it is neither.
        """
        match = _TEXT.fullmatch(text)
        if (
            match is None
            or float(match[1]) <= 0
            or (not match[2] and float(match[1]) != int(float(match[1])))
        ):
            raise ConfigError(
                f"a budget is a number of evaluations (100) or of seconds (12000s), got '{text}'"
            )
        return cls(float(match[1]), "seconds" if match[2] else "evaluations")

    def __str__(self) -> str:
        return f"{self.amount:g} {self.unit}"
