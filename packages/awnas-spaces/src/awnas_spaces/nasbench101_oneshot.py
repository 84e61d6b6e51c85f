"""NAS-Bench-1Shot1: three sub-spaces of NAS-Bench-101 in which every vertex has a fixed number of parents."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from awnas_core.decisions import Codes, Decision, Decisions
from awnas_core.errors import GenotypeError
from awnas_core.layers import LayerSpec
from awnas_core.relaxation import Mixture
from awnas_core.rollout import Arch, Rollout
from awnas_spaces.benchmark import BenchmarkSpace, Keys
from awnas_spaces.nasbench101 import EDGES, OPERATIONS, VERTICES, NasBench101Space


class NasBench101OneShotSpace(BenchmarkSpace):
    """Cells of NAS-Bench-101 that one supernet holds: parents and operation are chosen vertex by vertex.

    The decisions are, vertex by vertex, its parents (all combinations of the fixed number) and, but for the output, its
    operation. Loose ends are allowed; they do not count. Its tables are those of NAS-Bench-101.

    Source: Zela et al., "NAS-Bench-1Shot1: Benchmarking and Dissecting One-shot Neural Architecture Search", ICLR 2020.
    """

    parents: ClassVar[tuple[int, ...]]
    """Number of parents of each vertex after the input, the output last."""

    def __init__(self) -> None:
        decisions = []
        for vertex, count in enumerate(self.parents, 1):
            choices = tuple(itertools.combinations(range(vertex), count))
            decisions.append(Decision(f"parents_{vertex}", choices))
            if vertex < len(self.parents):
                decisions.append(Decision(f"operation_{vertex}", OPERATIONS))
        self._decisions = Decisions(decisions)
        self._whole = NasBench101Space()

    @property
    def decisions(self) -> Decisions:
        """Parents and operation of each vertex in turn."""
        return self._decisions

    @property
    def benchmark(self) -> str:
        """``nasbench-101``: its tables know these cells too."""
        return self._whole.benchmark

    @property
    def mixtures(self) -> tuple[Mixture, ...]:
        """One mixture of a single edge for each decision."""
        return tuple(Mixture(decision.name, decision.choices, (0,)) for decision in self._decisions)

    def discretize(self, relaxed: Mapping[str, npt.NDArray[np.floating[Any]]]) -> Arch:
        """Return the choice of largest weight of every decision."""
        return tuple(
            int(relaxed[decision.name].reshape(-1, len(decision.choices)).mean(0).argmax())
            for decision in self._decisions
        )

    def whole_codes(self, codes: Codes) -> Codes:
        """Return the same cells as rows of codes of ``nasbench-101``; a vertex that is missing has no edges."""
        whole = np.zeros((len(codes), len(EDGES) + VERTICES - 2), dtype=np.int64)
        column = 0
        for vertex in range(1, len(self.parents) + 1):
            is_output = vertex == len(self.parents)
            to = VERTICES - 1 if is_output else vertex
            whole[:, : len(EDGES)] |= self._edges[vertex - 1][codes[:, column]]
            column += 1
            if not is_output:
                whole[:, len(EDGES) + to - 1] = codes[:, column]
                column += 1
        return whole

    def whole_arch(self, arch: Arch) -> Arch:
        """Return the same cell as an architecture of ``nasbench-101``."""
        return tuple(self.whole_codes(np.array([arch]))[0].tolist())

    def benchmark_keys(self, codes: Codes) -> Keys:
        """Return the first half of each cell's published hash."""
        return self._whole.benchmark_keys(self.whole_codes(codes))

    def key(self, arch: Arch) -> str:
        """Return the published hash of the pruned graph."""
        return self._whole.key(self.whole_arch(arch))

    def genotype(self, arch: Arch) -> str:
        """Return the text of ``nasbench-101``."""
        return self._whole.genotype(self.whole_arch(arch))

    def layers(self, rollout: Rollout) -> list[LayerSpec]:
        """Return the layers of the network for 32 × 32 images and ten classes."""
        return self._whole.layers(self._whole.rollout(self.whole_arch(rollout.arch)))

    def parse(self, text: str) -> Arch:
        """Read a text of ``nasbench-101``, or a ``ModelSpec``, of a cell of this sub-space.

        Raises: GenotypeError naming the vertex whose number of parents does not fit.
        """
        whole = self._whole.parse(text)
        edges = [edge for edge, code in zip(EDGES, whole, strict=False) if code]
        codes: list[int] = []
        for vertex, count in enumerate(self.parents, 1):
            is_output = vertex == len(self.parents)
            to = VERTICES - 1 if is_output else vertex
            parents = tuple(a for a, b in edges if b == to)
            choices = tuple(itertools.combinations(range(vertex), count))
            if parents not in choices:
                what = "the output" if is_output else f"vertex {vertex}"
                raise GenotypeError(
                    f"{what} must have {count} of the vertices 0 … {vertex - 1} as parents in this space, "
                    f"got {list(parents)}"
                )
            codes.append(choices.index(parents))
            if not is_output:
                codes.append(whole[len(EDGES) + vertex - 1])
        if (surplus := len(edges) - sum(self.parents)) > 0:
            raise GenotypeError(f"{surplus} edges lead to vertices that this space does not have")
        return tuple(codes)

    @cached_property
    def _edges(self) -> list[npt.NDArray[np.int64]]:
        """For each vertex: choice of its parents → which of the 21 edges these are, shape ``(choices, 21)``."""
        tables = []
        for vertex, count in enumerate(self.parents, 1):
            to = VERTICES - 1 if vertex == len(self.parents) else vertex
            choices = itertools.combinations(range(vertex), count)
            tables.append(
                np.array(
                    [[b == to and a in parents for a, b in EDGES] for parents in choices], dtype=np.int64
                )
            )
        return tables


class NasBench101OneShot1(NasBench101OneShotSpace):
    """Sub-space 1: 14,580 cells of four inner vertices."""

    parents = (1, 2, 2, 2, 2)


class NasBench101OneShot2(NasBench101OneShotSpace):
    """Sub-space 2: 29,160 cells of four inner vertices."""

    parents = (1, 1, 2, 2, 3)


class NasBench101OneShot3(NasBench101OneShotSpace):
    """Sub-space 3: 1,312,200 cells of five inner vertices."""

    parents = (1, 1, 1, 2, 2, 2)
