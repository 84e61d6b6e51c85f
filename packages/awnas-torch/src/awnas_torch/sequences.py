"""Texts as batches: columns that are read in parallel, a chunk at a time, each going on where the last one ended."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from awnas_core.errors import ConfigError
from awnas_core.world import World
from awnas_torch.hashed import Seeds
from awnas_torch.queues import Indices


class Chunk(NamedTuple):
    """Inputs that go on where others ended; T tokens of each of B texts.

    Args:
        tokens: Shape ``(T, B)``.
        state: What the network returned as ``state`` of its outputs for the chunk before; None for a beginning.
        is_first: Nothing comes before, whatever was seen last.
    """

    tokens: Tensor
    state: Any = None
    is_first: bool = True

    def after(self, state: Any) -> Chunk:
        """Return the chunk as a network reads it that was left in ``state``."""
        return self if self.is_first or state is None else self._replace(state=state)


def continued(batch: tuple[Any, Any], state: Any) -> tuple[Any, Any]:
    """Return a batch (inputs, targets) as it reads after others; examples that are independent stay as they are."""
    inputs, targets = batch
    return (inputs.after(state), targets) if isinstance(inputs, Chunk) else batch


def state_after(outputs: Any) -> Any:
    """Return what a network remembers after the inputs it returned ``outputs`` for; None for independent examples."""
    return getattr(outputs, "state", None)


class TokenSequence:
    """A split that is one long sequence.

    Args:
        tokens: Numbers of the tokens, shape ``(n,)``, integers.
        name: Stands in error messages.
    """

    def __init__(self, tokens: Tensor, name: str = "text") -> None:
        self.tokens = tokens
        self.name = name

    def __len__(self) -> int:
        """Number of tokens."""
        return len(self.tokens)

    def __getitem__(self, index: int) -> int:
        """Return a token's number."""
        return int(self.tokens[index])

    def columns(self, indices: Indices, batch_size: int, world: World = World()) -> TokenColumns:
        """Return a part of the sequence, cut into columns of equal length; what is left over at its end is dropped.

        Args:
            indices: The part, which must be contiguous.
            batch_size: Columns, for each process.
            world: With several processes each reads columns of its own.

        Raises: ConfigError when the tokens were permuted.
        """
        if len(indices) and not (np.diff(indices) == 1).all():
            raise ConfigError(
                f"the tokens of '{self.name}' must stay in order; set shuffle_data_before_split to false"
            )
        start = int(indices[0]) if len(indices) else 0
        count = batch_size * world.size
        length = len(indices) // count
        matrix = self.tokens[start : start + count * length].view(count, length).t()
        mine = slice(world.rank * batch_size, (world.rank + 1) * batch_size)
        return TokenColumns(matrix[:, mine].contiguous(), start)


class TokenColumns:
    """B texts side by side, as a split whose examples are rows; a data queue of it hands out chunks.

    Args:
        matrix: Shape ``(length, B)``.
        start: Place of its first token in the whole sequence, from where rows are counted.
    """

    def __init__(self, matrix: Tensor, start: int) -> None:
        self.matrix = matrix
        self.start = start

    @property
    def rows(self) -> Indices:
        """The rows that have a row after them, to be predicted."""
        return np.arange(self.start, self.start + max(0, len(self.matrix) - 1), dtype=np.int64)

    def fetch(self, rows: Indices, seeds: Seeds) -> tuple[Chunk, Tensor]:
        """Return inputs and targets ``(T, B)`` for T consecutive rows; nothing in them is random."""
        return self.chunk(int(rows[0]) - self.start, len(rows))

    def chunk(self, first: int, steps: int) -> tuple[Chunk, Tensor]:
        """Return inputs and targets ``(T, B)`` of at most ``steps`` rows of the matrix."""
        stop = min(first + steps, len(self.matrix) - 1)
        tokens = Chunk(self.matrix[first:stop], is_first=first == 0)
        return tokens, self.matrix[first + 1 : stop + 1]
