"""Genotype texts of cells: every spelling that is found in the wild is read, anything else refused."""

from __future__ import annotations

import pytest

from awnas_core.errors import GenotypeError
from awnas_spaces.cnn import CnnSpace
from awnas_spaces.enas import EnasSpace
from awnas_spaces.genotype_text import read_cells
from awnas_spaces.nb301 import Nb301Space

TUPLES = (
    "CNNGenotype(normal_0=(('sep_conv_3x3', 0, 2), ('sep_conv_3x3', 1, 2), ('skip_connect', 0, 3), "
    "('sep_conv_3x3', 1, 3)), reduce_1=(('max_pool_3x3', 0, 2), ('max_pool_3x3', 1, 2), ('max_pool_3x3', 0, 3), "
    "('skip_connect', 2, 3)), normal_0_concat=(2, 3), reduce_1_concat=(2, 3))"
)
SPELLINGS = {
    "lists": TUPLES.replace("=((", "=[(").replace(")), ", ")], "),
    "lists of lists": TUPLES.replace("(", "[").replace(")", "]").replace("CNNGenotype[", "CNNGenotype(")[:-1]
    + ")",
    "double quotes": TUPLES.replace("'", '"'),
    "bare inside": TUPLES.removeprefix("CNNGenotype(").removesuffix(")"),
    "without concats": TUPLES.split(", normal_0_concat")[0] + ")",
    "a trailing comma": TUPLES[:-1] + ",)",
    "no spaces": TUPLES.replace(" ", ""),
    "folded lines": TUPLES.replace(", ", ",\n    ") + "\n",
    "numpy integers": TUPLES.replace(" 2)", " np.int64(2))"),
    "another type name": TUPLES.replace("CNNGenotype", "genotypes.Genotype"),
    "concats in another order": TUPLES.replace("_concat=(2, 3)", "_concat=(3, 2)"),
    "DARTS": (
        "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('skip_connect', 0), ('sep_conv_3x3', 1)], "
        "normal_concat=range(2, 4), reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('max_pool_3x3', 0), "
        "('skip_connect', 2)], reduce_concat=range(2, 4))"
    ),
}
SPELLINGS["DARTS with lists"] = SPELLINGS["DARTS"].replace("range(2, 4)", "[2, 3]")


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_spelling_is_read(spelling: str) -> None:
    space = CnnSpace(num_steps=2)
    assert str(space.genotype(space.parse(SPELLINGS[spelling]))) == TUPLES


def test_published_darts_cell_is_read_and_written() -> None:
    """DARTS_V2 as printed by its authors (quark0/darts, cnn/genotypes.py)."""
    text = (
        "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), "
        "('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], "
        "normal_concat=[2, 3, 4, 5], reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), "
        "('max_pool_3x3', 1), ('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], "
        "reduce_concat=[2, 3, 4, 5])"
    )
    space = CnnSpace()
    genotype = space.genotype(space.parse(text))
    assert genotype.cell("normal_0").connections[4:] == (
        ("sep_conv_3x3", 1, 4),
        ("skip_connect", 0, 4),
        ("skip_connect", 0, 5),
        ("dil_conv_3x3", 2, 5),
    )
    assert genotype.darts_text() == text
    sorted_inputs = text.replace(
        "('sep_conv_3x3', 1), ('skip_connect', 0)", "('skip_connect', 0), ('sep_conv_3x3', 1)"
    )
    nb301 = Nb301Space()
    written = nb301.genotype(nb301.parse(text)).darts_text()
    assert nb301.parse(written) == nb301.parse(text)
    assert written.split("reduce")[0] == sorted_inputs.split("reduce")[0]


def test_loose_ends_are_the_output_of_enas() -> None:
    space = EnasSpace()
    cell = "('sep_conv_3x3', 0, 2), ('skip_connect', 1, 2), ('sep_conv_3x3', 0, 3), ('skip_connect', 1, 3), "
    cell += "('sep_conv_3x3', 2, 4), ('skip_connect', 2, 4), ('sep_conv_3x3', 4, 5), ('skip_connect', 0, 5), "
    cell += "('sep_conv_3x3', 5, 6), ('skip_connect', 1, 6)"
    text = (
        f"CNNGenotype(normal_0=({cell}), reduce_1=({cell}), normal_0_concat=(3, 6), reduce_1_concat=(3, 6))"
    )
    assert str(space.genotype(space.parse(text))) == text
    with pytest.raises(
        GenotypeError, match=r"reduce_1_concat must be \(3, 6\) in this space, got \(2, 3, 6\)"
    ):
        space.parse(text.replace("reduce_1_concat=(3, 6)", "reduce_1_concat=(2, 3, 6)"))


def test_output_nodes_of_each_group_stand_in_the_genotype() -> None:
    space = CnnSpace(num_steps=2, concat_nodes=((3,), (2, 3)))
    text = TUPLES.replace("normal_0_concat=(2, 3)", "normal_0_concat=(3,)")
    assert str(space.genotype(space.parse(text))) == text
    assert space.output_nodes(0) == (3,)
    with pytest.raises(GenotypeError, match="normal_0_concat must be"):
        space.parse(TUPLES)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            TUPLES.replace("sep_conv_3x3", "sep_conv_3x4"),
            "no operation 'sep_conv_3x4'; did you mean 'sep_conv_3x3'",
        ),
        (TUPLES.replace("('skip_connect', 2, 3)", "('skip_connect', 3, 3)"), "from a node to a later one"),
        (TUPLES.replace("('skip_connect', 2, 3)", "('skip_connect', 2, 4)"), "connection to 4"),
        (TUPLES.replace(", ('skip_connect', 2, 3)", ""), "node 3 must have 2 inputs, got 1"),
        (TUPLES.replace("reduce_1", "reduce_2"), "the text has 'reduce_2'"),
        (TUPLES.split(", reduce_1=")[0] + ")", "the text lacks reduce_1"),
        (TUPLES.replace("normal_0=", "normal_0=__import__("), "expected a number, a quoted name or a list"),
        (SPELLINGS["DARTS"].replace("range(2, 4)", "range(2, 4000000000)"), "at most 1000 nodes"),
        (TUPLES[:-1], "ends too early"),
        (TUPLES + ")", "expected the end"),
    ],
)
def test_what_is_wrong_with_a_text_is_said(text: str, message: str) -> None:
    with pytest.raises(GenotypeError, match=message):
        CnnSpace(num_steps=2).parse(text)


def test_double_edges_are_refused_where_inputs_must_differ() -> None:
    space = Nb301Space()
    text = str(space.genotype((0,) * len(space.decisions)))
    with pytest.raises(GenotypeError, match="different nodes, got node 0 twice"):
        space.parse(text.replace("('sep_conv_3x3', 1, 2)", "('sep_conv_3x3', 0, 2)", 1))


def test_a_text_need_not_be_of_a_space() -> None:
    cells = read_cells(
        "Genotype(cell=[('tanh', 0), ('relu', 1)], cell_concat=(5))", num_inputs=1, num_node_inputs=1
    )
    assert cells["cell"] == ((("tanh", 0, 1), ("relu", 1, 2)), (5,))
