"""Drawings of cells: everything is on them, and nothing lies upon anything else."""

from __future__ import annotations

import itertools
import os
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from awnas_core.rollout import RelaxedRollout
from awnas_spaces.cnn import CnnSpace
from awnas_spaces.drawing import draw_cell
from awnas_spaces.enas import EnasSpace
from awnas_spaces.genotype import Cell
from awnas_spaces.nb301 import Nb301Space

SVG = "{http://www.w3.org/2000/svg}"
SPACES = [
    CnnSpace(),
    EnasSpace(),
    Nb301Space(),
    CnnSpace(num_steps=8, num_node_inputs=3, num_init_nodes=3, concat_nodes=(4, 7)),
    CnnSpace(
        num_steps=1,
        num_node_inputs=1,
        num_init_nodes=1,
        shared_primitives=("a_primitive_of_a_very_long_name",),
    ),
]

Box = tuple[float, float, float, float]


def boxes(picture: ET.Element) -> list[Box]:
    """(left, top, right, bottom) of every box but the background."""
    numbers = [
        [float(r.get(key, "nan").rstrip("%")) for key in ("x", "y", "width", "height")]
        for r in picture.iter(f"{SVG}rect")
    ]
    return [(x, y, x + w, y + h) for x, y, w, h in numbers[1:]]


def segments(picture: ET.Element) -> list[Box]:
    """The straight pieces of all lines, as thin boxes."""
    pieces = []
    for path in picture.iter(f"{SVG}path"):
        words = path.get("d", "").split()
        if "z" in words:
            continue  # the arrow head
        x, y = map(float, words[0][1:].split(","))
        for word in words[1:]:
            end = (float(word[1:]), y) if word[0] == "H" else (x, float(word[1:]))
            pieces.append((min(x, end[0]), min(y, end[1]), max(x, end[0]), max(y, end[1])))
            x, y = end
    return pieces


def crosses(line: Box, box: Box, slack: float = 1.0) -> bool:
    """Whether a line runs through the inside of a box, more than up to its middle line."""
    return (
        line[0] < box[2] - slack and line[2] > box[0] + slack and line[1] < box[3] - slack and line[3] > box[1] + slack
    )  # fmt: skip


def drawn(cell: Cell, num_inputs: int) -> ET.Element:
    return ET.fromstring(draw_cell(cell, num_inputs))


@given(st.sampled_from(SPACES), st.integers(0, 2**32))
def test_every_connection_is_drawn_and_nothing_overlaps(space: CnnSpace, seed: int) -> None:
    rollout = space.random_sample(np.random.default_rng(seed))
    for cell in rollout.genotype.cells:
        picture = drawn(cell, space.num_init_nodes)
        width, height = float(picture.get("width")), float(picture.get("height"))
        texts = Counter(text.text for text in picture.iter(f"{SVG}text"))
        expected = Counter(op for op, _, _ in cell.connections if op != "none")
        assert {op: texts[op] for op in expected} == dict(expected)
        assert "none" not in texts
        for node in {to for _, _, to in cell.connections}:
            assert texts[str(node)] == 1
        for a, b in itertools.combinations(boxes(picture), 2):
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
        assert all(0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height for x0, y0, x1, y1 in boxes(picture))
        operations = [box for box in boxes(picture) if box[3] - box[1] == 24]
        assert len(operations) == sum(expected.values())
        assert not any(crosses(line, box) for line in segments(picture) for box in operations)


@given(st.sampled_from(SPACES), st.integers(0, 2**32))
def test_labels_fit_into_their_boxes(space: CnnSpace, seed: int) -> None:
    rollout = space.random_sample(np.random.default_rng(seed))
    picture = drawn(rollout.genotype.cells[0], space.num_init_nodes)
    for text in list(picture.iter(f"{SVG}text"))[1:]:  # after the title
        x, y, half = (
            float(text.get("x")),
            float(text.get("y")) - 4,
            6.2 * len(text.text) / 2,
        )  # Helvetica at 11
        assert any(b[0] <= x - half and x + half <= b[2] and b[1] <= y <= b[3] for b in boxes(picture))


def test_a_line_crosses_others_only_at_right_angles() -> None:
    """Lines of one direction never lie on one another: lanes, branches and gathering lines can be told apart."""
    for space in SPACES[:4]:
        rollout = space.random_sample(np.random.default_rng(3))
        lines = [s for s in segments(drawn(rollout.genotype.cells[0], space.num_init_nodes)) if s[1] == s[3]]
        for a, b in itertools.combinations(lines, 2):
            assert a[1] != b[1] or a[2] <= b[0] or b[2] <= a[0]


def test_names_are_escaped() -> None:
    picture = draw_cell(Cell("<b>", (("a&b", 0, 1),), (1,)), 1, weights={("a&b", 0, 1): 0.256})
    assert "&lt;b&gt;" in picture
    assert "a&amp;b; 0.26" in picture
    ET.fromstring(picture)


def test_weights_of_a_relaxed_architecture_are_written(tmp_path: Path) -> None:
    space = CnnSpace(num_steps=1, shared_primitives=("skip_connect", "sep_conv_3x3"))
    weights = {name: np.array([[0.1, 0.9], [0.75, 0.25]]) for name in space.group_names}
    files = space.plot(RelaxedRollout(space, weights), tmp_path / "best")
    picture = files[0].read_text(encoding="utf-8")
    assert "sep_conv_3x3; 0.90" in picture
    assert "skip_connect; 0.75" in picture


def test_graphviz_draws_too_where_it_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    space = CnnSpace()
    rollout = space.random_sample(np.random.default_rng(0))
    program = tmp_path / "bin" / "dot"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\ncat > "$3"\n')  # dot -Tpdf -o FILE
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}/bin{os.pathsep}/usr/bin")
    names = [path.name for path in space.plot(rollout, tmp_path / "a")]
    assert names == ["a-normal_0.svg", "a-normal_0.pdf", "a-reduce_1.svg", "a-reduce_1.pdf"]
    text = (tmp_path / "a-normal_0.pdf").read_text()
    shown = [op for op, _, _ in rollout.genotype.cells[0].connections if op != "none"]
    assert sum(text.count(f'[label="{op}"]') for op in set(shown)) == len(shown)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [path.name for path in space.plot(rollout, tmp_path / "b")] == ["b-normal_0.svg", "b-reduce_1.svg"]
