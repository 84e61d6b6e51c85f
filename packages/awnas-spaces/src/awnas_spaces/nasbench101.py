"""The cell space of NAS-Bench-101: graphs of at most seven vertices and nine edges, an operation on each inner one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from awnas_core.decisions import Codes, Decision, Decisions
from awnas_core.errors import GenotypeError
from awnas_core.layers import LayerSpec
from awnas_core.options import PositiveFloat
from awnas_core.rollout import Arch, Rollout
from awnas_spaces.benchmark import BenchmarkSpace, Keys
from awnas_spaces.nasbench101_enumeration import unique_cells
from awnas_spaces.nasbench101_graph import Bools, alive, graph_hash, live_edges, prune
from awnas_spaces.nasbench101_layers import network_layers
from awnas_spaces.nasbench101_text import format_cell, parse_cell

OPERATIONS = ("conv1x1-bn-relu", "conv3x3-bn-relu", "maxpool3x3")
HASH_LABELS = (1, 0, 2)  # places in the benchmark's own list, which begins with conv3x3
VERTICES, MAX_EDGES = 7, 9
EDGES = tuple((a, b) for a in range(VERTICES) for b in range(a + 1, VERTICES))
UNIQUE_CELLS = 423_624
_FROM, _TO = (np.array(ends) for ends in zip(*EDGES, strict=True))


class NasBench101Space(BenchmarkSpace):
    """Cells as graphs; the network stacks three times three of them.

    The decisions are the 21 possible edges of the upper triangle, row by row, and the operations of five inner
    vertices. Vertices off every path from input to output, and their edges, do not count: a cell is valid when the
    output is reached over at most nine edges that do. Cells that are the same graph have one key, the published hash.

    Args:
        mutation_rate: Edges, and operations, that a mutation changes on average.

    Source: Ying et al., "NAS-Bench-101: Towards Reproducible Neural Architecture Search", ICML 2019.
    """

    def __init__(self, *, mutation_rate: PositiveFloat = 1.0) -> None:
        self.mutation_rate = mutation_rate
        edges = [Decision(f"edge_{a}_{b}", (False, True)) for a, b in EDGES]
        operations = [Decision(f"operation_{v}", OPERATIONS) for v in range(1, VERTICES - 1)]
        self._decisions = Decisions([*edges, *operations], valid=is_valid)

    @property
    def decisions(self) -> Decisions:
        """The edges, then the operations."""
        return self._decisions

    @property
    def benchmark(self) -> str:
        """``nasbench-101``."""
        return "nasbench-101"

    def size(self) -> int:
        """Return the number of different cells; each has many codes."""
        return UNIQUE_CELLS

    def enumerate(self) -> Iterator[Rollout]:
        """Yield one cell of every class of isomorphic ones, small ones first; the first takes about 20 seconds."""
        for vertices in range(2, VERTICES + 1):
            matrices, operations = unique_cells(vertices, MAX_EDGES, len(OPERATIONS))
            yield from self.rollouts(codes_of(matrices, operations))

    def benchmark_keys(self, codes: Codes) -> Keys:
        """Return the first half of each cell's published hash."""
        return np.array([int(self.key(tuple(row))[:16], 16) for row in codes.tolist()], dtype=np.uint64)

    def key(self, arch: Arch) -> str:
        """Return the published hash of the pruned graph."""
        matrix, operations = self.pruned(arch)
        return graph_hash(matrix, [-1, *(HASH_LABELS[code] for code in operations), -2])

    def pruned(self, arch: Arch) -> tuple[Bools, list[int]]:
        """Return the adjacency matrix of the vertices that count, and the codes of the inner ones' operations."""
        return prune(matrices_of(np.array([arch]))[0], arch[len(EDGES) :])

    def genotype(self, arch: Arch) -> str:
        """Return text such as ``NasBench101(conv3x3-bn-relu, …; 0-1, 1-6)``: operations of 1 … 5, then edges."""
        names = [OPERATIONS[code] for code in arch[len(EDGES) :]]
        return format_cell(names, [edge for edge, code in zip(EDGES, arch, strict=False) if code])

    def parse(self, text: str) -> Arch:
        """Read what :meth:`genotype` writes, or a ``ModelSpec(matrix, ops)``; a smaller graph will do.

        Raises: GenotypeError saying what is wrong.
        """
        cell = parse_cell(text, OPERATIONS, VERTICES)
        operations = [OPERATIONS.index(name) for name in cell.operations]
        codes = np.array([[*(edge in cell.edges for edge in EDGES), *operations]])
        if not is_valid(codes)[0]:
            edges = live_edges(matrices_of(codes))[0]
            raise GenotypeError(
                f"the cell has {edges} edges that count, at most {MAX_EDGES} may"
                if edges
                else "no path leads from the input of the cell to its output"
            )
        return tuple(codes[0].tolist())

    def mutate_codes(self, codes: Codes, rng: np.random.Generator) -> Codes:
        """Flip each edge with probability rate / 7 and change each operation with rate / 5, until a new cell is valid.

        Source: Ying et al. 2019, appendix; Real et al. 2019.
        """
        parents = np.asarray(codes, dtype=np.int64)
        children = parents.copy()
        todo = np.arange(len(parents))
        while len(todo):
            children[todo] = self._changed(parents[todo], rng)
            same = (children[todo] == parents[todo]).all(1)
            todo = todo[same | ~is_valid(children[todo])]
        return children

    def layers(self, rollout: Rollout) -> list[LayerSpec]:
        """Return the layers of the network for 32 × 32 images and ten classes."""
        matrix, operations = self.pruned(rollout.arch)
        return network_layers(matrix, [OPERATIONS[code] for code in operations])

    def _changed(self, codes: Codes, rng: np.random.Generator) -> Codes:
        split = len(EDGES)
        flips = rng.random((len(codes), split)) < self.mutation_rate / VERTICES
        changes = rng.random((len(codes), VERTICES - 2)) < self.mutation_rate / (VERTICES - 2)
        shift = rng.integers(1, len(OPERATIONS), changes.shape)
        operations = (codes[:, split:] + changes * shift) % len(OPERATIONS)
        return np.concatenate([codes[:, :split] ^ flips, operations], axis=1)


def matrices_of(codes: Codes) -> Bools:
    """Return the adjacency matrices of rows of codes, shape ``(n, 7, 7)``."""
    matrices = np.zeros((len(codes), VERTICES, VERTICES), dtype=bool)
    matrices[:, _FROM, _TO] = codes[:, : len(EDGES)].astype(bool)
    return matrices


def codes_of(matrices: Bools, operations: Codes) -> Codes:
    """Return graphs of up to seven vertices as rows of codes; vertices that are missing have no edges."""
    vertices = matrices.shape[-1]
    whole = np.zeros((len(matrices), VERTICES, VERTICES), dtype=bool)
    places = np.array([*range(vertices - 1), VERTICES - 1])
    whole[:, places[:, None], places] = matrices
    names = np.zeros((len(matrices), VERTICES - 2), dtype=np.int64)
    names[:, : vertices - 2] = operations
    return np.concatenate([whole[:, _FROM, _TO].astype(np.int64), names], axis=1)


def is_valid(codes: Codes) -> npt.NDArray[np.bool_]:
    """Tell which rows of codes reach the output over at most nine edges that count."""
    matrices = matrices_of(codes)
    return np.asarray(alive(matrices)[:, 0] & (live_edges(matrices) <= MAX_EDGES))
