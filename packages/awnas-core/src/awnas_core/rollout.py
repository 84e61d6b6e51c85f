"""The rollout: one architecture, its genotype, and what was measured of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import numpy.typing as npt

from awnas_core.metrics import Constraint

if TYPE_CHECKING:
    from awnas_core.roles.search_space import SearchSpace

Arch = tuple[int, ...]
"""The code of every decision of the search space, in its order."""

Status = Literal["ok", "failed", "infeasible"]


class Purpose(StrEnum):
    """Why a controller is asked for architectures, or an evaluator for their worth."""

    PROPOSE = "propose"  # to learn from
    TRAIN_WEIGHTS = "train-weights"  # for the evaluator's own update
    DERIVE = "derive"  # the final choice


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What one evaluation of one architecture gave.

    Args:
        perf: Metric name → value; ``"reward"`` among them when the evaluation went well, larger is better.
        status: ``"failed"`` when it broke off, ``"infeasible"`` when a constraint was broken before
            or after measuring.
        fidelity: How carefully it was measured: batches, epochs, split.
        seed: Seed of the measurement where it has one.
        error: Why it failed or what is infeasible.
        id: Unique within the run.
    """

    perf: Mapping[str, float] = field(default_factory=dict)
    status: Status = "ok"
    fidelity: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
    error: str | None = None
    id: str = field(default_factory=map(str, itertools.count()).__next__)

    def to_record(self) -> dict[str, Any]:
        """Return the evaluation as JSON data."""
        return asdict(self)


def broken_constraints(constraints: Iterable[Constraint], perf: Mapping[str, float]) -> list[str]:
    """Return one sentence for each constraint on a metric in ``perf`` that is broken.

    Metrics not measured yet are left out, so that costs can be screened before any accuracy is paid for.
    """
    return [
        f"{c.metric} is {perf[c.metric]:g}, the bound is {c.kind} {c.bound:g}"
        for c in constraints
        if c.metric in perf and c.violation(perf) > 0
    ]


class Rollout:
    """One architecture of a search space.

    ``arch`` is frozen; equality and hash are by (space, arch). Isomorphism is a matter of ``space.key(arch)``.

    Args:
        space: The search space the architecture belongs to.
        arch: One code for every decision of ``space``.
        info: Notes of whoever made the rollout, plain JSON data (log-probabilities, parents, age).
    """

    __slots__ = ("_evaluation", "_genotype", "_hash", "arch", "info", "space")

    def __init__(self, space: SearchSpace, arch: Arch, info: dict[str, Any] | None = None) -> None:
        self.space = space
        self.arch = arch
        self.info = {} if info is None else info
        self._evaluation: Evaluation | None = None
        self._genotype: Any = None
        self._hash = hash(arch)

    def __eq__(self, other: object) -> bool:
        return (
            type(other) is type(self)
            and self.arch == other.arch
            and (self.space is other.space or self.space.fingerprint == other.space.fingerprint)
        )

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.genotype})"

    @property
    def genotype(self) -> Any:
        """The readable form; ``str()`` of it is what ``space.parse`` reads."""
        if self._genotype is None:
            self._genotype = self.space.genotype(self.arch)
        return self._genotype

    @property
    def evaluation(self) -> Evaluation | None:
        """The evaluation of this rollout, None while there is none."""
        return self._evaluation

    @property
    def perf(self) -> Mapping[str, float]:
        """Metric name → value; empty before the evaluation."""
        return MappingProxyType(dict(self._evaluation.perf)) if self._evaluation else MappingProxyType({})

    @property
    def status(self) -> Literal["pending", "ok", "failed", "infeasible"]:
        """What became of the evaluation; ``"pending"`` before it."""
        return self._evaluation.status if self._evaluation else "pending"

    @property
    def reward(self) -> float | None:
        """The reward, larger is better; None when there is none."""
        return self._evaluation.perf.get("reward") if self._evaluation else None

    def record(self, evaluation: Evaluation) -> Self:
        """Write the result down, once.

        Raises: ValueError when another evaluation is written already; take a :meth:`fresh` rollout for that.
        """
        if self._evaluation is not None:
            raise ValueError(
                f"rollout is evaluated already ({self._evaluation.id}); evaluate rollout.fresh() instead"
            )
        self._evaluation = evaluation
        return self

    def fresh(self) -> Self:
        """Return the same architecture without an evaluation, to be measured again."""
        return type(self)(self.space, self.arch, dict(self.info))

    def to_record(self) -> dict[str, Any]:
        """Return the one form for journal, checkpoint and other processes: JSON data."""
        evaluation = self._evaluation.to_record() if self._evaluation else None
        return {"arch": list(self.arch), "info": self.info, "evaluation": evaluation}

    @classmethod
    def from_record(cls, record: Mapping[str, Any], space: SearchSpace) -> Self:
        """Return the rollout that ``record`` describes.

        Raises: GenotypeError when its codes are not of ``space``.
        """
        rollout = cls(space, space.check_arch(record["arch"]), dict(record.get("info") or {}))
        if record.get("evaluation"):
            rollout._evaluation = Evaluation(**record["evaluation"])
        return rollout


