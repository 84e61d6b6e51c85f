"""The space of NAS-Bench-Macro."""

import pytest

from awnas_core import GenotypeError
from awnas_core.testing import SearchSpaceContract
from awnas_spaces.nasbench_macro import NasBenchMacroSpace

SPACE = NasBenchMacroSpace()


class TestNasBenchMacro(SearchSpaceContract):
    component = "nasbench-macro"
    countable = 7_000


def test_of_6561_chains_3969_are_different():
    """Each stage: 3 first blocks, then sequences without identities of every length that fits: 9 · 21 · 21."""
    assert len({SPACE.key(rollout.arch) for rollout in SPACE.enumerate()}) == 9 * 21 * 21
    assert SPACE.size() == 6_561


def test_identities_move_within_their_stage_only():
    key = SPACE.key(SPACE.parse("00010002"))
    assert key == SPACE.parse("00010020")
    assert key != SPACE.key(SPACE.parse("00100002"))


@pytest.mark.parametrize("text", ["22212202", " 22212202 ", "NasBenchMacro(2,2, 2, 1, 2, 2, 0, 2)"])
def test_both_texts_are_read(text):
    assert SPACE.parse(text) == (2, 2, 2, 1, 2, 2, 0, 2)


@pytest.mark.parametrize(
    "text", ["2221220", "222122022", "22212203", "NasBenchMacro(2, 2)", "NasBenchMacro(22212202)"]
)
def test_other_texts_are_refused(text):
    with pytest.raises(GenotypeError, match="eight blocks"):
        SPACE.parse(text)
