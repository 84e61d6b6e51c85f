"""Every key that is written in a config has a fate, and no other has."""

from __future__ import annotations

import pytest

from awnas_core.config.fates import KeyFate, fates_of, in_order, old_names

OLD = {"size": 3, "steps": 4, "gone": 1, "portion": [0.1, ["train", 0.5, {"n": 2}]]}
NEW = {"size": 3, "number": 4, "portion": [["train", 0.5, {"m": 2}]]}


@pytest.mark.parametrize(
    "gone", ["gone: dropped, because it never worked", "gone is dropped: it never worked"]
)
def test_options_are_used_renamed_or_dropped(gone):
    notes = ["steps: now called number", gone, "portion: the first is left out", "portion[1].n: now called m"]
    assert list(fates_of(("a_cfg",), OLD, NEW, notes)) == [
        KeyFate(("a_cfg", "size"), "used"),
        KeyFate(("a_cfg", "steps"), "renamed", "now called number"),
        KeyFate(("a_cfg", "gone"), "dropped", "it never worked"),
        KeyFate(("a_cfg", "portion"), "used", "the first is left out; portion[1].n: now called m"),
    ]


def test_parts_of_the_cfg_of_what_is_no_component_any_more_have_fates_of_their_own():
    given = {"old_cfg": {"a": 1, "b": 2}, "kept_cfg": {"c": 3}}
    notes = ["old_cfg: now options of its own", "old_cfg.a: now called x", "old_cfg.b: dropped, because of c"]
    assert [(fate.key, fate.fate) for fate in fates_of((), given, {"x": 1, "kept_cfg": {}}, notes)] == [
        ("old_cfg", "renamed"),
        ("old_cfg.a", "renamed"),
        ("old_cfg.b", "dropped"),
        ("kept_cfg", "used"),
    ]


def test_notes_tell_under_which_name_an_option_is_written():
    notes = ["size: now called number", "gone is dropped: no use", "mode: now called run: mean"]
    assert old_names(notes) == {"number": "size"}


def test_a_note_on_a_longer_key_is_not_of_a_shorter_one():
    (fate,) = fates_of((), {"size": 1}, {"size": 1}, ["size_of_batch: now called batch"])
    assert fate.about == ""


def test_keys_stand_in_the_order_of_the_config_and_defaults_are_left_out():
    config = {"b_type": "x", "b_cfg": {"items": [{"c_cfg": {"n": 1}}]}, "a_type": "y", "a_cfg": {"k": 1}}
    of_options = [
        KeyFate(("a_cfg", "k"), "used"),
        KeyFate(("b_cfg", "items"), "used"),
        KeyFate(("b_cfg", "items", 0, "c_cfg", "n"), "renamed", "now called m"),
        KeyFate(("b_cfg", "d_cfg", "default"), "used"),
    ]
    fates = list(in_order(config, of_options, {"a_type": "nobody asks", "a_cfg": "nobody asks"}))
    assert [fate.key for fate in fates] == [
        "b_type", "b_cfg", "b_cfg.items", "b_cfg.items.0.c_cfg.n", "a_type", "a_cfg", "a_cfg.k"
    ]  # fmt: skip
    assert {fate.key: fate.about for fate in fates if fate.fate == "dropped"} == dict.fromkeys(
        ("a_type", "a_cfg", "a_cfg.k"), "nobody asks"
    )
