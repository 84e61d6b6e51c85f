"""Data sets of text: one that ships, a file of one's own, and corpora in the format of Penn Treebank."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from awnas_core.errors import ConfigError
from awnas_core.options import Fraction, PositiveInt
from awnas_core.roles.dataset import Dataset
from awnas_text.corpus import Level, Vocabulary, read_text, tokens_of
from awnas_torch.sequences import TokenSequence
from awnas_training.datasets.paths import data_folder

SHIPPED = Path(__file__).parent / "data" / "shakespeare.txt"


class TextDataset(Dataset):
    """Splits that are sequences of tokens, numbered by one vocabulary."""

    vocabulary: Vocabulary
    _splits: dict[str, TokenSequence]

    def hold(self, texts: Mapping[str, str], level: Level, limit: int | None = None) -> None:
        """Take up the text of every split; the vocabulary is that of all of them, in this order."""
        tokens = {name: tuple(tokens_of(text, level)) for name, text in texts.items()}
        self.vocabulary = Vocabulary(tokens.values(), limit)
        self._splits = {
            name: TokenSequence(self.vocabulary.numbers(of_split), name) for name, of_split in tokens.items()
        }

    def splits(self) -> Mapping[str, TokenSequence]:
        """Return the sequences."""
        return self._splits

    def facts(self) -> Mapping[str, Any]:
        """Return ``num_tokens``, the size of the vocabulary."""
        return {"num_tokens": len(self.vocabulary)}


class TextFile(TextDataset):
    """A file of text: its beginning is ``train``, then come ``valid`` and ``test``.

    Args:
        file: In UTF-8; absolute, or below ``$AWNAS_DATA``.
        level: What a token is: ``word`` (divided by white space, ``<eos>`` at the end of a line) or ``character``.
        valid_portion: Part of the file that is ``valid``.
        test_portion: Part of the file that is ``test``.
        vocabulary_size: At most so many tokens; the less frequent ones are ``<unk>``. All by default.
    """

    def __init__(
        self,
        *,
        file: str,
        level: Level = "word",
        valid_portion: Fraction = 0.05,
        test_portion: Fraction = 0.05,
        vocabulary_size: PositiveInt | None = None,
    ) -> None:
        self.hold(_divided(read_text(data_folder(file)), valid_portion, test_portion), level, vocabulary_size)

    @classmethod
    def check_options(cls, options: Mapping[str, Any]) -> None:
        """Refuse portions that leave nothing to train on."""
        if options["valid_portion"] + options["test_portion"] >= 1:
            raise ConfigError(
                f"valid_portion and test_portion leave nothing to train on: {options['valid_portion']} and "
                f"{options['test_portion']} of the text"
            )


class Shakespeare(TextDataset):
    """Scenes of Shakespeare, 200,000 characters, which come with this package.

    Args:
        level: What a token is: ``character`` or ``word``.
        valid_portion: Part of the text that is ``valid``.
        test_portion: Part of the text that is ``test``.
        vocabulary_size: At most so many tokens; the less frequent ones are ``<unk>``. All by default.

    Source: the beginning of "tiny Shakespeare", as gathered by Andrej Karpathy for char-rnn; in the public domain.
    """

    def __init__(
        self,
        *,
        level: Level = "character",
        valid_portion: Fraction = 0.1,
        test_portion: Fraction = 0.05,
        vocabulary_size: PositiveInt | None = None,
    ) -> None:
        self.hold(_divided(read_text(SHIPPED), valid_portion, test_portion), level, vocabulary_size)

    @classmethod
    def check_options(cls, options: Mapping[str, Any]) -> None:
        """Refuse portions that leave nothing to train on."""
        TextFile.check_options(options)


class Ptb(TextDataset):
    """A corpus in the format of Penn Treebank: ``train.txt``, ``valid.txt`` and ``test.txt``, a sentence on a line.

    Splits are ``train``, ``valid`` and ``test``; the last two also go by ``ori_train`` and ``ori_valid``, which stay
    what they are when ``train`` is both.

    Args:
        relative_dir: Folder of the files, below the folder of all data sets, or absolute.
        merge_valid: The split ``train`` goes on with that of ``valid``, for searches that divide it anew.

    Source: Mikolov et al., "Recurrent neural network based language model", Interspeech 2010, whose files these are.
    """

    def __init__(self, *, relative_dir: str = "ptb", merge_valid: bool = False) -> None:
        folder = data_folder(relative_dir)
        texts = {name: read_text(folder / f"{name}.txt") for name in ("train", "valid", "test")}
        self.hold(texts, "word")
        train, valid = self._splits["train"], self._splits["valid"]
        self._splits |= {"ori_train": train, "ori_valid": valid}
        if merge_valid:
            self._splits["train"] = TokenSequence(torch.cat([train.tokens, valid.tokens]), "train")


def _divided(text: str, valid: float, test: float) -> dict[str, str]:
    """Cut a text at the ends of lines next to where the portions begin."""
    first = _end_of_line(text, round(len(text) * (1 - valid - test)))
    second = _end_of_line(text, round(len(text) * (1 - test)))
    return {"train": text[:first], "valid": text[first:second], "test": text[second:]}


def _end_of_line(text: str, place: int) -> int:
    return text.rfind("\n", 0, place) + 1 or place
