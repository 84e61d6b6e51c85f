"""Pairs of architectures, to be told which of the two is better."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self, TypeVar, cast

from awnas_core.roles.search_space import SearchSpace
from awnas_core.rollout import Evaluation, Rollout

F = TypeVar("F", bound=Callable[..., list[Rollout]])


class CompareRollout(Rollout):
    """Two architectures; as one architecture it stands for the second, which challenges the first.

    Args:
        first: What is compared with.
        second: What is compared; genotype and drawing of the pair are its.
        info: Notes of whoever made the pair, plain JSON data.
    """

    __slots__ = ("first", "second")

    def __init__(self, first: Rollout, second: Rollout, info: dict[str, Any] | None = None) -> None:
        super().__init__(second.space, second.arch, info)
        self.first = first
        self.second = second
        self._hash = hash((first, second))

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and (self.first, self.second) == (other.first, other.second)

    def __hash__(self) -> int:
        return self._hash

    @property
    def pair(self) -> tuple[Rollout, Rollout]:
        """Both architectures."""
        return self.first, self.second

    def judge(self) -> Self:
        """Write down which is better, once both are evaluated.

        ``compare_result`` is 1 when the second has the larger reward, else 0; ``diff`` is how much larger it is;
        everything else is as measured of the second. Without both rewards the comparison has failed.
        """
        broken = [rollout for rollout in self.pair if rollout.status != "ok" or rollout.reward is None]
        if broken:
            reasons = "; ".join(str(rollout.evaluation and rollout.evaluation.error) for rollout in broken)
            return self.record(Evaluation(status="failed", error=f"no reward to compare: {reasons}"))
        diff = self.second.perf["reward"] - self.first.perf["reward"]
        return self.record(
            Evaluation(perf={**self.second.perf, "compare_result": float(diff > 0), "diff": diff})
        )

    def fresh(self) -> Self:
        """Return the same pair without evaluations, to be measured again."""
        return type(self)(self.first.fresh(), self.second.fresh(), dict(self.info))

    def to_record(self) -> dict[str, Any]:
        """Return the one form for journal, checkpoint and other processes: JSON data."""
        return super().to_record() | {"pair": [rollout.to_record() for rollout in self.pair]}

    @classmethod
    def from_record(cls, record: Mapping[str, Any], space: SearchSpace) -> Self:
        """Return the pair that ``record`` describes.

        Raises: GenotypeError when its codes are not of ``space``.
        """
        first, second = (space.rollout_class.from_record(member, space) for member in record["pair"])
        rollout = cls(first, second, dict(record.get("info") or {}))
        if record.get("evaluation"):
            rollout._evaluation = Evaluation(**record["evaluation"])
        return rollout


def takes_pairs(evaluate: F) -> F:
    """Let an evaluator's ``evaluate_rollouts`` take pairs too: their members are measured, then compared.

    ::

        class TableEvaluator(Evaluator):
            @takes_pairs
            def evaluate_rollouts(self, rollouts, purpose=Purpose.PROPOSE, *, gradient=None, steps=None): ...
    """

    @functools.wraps(evaluate)
    def with_pairs(self: Any, rollouts: Sequence[Rollout], *args: Any, **kwargs: Any) -> list[Rollout]:
        pairs = [rollout for rollout in rollouts if isinstance(rollout, CompareRollout)]
        members = [member for pair in pairs for member in pair.pair if member.status == "pending"]
        others = [rollout for rollout in rollouts if not isinstance(rollout, CompareRollout)]
        evaluate(self, list({id(rollout): rollout for rollout in others + members}.values()), *args, **kwargs)
        for pair in pairs:
            pair.judge()
        return list(rollouts)

    return cast("F", with_pairs)