class RelaxedRollout(Rollout):
    """An architecture whose decisions are weights over their choices; compares by identity.

    ``relaxed`` holds, for each :class:`~awnas_core.relaxation.Mixture` of the space, the weights of its choices under
    the mixture's name, shape ``(E, P)`` or ``(E, B, P)`` (B samples shared out over a batch), and, where edges have
    weights of their own, these under ``<name>.edges``, shape ``(E,)``. They are detached: the evaluator takes the
    gradient on leaves of its own and writes {key: dL/d(relaxed[key])} to ``gradient``; the controller, which can make
    its sample again from ``info``, back-propagates it.

    Args:
        space: A space with mixtures.
        relaxed: Key → array or tensor.
        info: What the controller needs to make its sample again, plain JSON data.
    """

    __slots__ = ("_arch", "gradient", "relaxed")

    def __init__(
        self, space: SearchSpace, relaxed: Mapping[str, Any], info: dict[str, Any] | None = None
    ) -> None:
        self.space = space
        self.relaxed = relaxed
        self.info = {} if info is None else info
        self.gradient: dict[str, Any] | None = None
        self._arch: Arch | None = None
        self._evaluation = None
        self._genotype = None

    @property
    def arch(self) -> Arch:  # type: ignore[override]
        """The most likely discrete architecture; worked out when first asked for, which waits for the device."""
        if self._arch is None:
            self._arch = self.space.discretize({key: as_numpy(value) for key, value in self.relaxed.items()})
        return self._arch

    def discretize(self) -> Rollout:
        """Return the most likely discrete architecture as a rollout of its own, not evaluated."""
        return self.space.rollout(self.arch)

    def fresh(self) -> Self:
        """Return the same weights without an evaluation, to be measured again."""
        return type(self)(self.space, self.relaxed, dict(self.info))

    def to_record(self) -> dict[str, Any]:
        """Return the one form for journal, checkpoint and other processes: JSON data."""
        relaxed = {key: as_numpy(value).tolist() for key, value in self.relaxed.items()}
        return super().to_record() | {"relaxed": relaxed}

    @classmethod
    def from_record(cls, record: Mapping[str, Any], space: SearchSpace) -> Self:
        """Return the rollout that ``record`` describes, its weights as numpy arrays."""
        relaxed = {key: np.array(value, dtype=np.float32) for key, value in record["relaxed"].items()}
        rollout = cls(space, relaxed, dict(record.get("info") or {}))
        if record.get("evaluation"):
            rollout._evaluation = Evaluation(**record["evaluation"])
        return rollout

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


def as_numpy(values: Any) -> npt.NDArray[np.floating[Any]]:
    """Return an array, or a tensor on any device, as a numpy array."""
    if hasattr(values, "detach"):  # a torch tensor, which the core does not import
        values = values.detach().cpu().numpy()
    return np.asarray(values)
