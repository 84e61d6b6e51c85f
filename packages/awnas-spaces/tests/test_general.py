"""Sequences of primitives."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from awnas_core.errors import ConfigError, GenotypeError
from awnas_core.rollout import Evaluation, Rollout
from awnas_spaces.general import GeneralSpace

STEM = {"prim_type": "conv_3x3", "spatial_size": 32, "C": 3, "C_out": 16, "stride": 2, "affine": True}
BLOCK = {
    "prim_type": "mobilenet_v3_block", "spatial_size": 16, "C": 16, "C_out": 24, "stride": 1, "affine": True,
    "kernel_size": 5, "expansion": 6.0, "activation": "relu",
}  # fmt: skip

layers = st.fixed_dictionaries(
    {
        "prim_type": st.sampled_from(["conv_3x3", "skip_connect"]),
        **{name: st.integers(1, 512) for name in ("spatial_size", "C", "C_out")},
    },
    optional={
        "stride": st.integers(1, 2),
        "affine": st.booleans(),
        "kernel_sizes": st.lists(st.integers(1, 7)),
        "activation": st.none() | st.text(),
    },
)


@given(st.lists(layers, min_size=1, max_size=4))
def test_text_and_architecture_translate_into_each_other(primitives: list[dict[str, Any]]) -> None:
    space = GeneralSpace()
    arch = space.arch_of(primitives)
    genotype = space.genotype(arch)
    assert space.parse(str(genotype)) == arch
    assert space.parse(repr(primitives)) == arch  # as Python prints it
    filled = [{"stride": 1, "affine": True, **primitive} for primitive in primitives]
    assert [primitive.to_record() for primitive in genotype.primitives] == filled
    assert hash(genotype) == hash(space.genotype(arch))


def test_rollouts_compare_and_survive_json() -> None:
    space = GeneralSpace()
    rollout = space.rollout(space.arch_of([STEM, BLOCK])).record(Evaluation(perf={"latency": 2.5}))
    reordered = space.rollout(space.arch_of([dict(reversed(STEM.items())), dict(reversed(BLOCK.items()))]))
    again = Rollout.from_record(json.loads(json.dumps(rollout.to_record())), GeneralSpace())
    assert rollout == reordered == again
    assert hash(rollout) == hash(reordered) == hash(again)
    assert again.perf == {"latency": 2.5}
    assert rollout != space.rollout(space.arch_of([BLOCK, STEM]))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "at least one primitive"),
        ("conv_3x3", "expected a list of primitives"),
        ('{"prim_type": "conv_3x3"}', "expected a list of primitives"),
        ('[{"prim_type": "conv_3x3", "C": 3}]', "layer 0: the primitive .* lacks spatial_size, C_out"),
        (json.dumps([STEM, {**STEM, "stride": 0}]), "layer 1: conv_3x3: stride is a positive integer, got 0"),
        (json.dumps([{**STEM, "C": 3.5}]), "C is a positive integer, got 3.5"),
        (json.dumps([{**STEM, "affine": 1}]), "affine true or false"),
        ("[3]", "a primitive is a mapping"),
        ("__import__('os')", "expected a list of primitives"),
    ],
)
def test_what_is_wrong_with_a_text_is_said(text: str, message: str) -> None:
    with pytest.raises(GenotypeError, match=message):
        GeneralSpace().parse(text)


def test_only_listed_primitives_may_be_used() -> None:
    with pytest.raises(GenotypeError, match="layer 0: no primitive 'conv_3x3'; did you mean 'conv_1x1'"):
        GeneralSpace(primitives=("conv_1x1",)).arch_of([STEM])


def test_sampling_and_mutating_say_that_genotypes_are_needed() -> None:
    space, rng = GeneralSpace(), np.random.default_rng(0)
    rollout = space.rollout(space.arch_of([STEM]))
    for attempt in (
        lambda: space.random_sample(rng),
        lambda: space.mutate(rollout, rng),
        lambda: space.size(),
        lambda: list(space.enumerate()),
        lambda: space.distance(rollout, rollout),
    ):
        with pytest.raises(ConfigError, match="neither sampled nor searched; give it genotypes"):
            attempt()
