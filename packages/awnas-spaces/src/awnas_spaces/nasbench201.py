"""The cell space of NAS-Bench-201: an operation on every edge of a complete graph of four nodes."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from awnas_core.decisions import Codes, Decision, Decisions
from awnas_core.errors import ConfigError, GenotypeError, did_you_mean
from awnas_core.layers import LayerSpec, total_cost
from awnas_core.options import PositiveFloat, PositiveInt
from awnas_core.relaxation import Mixture
from awnas_core.rollout import Arch, Rollout
from awnas_spaces.benchmark import BenchmarkSpace, Keys
from awnas_spaces.nasbench201_layers import network_layers

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
NUM_CLASSES = 10  # of CIFAR-10, for which the network is counted
_EDGE = re.compile(r"\s*([A-Za-z_]\w*)\s*~\s*(\d+)\s*")


class NasBench201Space(BenchmarkSpace):
    """Cells in which every node sums an operation on each earlier node; node 0 is the input, the last the output.

    The decisions are the operations of the edges 0→1, 0→2, 1→2, 0→3, 1→3, 2→3, in this order, which is also that of
    the text ``|nor_conv_3x3~0|+|none~0|skip_connect~1|+|…|``.

    Args:
        vertices: Nodes of a cell.
        ops_choices: Operations to choose from.
        upper_flops: Most multiply-adds of the network, in millions as the benchmark counts them; None for no bound.
        canonical: Which cells share a key. ``"published"`` is the rule by which the authors count 6,466 cells;
            ``"full"`` also carries zeros through nodes and takes sums apart, which leaves 4,930.

    Source: Dong and Yang, "NAS-Bench-201: Extending the Scope of Reproducible Neural Architecture Search", ICLR 2020.
    """

    def __init__(
        self,
        *,
        vertices: PositiveInt = 4,
        ops_choices: tuple[str, ...] = OPERATIONS,
        upper_flops: PositiveFloat | None = None,
        canonical: Literal["published", "full"] = "published",
    ) -> None:
        self.vertices = vertices
        self.operations = tuple(ops_choices)
        self.canonical = canonical
        self.edges = tuple((source, to) for to in range(1, vertices) for source in range(to))
        self.upper_flops = upper_flops
        self._decisions = Decisions(
            [Decision(f"edge_{source}_{to}", self.operations) for source, to in self.edges],
            valid=None if upper_flops is None else lambda codes: np.asarray(self.flops(codes) <= upper_flops),
        )

    @classmethod
    def check_options(cls, options: Mapping[str, Any]) -> None:
        """Refuse a cell without an edge, and operations that are not different names."""
        if options["vertices"] < 2:
            raise ConfigError(
                f"vertices must be at least 2, an input and an output, got {options['vertices']}"
            )
        names = options["ops_choices"]
        if not names or len(set(names)) != len(names):
            raise ConfigError(f"ops_choices must be different operations, at least one, got {list(names)}")

    @property
    def decisions(self) -> Decisions:
        """The operation on each edge."""
        return self._decisions

    @property
    def benchmark(self) -> str:
        """``nasbench-201``, unless the cells have other nodes or operations than its own."""
        return "nasbench-201" if self.vertices == 4 and set(self.operations) <= set(OPERATIONS) else ""

    def benchmark_keys(self, codes: Codes) -> Keys:
        """Return the codes in the full list of operations, read as one number of base five."""
        places = np.array([OPERATIONS.index(name) for name in self.operations], dtype=np.uint64)
        return places[codes] @ (len(OPERATIONS) ** np.arange(len(self.edges))[::-1]).astype(np.uint64)

    @property
    def mixtures(self) -> tuple[Mixture, ...]:
        """One mixture, ``cell``: all edges, in the order of the decisions."""
        return (Mixture("cell", self.operations, tuple(to for _, to in self.edges)),)

    def discretize(self, relaxed: Mapping[str, npt.NDArray[np.floating[Any]]]) -> Arch:
        """Return the operation of largest weight on every edge; weights of edges do not count: no edge is dropped."""
        weights = relaxed["cell"]
        if weights.ndim == 3:  # (E, B, P)
            weights = weights.mean(1)
        return tuple(weights.argmax(-1).tolist())

    def genotype(self, arch: Arch) -> str:
        """Return the text of the benchmark."""
        names = [
            f"{self.operations[code]}~{source}" for code, (source, _) in zip(arch, self.edges, strict=True)
        ]
        starts = [to * (to - 1) // 2 for to in range(1, self.vertices + 1)]
        nodes = (names[a:b] for a, b in itertools.pairwise(starts))
        return "+".join(f"|{'|'.join(node)}|" for node in nodes)

    def parse(self, text: str) -> Arch:
        """Read ``|op~0|+|op~0|op~1|+|…|``.

        Raises: GenotypeError naming the node or operation that is wrong.
        """
        nodes = text.strip().split("+")
        if len(nodes) != self.vertices - 1:
            raise GenotypeError(
                f"a cell has {self.vertices - 1} nodes joined by '+', as in {self.genotype((0,) * len(self.edges))}; "
                f"got {len(nodes)} in {text[:80]!r}"
            )
        return tuple(code for to, node in enumerate(nodes, 1) for code in self._parse_node(to, node.strip()))

    def key(self, arch: Arch) -> str:
        """Return a text that is equal for cells that compute the same, as far as the rule chosen sees it."""
        return published_key(self, arch) if self.canonical == "published" else full_key(self, arch)

    def layers(self, rollout: Rollout) -> list[LayerSpec]:
        """Return the layers of the network for 32 × 32 images and ten classes."""
        cell = [
            (self.operations[code], source, to)
            for code, (source, to) in zip(rollout.arch, self.edges, strict=True)
        ]
        return network_layers(cell)

    def flops(self, codes: Codes) -> npt.NDArray[np.float64]:
        """Return the benchmark's FLOPs of each row in millions, shape ``(n,)``.

        These are multiply-adds and one for each bias of the classifier. Where an operation stands does not matter.
        """
        empty = total_cost(network_layers(())).macs
        each = [total_cost(network_layers([(name, 0, 1)])).macs - empty for name in self.operations]
        return np.asarray((empty + NUM_CLASSES + np.array(each)[codes].sum(1)) / 1e6)

    def _parse_node(self, to: int, text: str) -> list[int]:
        parts = text.split("|")
        if len(parts) < 3 or parts[0] or parts[-1]:
            raise GenotypeError(f"node {to}: expected |operation~node|…|, got {text[:40]!r}")
        matches = [_EDGE.fullmatch(part) for part in parts[1:-1]]
        found = [(match[1], int(match[2])) for match in matches if match]
        if len(found) < len(matches):
            raise GenotypeError(f"node {to}: expected operation~node between bars, got {text[:60]!r}")
        if [source for _, source in found] != list(range(to)):
            raise GenotypeError(
                f"node {to} has one operation on each of the nodes 0 … {to - 1}, in order; got {text[:60]!r}"
            )
        return [self._code(to, name) for name, _ in found]

    def _code(self, to: int, name: str) -> int:
        if name not in self.operations:
            hint = did_you_mean(name, self.operations)
            raise GenotypeError(
                f"node {to}: no operation '{name}'{hint}; there are {', '.join(self.operations)}"
            )
        return self.operations.index(name)


def published_key(space: NasBench201Space, arch: Arch) -> str:
    """Return the key of the authors: what each node computes, written from the input upward.

    ``#`` is zero, a skip connection is what it reads. A node whose parts are all zero is not seen as zero itself.
    """
    nodes = ["0"]
    for parts in _nodes(space, arch):
        written = ("#" if op == "none" or nodes[i] == "#" else _applied(op, nodes[i]) for op, i in parts)
        nodes.append("+".join(sorted(written)))
    return nodes[-1]


def full_key(space: NasBench201Space, arch: Arch) -> str:
    """Return a key in which zeros are left out and a skipped sum is part of the sum it goes into."""
    nodes: list[tuple[str, ...]] = [("0",)]  # the terms of each node's sum
    for parts in _nodes(space, arch):
        terms: list[str] = []
        for op, i in parts:
            if op == "skip_connect":
                terms += nodes[i]
            elif op != "none" and nodes[i]:
                terms.append(_applied(op, "+".join(nodes[i])))
        nodes.append(tuple(sorted(terms)))
    return "+".join(nodes[-1])


def _nodes(space: NasBench201Space, arch: Arch) -> list[Sequence[tuple[str, int]]]:
    """Return for each node after the input its (operation, node it reads)."""
    edges = [(space.operations[code], source) for code, (source, _) in zip(arch, space.edges, strict=True)]
    return [edges[to * (to - 1) // 2 : to * (to + 1) // 2] for to in range(1, space.vertices)]


def _applied(op: str, read: str) -> str:
    return read if op == "skip_connect" else f"({read})@{op}"
