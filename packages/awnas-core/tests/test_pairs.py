"""Pairs of architectures and their comparison."""

from __future__ import annotations

import json

import pytest

from awnas_core.pairs import CompareRollout, takes_pairs
from awnas_core.rollout import Evaluation, Purpose, Rollout
from awnas_core.testing.toys import ToySpace

SPACE = ToySpace()
GOOD, BAD, BROKEN = (0, 1, 2, 0), (0, 0, 0, 0), (2, 2, 2, 2)


class Table:
    """An evaluator that counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[Rollout] = []

    @takes_pairs
    def evaluate_rollouts(self, rollouts, purpose=Purpose.PROPOSE, *, steps=None):
        self.asked += rollouts
        for rollout in rollouts:
            if rollout.arch == BROKEN:
                rollout.record(Evaluation(status="failed", error="on purpose"))
            else:
                rollout.record(Evaluation(perf={"reward": SPACE.accuracy(rollout.arch)}))
        return list(rollouts)


def pair(first: tuple[int, ...], second: tuple[int, ...]) -> CompareRollout:
    return CompareRollout(SPACE.rollout(first), SPACE.rollout(second))


@pytest.mark.parametrize(
    ("first", "second", "result"), [(BAD, GOOD, 1.0), (GOOD, BAD, 0.0), (GOOD, GOOD, 0.0)]
)
def test_the_second_has_to_be_better(first, second, result):
    (judged,) = Table().evaluate_rollouts([pair(first, second)], steps=3)
    assert judged.perf["compare_result"] == result
    assert judged.perf["diff"] == SPACE.accuracy(second) - SPACE.accuracy(first)
    assert judged.reward == SPACE.accuracy(second)


def test_pairs_and_single_architectures_are_measured_together_each_once():
    table, single, shared = Table(), SPACE.rollout(GOOD), SPACE.rollout(BAD)
    pairs = [CompareRollout(single, shared), CompareRollout(shared, SPACE.rollout(GOOD))]
    assert table.evaluate_rollouts([pairs[0], single, pairs[1]]) == [pairs[0], single, pairs[1]]
    assert len(table.asked) == 3
    assert [p.perf["compare_result"] for p in pairs] == [0.0, 1.0]


def test_a_pair_with_a_failed_member_has_failed():
    (judged,) = Table().evaluate_rollouts([pair(BAD, BROKEN)])
    assert judged.status == "failed"
    assert "on purpose" in judged.evaluation.error


def test_a_pair_stands_for_its_second_and_is_equal_to_pairs_of_equals():
    one = pair(BAD, GOOD)
    assert str(one.genotype) == "toy(0, 1, 2, 0)"
    assert one == pair(BAD, GOOD)
    assert hash(one) == hash(pair(BAD, GOOD))
    assert one != pair(GOOD, BAD)
    assert one != SPACE.rollout(GOOD)


def test_a_record_describes_the_pair():
    (judged,) = Table().evaluate_rollouts([pair(BAD, GOOD)])
    again = CompareRollout.from_record(json.loads(json.dumps(judged.to_record())), SPACE)
    assert again == judged
    assert dict(again.perf) == dict(judged.perf)
    assert again.first.reward == judged.first.reward
    fresh = judged.fresh()
    assert {fresh.status, fresh.first.status, fresh.second.status} == {"pending"}
    assert fresh == judged
