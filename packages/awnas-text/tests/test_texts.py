"""Texts become numbers as the traditions have it."""

import gzip
from pathlib import Path

import pytest
import torch

from awnas_core.errors import ConfigError, DataError
from awnas_core.testing import DatasetContract, build
from awnas_text.corpus import Vocabulary, tokens_of


class TestShakespeare(DatasetContract):
    component = "shakespeare"


class TestShakespeareInWords(DatasetContract):
    component = "shakespeare"
    cfg = {"level": "word", "vocabulary_size": 500}


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    monkeypatch.setenv("AWNAS_DATA", str(tmp_path))
    (tmp_path / "ptb").mkdir()
    for name, text in {"train": " a b a \n c \n", "valid": " b d \n", "test": " e a \n"}.items():
        (tmp_path / "ptb" / f"{name}.txt").write_text(text)
    return tmp_path


def test_words_are_divided_by_white_space_and_lines_end():
    assert list(tokens_of(" the <unk>  cat\nsat\n\n", "word")) == [
        "the", "<unk>", "cat", "<eos>", "sat", "<eos>", "<eos>",
    ]  # fmt: skip
    assert list(tokens_of("a\nb", "character")) == ["a", "\n", "b"]


def test_a_corpus_is_numbered_in_the_order_of_train_valid_test(corpus):
    dataset = build("dataset", "ptb")
    assert dataset.vocabulary.tokens == ("a", "b", "<eos>", "c", "d", "e")
    assert dataset.facts() == {"num_tokens": 6}
    splits = {name: split.tokens.tolist() for name, split in dataset.splits().items()}
    assert splits["train"] == splits["ori_train"] == [0, 1, 0, 2, 3, 2]
    assert splits["valid"] == splits["ori_valid"] == [1, 4, 2]
    assert splits["test"] == [5, 0, 2]


def test_train_may_go_on_with_valid(corpus):
    splits = build("dataset", "ptb", {"merge_valid": True}).splits()
    assert splits["train"].tokens.tolist() == [0, 1, 0, 2, 3, 2, 1, 4, 2]
    assert len(splits["ori_train"]) == 6


def test_a_missing_corpus_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("AWNAS_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"train\.txt"):
        build("dataset", "ptb")


def test_rare_words_are_unknown_and_the_vocabulary_is_as_large_as_asked_for():
    vocabulary = Vocabulary([["a", "b", "b", "c", "c", "d"]], limit=3)
    assert vocabulary.tokens == ("b", "c", "<unk>")
    assert vocabulary.numbers(["d", "b", "a", "c"]).tolist() == [2, 0, 2, 1]
    with pytest.raises(ConfigError, match="'z'"):
        Vocabulary([["a"]]).numbers(["z"])


def test_a_file_is_cut_at_the_ends_of_lines_and_nothing_is_lost(corpus):
    lines = [f"line {number}\n" for number in range(100)]
    (corpus / "own.txt").write_text("".join(lines))
    dataset = build("dataset", "text-file", {"file": "own.txt", "level": "character", "valid_portion": 0.2})
    texts = {
        name: "".join(dataset.vocabulary.tokens[number] for number in split.tokens)
        for name, split in dataset.splits().items()
    }
    assert "".join(texts.values()) == "".join(lines)
    assert all(text.endswith("\n") for text in texts.values())
    assert len(texts["valid"]) == pytest.approx(0.2 * len("".join(lines)), abs=8)


def test_a_file_that_is_no_text_is_refused(corpus):
    (corpus / "own.txt").write_bytes(gzip.compress(b"abc"))
    with pytest.raises(DataError, match="UTF-8"):
        build("dataset", "text-file", {"file": str(corpus / "own.txt")})


def test_portions_must_leave_something():
    with pytest.raises(ConfigError, match="nothing to train on"):
        build("dataset", "shakespeare", {"valid_portion": 0.5, "test_portion": 0.5})


def test_the_text_that_ships_has_its_notice_and_begins_as_it_should():
    import awnas_text.datasets as module

    assert "public domain" in (module.SHIPPED.parent / "NOTICE.md").read_text()
    assert Path(module.SHIPPED).read_text().startswith("First Citizen:\nBefore we proceed")
    tokens = build("dataset", "shakespeare").splits()["train"].tokens
    assert tokens.dtype is torch.long
    assert tokens[:5].tolist() == [0, 1, 2, 3, 4]  # F, i, r, s, t
