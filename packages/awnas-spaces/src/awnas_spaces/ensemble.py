"""Several architectures that answer together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from awnas_core.decisions import Codes, Decision, Decisions
from awnas_core.errors import GenotypeError
from awnas_core.layers import LayerSpec
from awnas_core.options import Child, PositiveInt
from awnas_core.roles.search_space import SearchSpace
from awnas_core.rollout import Arch, Rollout

_WRAPPED = re.compile(r"\s*[A-Za-z_][\w.]*\s*\((?P<inside>.*)\)\s*", re.DOTALL)
_MEMBER = re.compile(r"\s*arch_(?P<number>\d+)\s*=(?P<text>.*)", re.DOTALL)
_SPLIT = re.compile(r"'[^']*'|\"[^\"]*\"|[()\[\]{},]")


class EnsembleRollout(Rollout):
    """Several architectures of an inner space that are measured as one."""

    __slots__ = ()

    @property
    def members(self) -> list[Rollout]:
        """The architectures, as rollouts of the inner space."""
        assert isinstance(self.space, EnsembleSpace)
        inner = self.space.inner_search_space
        return [inner.rollout(arch) for arch in self.space.members(self.arch)]


@dataclass(frozen=True, slots=True)
class EnsembleGenotype:
    """The genotypes of the members; ``str()`` reads ``EnsembleGenotype(arch_0=…, arch_1=…)``."""

    members: tuple[Any, ...]

    def __str__(self) -> str:
        return f"EnsembleGenotype({', '.join(f'arch_{i}={member}' for i, member in enumerate(self.members))})"


class EnsembleSpace(SearchSpace):
    """Ensembles of architectures of another space; the decisions are those of the members, one after the other.

    A network of an ensemble gives the mean of what its members give, so their order does not count in :meth:`key`.

    Args:
        inner_search_space: Where the members come from.
        ensemble_size: Members of an ensemble.
        mutate_every_member: A mutation changes every member; otherwise one, drawn uniformly.
    """

    rollout_class = EnsembleRollout

    def __init__(
        self,
        *,
        inner_search_space: SearchSpace = Child("search_space", "cnn", own_rollouts=True),
        ensemble_size: PositiveInt = 3,
        mutate_every_member: bool = True,
    ) -> None:
        self.inner_search_space = inner_search_space
        self.ensemble_size = ensemble_size
        self.mutate_every_member = mutate_every_member
        inner = inner_search_space.decisions
        self._width = len(inner)
        self._decisions = Decisions(
            [_renamed(decision, f"arch_{i}") for i in range(ensemble_size) for decision in inner],
            self._valid if inner.valid is not None else None,
        )

    @property
    def decisions(self) -> Decisions:
        """Those of each member, under ``arch_<i>.``."""
        return self._decisions

    def members(self, arch: Arch) -> list[Arch]:
        """Return the architectures of the inner space."""
        return [arch[at : at + self._width] for at in range(0, len(arch), self._width)]

    def check_arch(self, arch: Sequence[int]) -> Arch:
        """Return ``arch`` as a tuple of codes, each member checked by its own space.

        Raises: GenotypeError when it is not an architecture of this space.
        """
        checked = super().check_arch(arch)
        for member in self.members(checked):
            self.inner_search_space.check_arch(member)
        return checked

    def genotype(self, arch: Arch) -> EnsembleGenotype:
        """Return the genotypes of the members."""
        return EnsembleGenotype(tuple(map(self.inner_search_space.genotype, self.members(arch))))

    def parse(self, text: str) -> Arch:
        """Read ``EnsembleGenotype(arch_0=…, arch_1=…)``, or what is inside; the inner space reads each member.

        Raises: GenotypeError saying which member is wrong.
        """
        texts = _member_texts(text)
        if len(texts) != self.ensemble_size:
            raise GenotypeError(
                f"an ensemble of this space has {self.ensemble_size} members, got {len(texts)}"
            )
        arch: Arch = ()
        for number, member in enumerate(texts):
            try:
                arch += self.inner_search_space.parse(member)
            except GenotypeError as error:
                raise GenotypeError(f"arch_{number}: {error}") from error
        return arch

    def key(self, arch: Arch) -> Hashable:
        """Return how often each key of a member occurs."""
        return frozenset(Counter(map(self.inner_search_space.key, self.members(arch))).items())

    def sample_codes(self, n: int, rng: np.random.Generator) -> Codes:
        """Draw ``n`` ensembles, every member as the inner space draws it."""
        return self.inner_search_space.sample_codes(n * self.ensemble_size, rng).reshape(
            n, len(self._decisions)
        )

    def mutate_codes(self, codes: Codes, rng: np.random.Generator) -> Codes:
        """Mutate every member, or one of each ensemble, as the inner space does."""
        members = self._apart(np.array(codes, dtype=np.int64))
        chosen: npt.NDArray[np.bool_] = np.ones(members.shape[:2], dtype=bool)
        if not self.mutate_every_member:
            chosen = np.arange(self.ensemble_size) == rng.integers(self.ensemble_size, size=(len(members), 1))
        members[chosen] = self.inner_search_space.mutate_codes(members[chosen], rng)
        return members.reshape(len(members), len(self._decisions))

    def crossover_codes(self, a: Codes, b: Codes, rng: np.random.Generator) -> Codes:
        """Cross the first members of both parents, the second, and so on, as the inner space does."""
        width = self._width
        children = self.inner_search_space.crossover_codes(a.reshape(-1, width), b.reshape(-1, width), rng)
        return children.reshape(len(a), len(self._decisions))

    def layers(self, rollout: Rollout) -> list[LayerSpec]:
        """Return the layers of all members, where the inner space fixes them."""
        return [
            replace(layer, name=f"arch_{i}.{layer.name}")
            for i, member in enumerate(self._rollouts_of(rollout))
            for layer in self.inner_search_space.layers(member)
        ]

    def plot(self, rollout: Rollout, path: Path) -> list[Path]:
        """Draw each member into files named ``<path>-arch_<i>…``."""
        files = []
        for i, member in enumerate(self._rollouts_of(rollout)):
            files += self.inner_search_space.plot(member, path.with_name(f"{path.name}-arch_{i}"))
        return files

    def _rollouts_of(self, rollout: Rollout) -> list[Rollout]:
        return [self.inner_search_space.rollout(arch) for arch in self.members(rollout.arch)]

    def _apart(self, codes: Codes) -> Codes:
        """Return codes as ``(n, members, decisions of one)``."""
        return codes.reshape(-1, self.ensemble_size, self._width)

    def _valid(self, codes: Codes) -> npt.NDArray[np.bool_]:
        valid = self.inner_search_space.decisions.valid
        assert valid is not None
        return np.asarray(valid(codes.reshape(-1, self._width)).reshape(-1, self.ensemble_size).all(1))


def _renamed(decision: Decision, owner: str) -> Decision:
    when = decision.when and replace(decision.when, decision=f"{owner}.{decision.when.decision}")
    return replace(decision, name=f"{owner}.{decision.name}", when=when)


def _member_texts(text: str) -> list[str]:
    """Return the texts of the members, whatever the grammar of the inner space."""
    wrapped = None if _MEMBER.match(text) else _WRAPPED.fullmatch(text)
    texts: list[str] = []
    for part in _split(wrapped["inside"] if wrapped else text):
        member = _MEMBER.fullmatch(part)
        if member and int(member["number"]) == len(texts):
            texts.append(member["text"].strip())
        elif texts and not member and part.strip():
            texts[-1] += f",{part}"  # a comma of the inner genotype
        elif part.strip():
            raise GenotypeError(
                f"expected 'EnsembleGenotype(arch_0=…, arch_1=…)', members in order; got {part.strip()[:40]!r}"
            )
    return texts


def _split(text: str) -> Iterator[str]:
    """Yield the parts between commas that are in no bracket and no quotes."""
    depth = start = 0
    for token in _SPLIT.finditer(text):
        mark = token[0]
        depth += (mark in "([{") - (mark in ")]}")
        if mark == "," and depth == 0:
            yield text[start : token.start()]
            start = token.end()
    yield text[start:]
