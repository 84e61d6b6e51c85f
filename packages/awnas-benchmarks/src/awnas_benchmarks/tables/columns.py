"""The columns of a table: one metric each, of every architecture, perhaps of several trainings and epochs."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any, Literal

from awnas_core.errors import ConfigError
from awnas_core.metrics import Direction

_NAME = re.compile(r"(?P<what>[^@]+)(?:@(?:(?P<epoch>\d+)/)?(?P<epochs>\d+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What one column holds.

    Args:
        name: ``<data set>/<metric>``, and ``@<epochs>`` where it comes of a training: ``cifar10/valid_accuracy@200``.
        unit: ``""`` for a fraction, else ``"s"``, ``"ms"``, ``"mJ"``, ``"MAC"``, ….
        direction: Which way is better.
        scope: ``"data"`` where a training is needed to know it, ``"architecture"`` where none is.
        runs: Seeds of the trainings there are at most; empty where there is one value. The values then have a second
            axis, with holes for trainings that an architecture lacks.
        curve: Epochs at which there is a value, the last axis; empty where there is only the end of the training.
        decimals: Values are whole numbers divided by this power of ten: exact and small; None for plain floats.
        cost: The column that holds the seconds which this one takes to find out.
    """

    name: str
    unit: str = ""
    direction: Direction = "max"
    scope: Literal["data", "architecture"] = "data"
    runs: tuple[int, ...] = ()
    curve: tuple[int, ...] = ()
    decimals: int | None = None
    cost: str | None = None

    @property
    def epochs(self) -> int | None:
        """Epochs of the training it comes of, None where none is needed."""
        return ColumnName.parse(self.name).epochs

    def to_record(self) -> dict[str, Any]:
        """Return the column as JSON data."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Column:
        """Return the column that JSON data describe."""
        return cls(**record | {"runs": tuple(record["runs"]), "curve": tuple(record["curve"])})


@dataclass(frozen=True, slots=True)
class ColumnName:
    """A name as a person writes it: ``cifar10/valid_accuracy@12``, ``cifar10/train_loss@57/200``, ``cifar10/params``.

    ``@12`` is the end of a training of 12 epochs, ``@57/200`` the 57th epoch of a training of 200: with a schedule as
    long as the training, ``@12`` and ``@12/200`` are not the same.

    Args:
        what: The part before ``@``.
        epochs: Length of the training, None where none is needed.
        epoch: The epoch that is meant; None for the end.
    """

    what: str
    epochs: int | None = None
    epoch: int | None = None

    @classmethod
    def parse(cls, text: str) -> ColumnName:
        """Read a name.

        Raises: ConfigError when it has another form.
        """
        match = _NAME.fullmatch(text)
        if match is None:
            raise ConfigError(
                f"a column is called <data set>/<metric>, with @<epochs> or @<epoch>/<epochs>; got '{text}'"
            )
        epochs, epoch = (int(number) if number else None for number in match.group("epochs", "epoch"))
        return cls(match["what"], epochs, None if epoch == epochs else epoch)

    @property
    def column(self) -> str:
        """Name of the column that holds it."""
        return self.what if self.epochs is None else f"{self.what}@{self.epochs}"

    def at(self, column: str) -> str:
        """Return the name of what ``column``, which comes of the same training, held at the same epoch."""
        return column if self.epoch is None else column.replace("@", f"@{self.epoch}/")
