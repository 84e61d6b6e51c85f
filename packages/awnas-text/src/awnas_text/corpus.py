"""Texts as numbers: reading words or characters, and the vocabulary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from awnas_core.errors import ConfigError, DataError

Level = Literal["word", "character"]
END, UNKNOWN = "<eos>", "<unk>"


def tokens_of(text: str, level: Level) -> Iterator[str]:
    """Yield the tokens of a text: its characters, or its words with ``<eos>`` at the end of every line."""
    if level == "character":
        yield from text
        return
    for line in text.splitlines():
        yield from line.split()
        yield END


def read_text(path: Path) -> str:
    """Return a text in UTF-8.

    Raises: DataError when there is none, or it is no such text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(
            f"cannot read the text '{path}' ({error.strerror}); is AWNAS_DATA its folder?"
        ) from error
    except UnicodeDecodeError as error:
        raise DataError(f"'{path}' is not a text in UTF-8 (byte {error.start}); convert it first") from error


class Vocabulary:
    """The numbers of tokens, in the order of their first appearance.

    Args:
        texts: Tokens.
        limit: At most so many, the most frequent; the others are ``<unk>``, which is one of them. None for all.
    """

    def __init__(self, texts: Iterable[Sequence[str]], limit: int | None = None) -> None:
        counts = Counter(token for text in texts for token in text)
        if limit is not None and len(counts) > limit:
            counts.setdefault(UNKNOWN, 0)
            # Stable, so that of equally frequent ones those that appear first stay.
            ranked = sorted(counts, key=lambda token: (token != UNKNOWN, -counts[token]))
            kept = set(ranked[:limit])
            self.tokens = tuple(token for token in counts if token in kept)
        else:
            self.tokens = tuple(counts)
        self._numbers: Mapping[str, int] = {token: number for number, token in enumerate(self.tokens)}

    def __len__(self) -> int:
        """Number of tokens."""
        return len(self.tokens)

    def numbers(self, text: Sequence[str]) -> Tensor:
        """Return the numbers of a text, shape ``(n,)``.

        Raises: ConfigError for a token that is not in the vocabulary, where that has no ``<unk>``.
        """
        unknown = self._numbers.get(UNKNOWN)
        found = [self._numbers.get(token, unknown) for token in text]
        if None in found:
            raise ConfigError(f"the vocabulary has neither '{text[found.index(None)]}' nor '{UNKNOWN}'")
        return torch.tensor(found, dtype=torch.long)
