"""Named categorical decisions: what every search space is made of.

Sampling, mutation, crossover, enumeration, distance and size follow from the decisions and the rules between them, so
that a controller is written once and works on every space. Architectures are rows of integer codes, shape ``(n, D)``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from awnas_core.errors import ConfigError, GenotypeError

Codes = npt.NDArray[np.int64]
Valid = Callable[[Codes], npt.NDArray[np.bool_]]

BLOCK = 65_536
"""Rows handled at once by enumeration."""
COUNTABLE = 10_000_000
"""Most rows that are enumerated to count a space with a constraint."""
RETRIES = 200
"""Rounds of redrawing rows that break the constraint."""


@dataclass(frozen=True, slots=True)
class Condition:
    """When a decision matters: only while another one has one of some values.

    Args:
        decision: Name of an earlier decision.
        values: Its values under which this one is active.
    """

    decision: str
    values: tuple[Hashable, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """One choice among listed values.

    Args:
        name: Unique in the space.
        choices: The values; code i stands for ``choices[i]``.
        when: None, or when the decision is active. An inactive decision carries code 0, so that equal architectures
            have equal codes.
    """

    name: str
    choices: tuple[Hashable, ...]
    when: Condition | None = None

    def __post_init__(self) -> None:
        if not self.choices:
            raise ConfigError(f"decision '{self.name}' has no choices; give it at least one")


@dataclass(frozen=True)
class Decisions(Sequence[Decision]):
    """All decisions of a space, in order, and the rules between them.

    Args:
        items: The decisions; a condition names an earlier one.
        valid: Which rows of codes ``(n, D)`` are architectures, as booleans ``(n,)``; None when all are.
    """

    items: tuple[Decision, ...]
    valid: Valid | None = field(default=None, repr=False)

    def __init__(self, items: Sequence[Decision], valid: Valid | None = None) -> None:
        object.__setattr__(self, "items", tuple(items))
        object.__setattr__(self, "valid", valid)
        if not self.items:
            raise ConfigError("a search space needs at least one decision")
        if len(self._index) != len(self.items):
            raise ConfigError("decisions must have different names")
        assert self._conditions is not None, "conditions are checked when they are first read"

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: Any) -> Any:
        return self.items[index]

    @cached_property
    def cardinalities(self) -> Codes:
        """Number of choices of each decision, shape ``(D,)``."""
        return np.array([len(decision.choices) for decision in self.items], dtype=np.int64)

    def active(self, codes: Codes) -> npt.NDArray[np.bool_]:
        """Return which decisions matter in each row, shape ``(n, D)``."""
        active = np.ones(codes.shape, dtype=bool)
        for column, other, allowed in self._conditions:
            active[:, column] = active[:, other] & allowed[codes[:, other]]
        return active

    def check_codes(self, codes: Codes) -> None:
        """Raise unless every row is an architecture.

        Raises: GenotypeError naming the decision, its code and the range.
        """
        if codes.ndim != 2 or codes.shape[1] != len(self):
            raise GenotypeError(
                f"an architecture has {len(self)} codes, got {codes.shape[-1] if codes.ndim else 1}"
            )
        wrong = (codes < 0) | (codes >= self.cardinalities)
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            decision = self.items[column]
            raise GenotypeError(
                f"decision '{decision.name}' has codes 0 … {len(decision.choices) - 1}, got {codes[row, column]}"
            )
        idle = ~self.active(codes) & (codes != 0)
        if idle.any():
            raise GenotypeError(
                f"decision '{self.items[np.argwhere(idle)[0][1]].name}' is inactive: its code must be 0"
            )
        if self.valid is not None and not self.valid(codes).all():
            raise GenotypeError("these codes break a rule of the search space")

    def sample(self, n: int, rng: np.random.Generator) -> Codes:
        """Draw ``n`` rows, each decision uniformly; rows that break the constraint are drawn anew.

        Raises: ConfigError when the constraint leaves next to nothing.
        """
        return self._redraw(self._draw(n, rng), lambda rows: self._draw(len(rows), rng))

    def mutate(self, codes: Codes, rng: np.random.Generator) -> Codes:
        """Return rows that differ from their parents by another value of one active decision, drawn uniformly.

        What the change makes inactive becomes 0; what it makes active is drawn.

        Raises: ConfigError when nothing can be changed.
        """
        parents = np.asarray(codes, dtype=np.int64)
        return self._redraw(self._mutate(parents, rng), lambda rows: self._mutate(parents[rows], rng))

    def neighbours(self, code: Codes, rng: np.random.Generator) -> Codes:
        """Return all rows that differ from one by another value of one active decision; shape ``(k, D)``.

        What the change makes inactive becomes 0; what it makes active is drawn. Rows that break the constraint are left
        out.

        Args:
            code: Shape ``(D,)``.
            rng: Where what becomes active comes from.
        """
        others = np.where(self.active(code[None])[0], self.cardinalities - 1, 0)
        column = np.repeat(np.arange(len(self)), others)
        shift = np.concatenate([np.arange(1, count + 1) for count in others.tolist()])
        parents = np.tile(code, (len(column), 1))
        around = self._changed(parents, column, shift, rng)
        return around if self.valid is None else around[self.valid(around)]

    def crossover(self, a: Codes, b: Codes, rng: np.random.Generator, prob: float = 0.5) -> Codes:
        """Return rows that take each decision from ``a`` with probability ``prob``, else from ``b``.

        Raises: ConfigError when the constraint leaves next to no mixture.
        """

        def mix(rows: npt.NDArray[np.int64]) -> Codes:
            from_a = rng.random((len(rows), len(self))) < prob
            return self._silenced(np.where(from_a, a[rows], b[rows]))

        everything = np.arange(len(a))
        return self._redraw(mix(everything), mix)

    def distance(self, a: Codes, b: Codes) -> npt.NDArray[np.int64]:
        """Return in how many decisions each row of ``a`` differs from that of ``b``, shape ``(n,)``."""
        return np.asarray((a != b).sum(-1), dtype=np.int64)

    def size(self) -> int:
        """Return the number of architectures, exactly.

        Raises: ValueError when a constraint makes it too large to count.
        """
        if self.valid is None:
            return self._count(0, {})
        if self._count(0, {}) > COUNTABLE:
            raise ValueError(f"a space of {self._count(0, {})} rows with a constraint is too large to count")
        return sum(len(block) for block in self.enumerate())

    def enumerate(self) -> Iterator[Codes]:
        """Yield all architectures once, in lexicographic order, in blocks of rows."""
        total = math.prod(self.cardinalities.tolist())
        weights = [math.prod(self.cardinalities[i + 1 :].tolist()) for i in range(len(self))]
        for start in range(0, total, BLOCK):
            numbers = range(start, min(start + BLOCK, total))
            rows = np.array(
                [
                    [n // w % c for w, c in zip(weights, self.cardinalities.tolist(), strict=True)]
                    for n in numbers
                ]
            )
            rows = rows[((rows == 0) | self.active(rows)).all(-1)]
            if self.valid is not None and len(rows):
                rows = rows[self.valid(rows)]
            if len(rows):
                yield rows

    def decode(self, arch: Sequence[int]) -> dict[str, Hashable]:
        """Return name → value of every active decision of one architecture."""
        active = self.active(np.asarray(arch, dtype=np.int64)[None])[0]
        return {d.name: d.choices[code] for d, code, on in zip(self.items, arch, active, strict=True) if on}

    @cached_property
    def _index(self) -> dict[str, int]:
        return {decision.name: index for index, decision in enumerate(self.items)}

    @cached_property
    def _conditions(self) -> list[tuple[int, int, npt.NDArray[np.bool_]]]:
        """(column, column it depends on, which codes of that one make it active), in order."""
        conditions = []
        for column, decision in enumerate(self.items):
            if decision.when is None:
                continue
            other = self._index.get(decision.when.decision, column)
            if other >= column:
                raise ConfigError(
                    f"decision '{decision.name}' depends on '{decision.when.decision}', which must come earlier"
                )
            choices = self.items[other].choices
            if unknown := [value for value in decision.when.values if value not in choices]:
                raise ConfigError(
                    f"'{decision.when.decision}' has no value {unknown[0]!r}, on which '{decision.name}' depends"
                )
            conditions.append((column, other, np.array([value in decision.when.values for value in choices])))
        return conditions

    def _draw(self, n: int, rng: np.random.Generator) -> Codes:
        return self._silenced(rng.integers(0, self.cardinalities, size=(n, len(self))))

    def _silenced(self, codes: Codes) -> Codes:
        return np.where(self.active(codes), codes, 0) if self._conditions else codes

    def _mutate(self, parents: Codes, rng: np.random.Generator) -> Codes:
        changeable = (self.cardinalities > 1) & self.active(parents)
        if not changeable.any(-1).all():
            raise ConfigError("nothing can be mutated: every decision has a single choice")
        column = np.where(changeable, rng.random(parents.shape), -1.0).argmax(-1)
        shift = 1 + (rng.random(len(parents)) * (self.cardinalities[column] - 1)).astype(np.int64)
        return self._changed(parents, column, shift, rng)

    def _changed(self, parents: Codes, column: Codes, shift: Codes, rng: np.random.Generator) -> Codes:
        """Return rows in which the code of each row's column is moved on by its shift, round and round."""
        rows = np.arange(len(parents))
        children = parents.copy()
        children[rows, column] = (parents[rows, column] + shift) % self.cardinalities[column]
        if self._conditions:
            newly = self.active(children) & ~self.active(parents)
            children = self._silenced(np.where(newly, self._draw(len(parents), rng), children))
        return children

    def _redraw(self, codes: Codes, draw: Callable[[npt.NDArray[np.int64]], Codes]) -> Codes:
        """Replace rows that break the constraint by ``draw(their numbers)`` until none is left."""
        if self.valid is None:
            return codes
        for _ in range(RETRIES):
            broken = np.flatnonzero(~self.valid(codes))
            if not len(broken):
                return codes
            codes[broken] = draw(broken)
        raise ConfigError(
            f"no valid architecture turned up in {RETRIES} draws; the rules of the space are too tight"
        )

    def _count(self, column: int, chosen: dict[int, int]) -> int:
        """Count the rows from ``column`` on, given the codes on which later decisions depend."""
        if column == len(self):
            return 1
        condition = next((c for c in self._conditions if c[0] == column), None)
        if condition is not None and not (condition[1] in chosen and condition[2][chosen[condition[1]]]):
            return self._count(column + 1, chosen)
        if not any(other == column for _, other, _ in self._conditions):
            return int(self.cardinalities[column]) * self._count(column + 1, chosen)
        return sum(
            self._count(column + 1, chosen | {column: code})
            for code in range(int(self.cardinalities[column]))
        )
