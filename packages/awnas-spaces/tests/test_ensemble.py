"""Ensembles of architectures of another space."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from awnas_core.config.component_check import ComponentCheck
from awnas_core.config.source import ConfigSource, Place
from awnas_core.errors import GenotypeError
from awnas_core.testing.making import registry_with
from awnas_core.testing.toys import ToySpace
from awnas_spaces.cnn import CnnSpace
from awnas_spaces.ensemble import EnsembleRollout, EnsembleSpace
from awnas_spaces.nb301 import Nb301Space

INNER = CnnSpace(num_steps=1, shared_primitives=("skip_connect", "sep_conv_3x3"))
seeds = st.integers(0, 2**32).map(np.random.default_rng)


def of_toys(**options):
    return EnsembleSpace(inner_search_space=ToySpace(num_decisions=2, num_choices=2), **options)


@pytest.fixture
def space():
    return EnsembleSpace(inner_search_space=INNER)


def test_the_text_holds_those_of_the_members(space):
    (rollout,) = space.random_samples(1, np.random.default_rng(0))
    inside = ", ".join(f"arch_{i}={member.genotype}" for i, member in enumerate(rollout.members))
    assert isinstance(rollout, EnsembleRollout)
    assert str(rollout.genotype) == f"EnsembleGenotype({inside})"
    for text in (
        f"EnsembleGenotype({inside})",
        f"EnsembleGenotype({inside},)",
        inside,
        inside.replace(", ", ",\n "),
    ):
        assert space.parse(text) == rollout.arch


def test_members_may_have_any_grammar():
    space = of_toys(ensemble_size=2)
    assert space.parse("EnsembleGenotype(arch_0=toy(0, 1), arch_1=toy(1, 1))") == (0, 1, 1, 1)
    assert space.parse(" arch_0 = toy(0,1) , arch_1 = toy(1,1) ") == (0, 1, 1, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("EnsembleGenotype(arch_0=toy(0, 1))", "has 2 members, got 1"),
        ("EnsembleGenotype(arch_1=toy(0, 1), arch_0=toy(0, 1))", "members in order"),
        ("EnsembleGenotype(arch_0=toy(0, 1), arch_1=toy(0, 9))", "arch_1: decision 'd1'"),
        ("EnsembleGenotype(arch_0=toy(0, 1), arch_1=toy(0, 1)", "arch_1: expected text"),
        ("EnsembleGenotype(toy(0, 1), toy(0, 1))", "expected 'EnsembleGenotype"),
    ],
)
def test_what_is_wrong_with_a_text_is_said(text, message):
    with pytest.raises(GenotypeError, match=message):
        of_toys(ensemble_size=2).parse(text)


def test_every_ensemble_is_counted_and_listed_once():
    space = of_toys(ensemble_size=2)
    texts = {str(rollout.genotype) for rollout in space.enumerate()}
    toys = [f"toy({a}, {b})" for a, b in itertools.product(range(2), repeat=2)]
    assert texts == {f"EnsembleGenotype(arch_0={a}, arch_1={b})" for a in toys for b in toys}
    assert space.size() == 16


@given(seeds)
def test_order_of_members_does_not_count(rng):
    space = EnsembleSpace(inner_search_space=INNER)
    a, b = space.random_samples(2, rng)
    members = space.members(a.arch)
    for order in itertools.permutations(members):
        assert space.key(sum(order, ())) == space.key(a.arch)
    keys = [sorted(map(repr, map(INNER.key, space.members(r.arch)))) for r in (a, b)]
    assert (space.key(a.arch) == space.key(b.arch)) == (keys[0] == keys[1])


@given(seeds, st.sampled_from([INNER, Nb301Space()]), st.booleans())
def test_a_mutation_is_one_of_the_members(rng, inner, every):
    space = EnsembleSpace(inner_search_space=inner, mutate_every_member=every)
    parents = space.random_samples(8, rng)
    children = space.rollouts(space.mutate_codes(space.encode_codes(parents), rng))
    for parent, child in zip(parents, children, strict=True):
        space.check_arch(child.arch)
        changed = [a != b for a, b in zip(parent.members, child.members, strict=True)]
        assert sum(changed) == (3 if every else 1)


@given(seeds)
def test_children_are_members_of_the_inner_space(rng):
    space = EnsembleSpace(inner_search_space=Nb301Space())
    a, b = space.random_samples(2, rng)
    child = space.crossover(a, b, rng)
    space.check_arch(child.arch)
    assert len(child.members) == 3


def test_members_are_drawn_by_the_inner_space(tmp_path: Path, space):
    rollout = space.random_sample(np.random.default_rng(0))
    names = {path.name for path in space.plot(rollout, tmp_path / "best") if path.suffix == ".svg"}
    assert names == {f"best-arch_{i}-{cell}.svg" for i in range(3) for cell in ("normal_0", "reduce_1")}


def test_the_inner_space_may_give_rollouts_of_another_type():
    checker = ComponentCheck(registry_with("search_space"), "ensemble", None)
    place = Place(ConfigSource({}, "config", ""))
    cfg = {"inner_search_space_type": "cnn", "inner_search_space_cfg": {"num_stepps": 2}}
    checker.check("search_space", "ensemble", cfg, place, place.at("search_space_cfg"))
    (problem,) = checker.problems
    assert "inner_search_space_cfg.num_stepps" in str(problem)
    checker.check("search_space", "cnn", {}, place, place)
    assert "does not give 'ensemble' rollouts" in str(checker.problems[1])
