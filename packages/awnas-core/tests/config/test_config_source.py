"""Configs are read with the place of every value, and never run anything."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from awnas_core.config.problems import ConfigProblems
from awnas_core.config.source import Place, apply_overrides, parse_source, read_source
from awnas_core.errors import ConfigError


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_source(text, "a.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1e3", 1000.0),
        ("-2.5E+4", -25000.0),
        (".5e1", 5.0),
        ("0.025", 0.025),
        ("1_000", 1000),
        ("3", 3),
        ("2020-01-01", "2020-01-01"),
        ("=", "="),
        ("'1e-3'", "1e-3"),
        ("e3", "e3"),
        ("1e3x", "1e3x"),
        ("~", None),
        ("!!python/tuple [1, [2]]", [1, [2]]),
        ("!!str 5", "5"),
    ],
)
def test_values_are_read_as_people_mean_them(text: str, value: object):
    read = parse_source(f"a: {text}").data["a"]
    assert read == value
    assert type(read) is type(value)


def test_a_problem_stands_at_the_line_of_its_key_or_list_item():
    source = parse_source("a:\n  b: 1\n\n  c:\n  - x\n  - {d: 3}\n", "a.yaml")
    assert str(source.problem(("a", "b"), "m")) == "a.yaml:2: a.b: m"
    assert str(source.problem(("a", "c", 1, "d"), "m")) == "a.yaml:6: a.c.1.d: m"
    assert str(source.problem(("a", "c", 0), "m")) == "a.yaml:5: a.c.0: m"


def test_a_problem_with_what_is_not_there_stands_at_the_nearest_key_above():
    source = parse_source("x: 1\na:\n  b: 1\n", "a.yaml")
    assert str(source.problem(("a", "missing", "deeper"), "m")) == "a.yaml:2: a.missing.deeper: m"
    assert str(source.problem(("nothing",), "m")) == "a.yaml:1: nothing: m"


def test_duplicate_keys_are_named_with_both_lines():
    source = parse_source("a: 1\nb:\n  c: 2\n  c: 3\na: 4\n", "a.yaml")
    assert [str(problem) for problem in source.problems] == [
        "a.yaml:4: b.c: given twice, first on line 3; leave one of them out",
        "a.yaml:5: a: given twice, first on line 1; leave one of them out",
    ]


def test_aliases_give_independent_copies():
    source = parse_source("a: &x {lr: 1}\nb: *x\n")
    changed = apply_overrides(source, ["b.lr=2"])
    assert changed.data == {"a": {"lr": 1}, "b": {"lr": 2}}


def test_merged_keys_give_way_to_own_ones_and_keep_their_line():
    source = parse_source("a: &x\n  lr: 1\n  wd: 2\nb:\n  <<: *x\n  lr: 3\n", "a.yaml")
    assert source.data["b"] == {"lr": 3, "wd": 2}
    assert source.problems == ()
    assert source.problem(("b", "wd"), "m").line == 3


def test_python_tags_are_refused_and_nothing_runs(tmp_path: Path):
    victim = tmp_path / "made"
    source = parse_source(f"a: !!python/object/apply:os.mkdir ['{victim}']\n", "a.yaml")
    assert not victim.exists()
    assert "!!python/object/apply:os.mkdir is not read" in str(source.problems[0])
    assert source.problems[0].line == 1


@pytest.mark.parametrize(
    "text", ["a: !!set {x, y}", "a: !mine 3", "a: !!int abc", "a: !!binary aGk=", "? [1, 2]\n: 3"]
)
def test_what_a_config_cannot_hold_is_a_problem_with_a_line(text: str):
    assert [problem.line for problem in parse_source(f"b: 1\n{text}\n").problems] == [2]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: &a [*a]", "inside itself"),
        ("a: &a {<<: *a}", "inside itself"),
        ("[" * 5000, "nesting"),
        ("a: " + "[" * 60 + "]" * 60, "more than 50 levels"),
        ("a:\n\tb: 1", "a tab"),
        ("a: b: c", "not valid YAML"),
        ("a: [1", "not valid YAML"),
        ("a: *nowhere", "undefined alias"),
        ("a: 1\n---\nb: 2", "another document"),
        ("a: \x01", "not allowed"),
        ("", "it is empty"),
        ("# only a comment\n", "it is empty"),
        ("- 1", "found list at the top"),
    ],
)
def test_text_that_is_no_config_is_refused_in_one_line(text: str, words: str):
    message = refusal(text)
    assert words in message
    assert message.startswith("a.yaml")
    assert "\n" not in message


def test_aliases_that_multiply_are_refused():
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    assert "more than 100000 values" in refusal("\n".join(lines))


def test_merges_that_multiply_are_refused():
    lines = ["a0: &a0 {x: 1}"]
    lines += [f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 10)}]}}" for i in range(1, 9)]
    assert "more than 100000 values" in refusal("\n".join(lines))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no", "reads no as false"),
        ("On", "reads On as true"),
        ("012", "octal, 10"),
        ("1:30", "base 60"),
        ("", "nothing is written"),
    ],
)
def test_surprising_values_carry_a_note(text: str, words: str):
    assert words in parse_source(f"a: {text}\n").note(("a",))


@pytest.mark.parametrize("text", ["false", "true", "12", "'no'", "'012'", "~", "1.5", "x"])
def test_values_that_mean_what_they_say_carry_none(text: str):
    assert parse_source(f"a: {text}\n").note(("a",)) == ""


def test_files_that_cannot_be_read_say_why(tmp_path: Path):
    (tmp_path / "bytes.yaml").write_bytes(b"a: \xff\n")
    for path, words in [
        (tmp_path / "none.yaml", "no such file"),
        (tmp_path, "a folder"),
        (tmp_path / "bytes.yaml", "not UTF-8"),
    ]:
        with pytest.raises(ConfigProblems, match=words) as caught:
            read_source(path)
        assert str(path) in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission_says_so(tmp_path: Path):
    path = tmp_path / "secret.yaml"
    path.write_text("a: 1")
    path.chmod(0)
    with pytest.raises(ConfigProblems, match="cannot be read"):
        read_source(path)


def test_overrides_replace_make_and_index():
    source = parse_source("a: {b: [1, 2]}\nc:\n", "a.yaml")
    changed = apply_overrides(source, ["a.b.1=1e-2", "c.d.e={x: [no]}", "f=text = with = signs"])
    assert changed.data == {
        "a": {"b": [1, 0.01]},
        "c": {"d": {"e": {"x": [False]}}},
        "f": "text = with = signs",
    }
    assert source.data == {"a": {"b": [1, 2]}, "c": None}


def test_a_problem_with_an_override_names_it_and_the_rest_keeps_its_line():
    source = apply_overrides(parse_source("a:\n  b: {x: 1}\n  c: 2\n", "a.yaml"), ["a.b={y: no}"])
    assert str(source.problem(("a", "b", "y"), "m")) == "--set a.b={y: no}: a.b.y: m"
    assert str(source.problem(("a", "c"), "m")) == "a.yaml:3: a.c: m"
    assert "reads no as false" in str(Place(source, ("a", "b", "y")).wrong_value("m"))


def test_a_later_override_wins_and_is_the_one_named():
    source = apply_overrides(parse_source("a: {b: 1}\n"), ["a.b=2", "a={b: 3}"])
    assert source.data == {"a": {"b": 3}}
    assert source.problem(("a", "b"), "m").file == "--set a={b: 3}"


def test_every_override_that_does_not_fit_is_reported():
    source = parse_source("a: {b: [1, 2], s: text}\n")
    bad = ["a", "a..b=1", "a.b.2=1", "a.b.x=1", "a.s.t=1", "a.b=[", "a.b=!!set {x}", "=3"]
    with pytest.raises(ConfigProblems) as caught:
        apply_overrides(source, bad)
    assert sorted(problem.file for problem in caught.value.problems) == sorted(
        f"--set {text}" for text in bad
    )


PIECES = [
    "a",
    "b: ",
    "- ",
    "\n",
    "  ",
    "{",
    "}",
    "[",
    "]",
    ",",
    "&x ",
    "*x",
    "<<: ",
    "? ",
    "!!int ",
    "!!bool ",
    "|",
    "'",
    "1",
]


@given(st.lists(st.sampled_from([*PIECES, "\t", "#"])))
def test_any_text_is_read_or_refused_with_one_line_per_problem(pieces: list[str]):
    text = "".join(pieces)
    with contextlib.suppress(ConfigProblems):
        source = parse_source(text, "a.yaml")
        assert isinstance(source.data, dict)
        assert all("\n" not in str(problem) for problem in source.problems)
        return
    assert "\n" not in refusal(text)
