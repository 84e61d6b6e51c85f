"""The cell space of ENAS and DARTS: small graphs of operations that a network repeats."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from awnas_core.decisions import Codes, Decisions
from awnas_core.errors import ConfigError, GenotypeError, did_you_mean
from awnas_core.options import Fraction, PositiveInt
from awnas_core.relaxation import Mixture
from awnas_core.roles.search_space import SearchSpace
from awnas_core.rollout import Arch, RelaxedRollout, Rollout, as_numpy
from awnas_spaces.drawing import draw_cell
from awnas_spaces.encoding import CellCodes, CellEncoding, Input
from awnas_spaces.genotype import Cell, CellGenotype, Connection
from awnas_spaces.genotype_text import CellText, read_cells
from awnas_spaces.graphviz import dot_text, render
from awnas_spaces.isomorphism import canonical_cell
from awnas_spaces.relaxed import Weights, cell_mixture, mean_weights, one_hot, strongest_inputs

ConcatOp = Literal["concat", "sum", "mean", "mul"]
DARTS_PRIMITIVES = (
    "none",
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)


class CnnSpace(SearchSpace):
    """Cells of inner nodes, each the sum of operations on earlier nodes; one topology for each cell group.

    Nodes of a cell are numbered: its inputs (outputs of the last cells), then the inner nodes. The decisions are, for
    each group and each inner node in order: the nodes its inputs come from, then the operation on each of them. An
    architecture is a tuple of these codes; :meth:`cells` and :meth:`genotype` are the readable views.

    Args:
        num_cell_groups: Number of different topologies.
        num_init_nodes: Inputs of a cell: the outputs of that many cells before it.
        num_layers: Cells in the network.
        cell_layout: Group of each layer; for two groups the second stands at one and two thirds by default.
        reduce_cell_groups: Groups whose cells halve the resolution and double the channels.
        num_steps: Inner nodes, for all groups or for each.
        num_node_inputs: Inputs of an inner node.
        concat_op: How inner nodes make up the output: concat, sum, mean or mul.
        concat_nodes: Nodes that make up the output, for all groups or a list for each; all inner nodes by default.
        loose_end: The output is made of the inner nodes that no other inner node uses.
        shared_primitives: Operations to choose from.
        cell_shared_primitives: Operations of each group, instead of ``shared_primitives``.
        derive_without_none_op: A relaxed architecture never becomes one with the operation ``none``, as in DARTS.
        node_mutate_prob: Probability that a mutation changes where an input comes from, rather than its operation.

    Source: Pham et al., "Efficient Neural Architecture Search via Parameter Sharing", ICML 2018, section 2.4; Liu et
    al., "DARTS: Differentiable Architecture Search", ICLR 2019, section 2.1.
    """

    encoding_class: ClassVar[type[CellEncoding]] = CellEncoding
    genotype_class: ClassVar[type[CellGenotype]] = CellGenotype

    def __init__(
        self,
        *,
        num_cell_groups: PositiveInt = 2,
        num_init_nodes: PositiveInt = 2,
        num_layers: PositiveInt = 8,
        cell_layout: tuple[int, ...] | None = None,
        reduce_cell_groups: tuple[int, ...] = (1,),
        num_steps: PositiveInt | tuple[PositiveInt, ...] = 4,
        num_node_inputs: PositiveInt = 2,
        concat_op: ConcatOp = "concat",
        concat_nodes: tuple[int, ...] | tuple[tuple[int, ...], ...] | None = None,
        loose_end: bool = False,
        shared_primitives: tuple[str, ...] = DARTS_PRIMITIVES,
        cell_shared_primitives: tuple[tuple[str, ...], ...] | None = None,
        derive_without_none_op: bool = False,
        node_mutate_prob: Fraction = 0.5,
    ) -> None:
        self.num_cell_groups = num_cell_groups
        self.num_init_nodes = num_init_nodes
        self.num_layers = num_layers
        self.reduce_cell_groups = tuple(reduce_cell_groups)
        self.cell_layout = self._layout(cell_layout)
        steps = num_steps if isinstance(num_steps, Sequence) else [num_steps] * num_cell_groups
        self.num_steps: tuple[int, ...] = self._per_group("num_steps", steps)
        self.num_node_inputs = num_node_inputs
        primitives = cell_shared_primitives or [shared_primitives] * num_cell_groups
        self.primitives = self._primitives(primitives, without_none=derive_without_none_op)
        self.concat_op: ConcatOp = concat_op
        self.loose_end = loose_end
        self._outputs = self._output_nodes(concat_nodes)
        self.derive_without_none_op = derive_without_none_op
        self.node_mutate_prob = node_mutate_prob
        self._encoding = self.encoding_class(
            self.group_names, num_init_nodes, self.num_steps, num_node_inputs, self.primitives
        )

    @classmethod
    def check_options(cls, options: Mapping[str, Any]) -> None:
        """Refuse layouts and lists that contradict the number of groups, layers or nodes: a space is made at once."""
        cls(**options)

    @property
    def decisions(self) -> Decisions:
        """Per group and inner node: from-nodes, then operations."""
        return self._encoding.decisions

    @property
    def group_names(self) -> tuple[str, ...]:
        """``normal_<i>`` or ``reduce_<i>`` for each group."""
        return tuple(
            f"{'reduce' if self.is_reduce(i) else 'normal'}_{i}" for i in range(self.num_cell_groups)
        )

    def is_reduce(self, group: int) -> bool:
        """Whether cells of the group halve the resolution."""
        return group in self.reduce_cell_groups

    def steps_of(self, group: int) -> int:
        """Number of inner nodes of the group's cells."""
        return self.num_steps[group]

    def primitives_of(self, group: int) -> tuple[str, ...]:
        """Operations of the group; an operation's code is its place here."""
        return self.primitives[group]

    def output_nodes(self, group: int) -> tuple[int, ...] | None:
        """Nodes that make up the output of the group's cells; None where they are loose ends, which vary."""
        return None if self.loose_end else self._outputs[group]

    def cells(self, arch: Arch) -> tuple[CellCodes, ...]:
        """Return for each group (from-nodes, codes of operations), both of length steps · inputs, node by node."""
        return self._encoding.cells(arch)

    def genotype(self, arch: Arch) -> CellGenotype:
        """Return the cells of ``arch``, connections ordered by destination."""
        cells = []
        for group, (nodes, ops) in enumerate(self.cells(arch)):
            names = self.primitives[group]
            to = (self.num_init_nodes + i // self.num_node_inputs for i in range(len(nodes)))
            connections = tuple(
                (names[op], source, node) for op, source, node in zip(ops, nodes, to, strict=True)
            )
            cells.append(Cell(self.group_names[group], connections, self._concat(group, nodes)))
        return self.genotype_class(tuple(cells))

    def parse(self, text: str) -> Arch:
        """Read a genotype text, of this library or of the DARTS literature.

        Raises: GenotypeError naming the cell, node or operation that is not of this space.
        """
        cells = read_cells(text, num_inputs=self.num_init_nodes, num_node_inputs=self.num_node_inputs)
        given = {self._group_called(name): cell for name, cell in cells.items()}
        if missing := [name for group, name in enumerate(self.group_names) if group not in given]:
            raise GenotypeError(
                f"the space has the cells {', '.join(self.group_names)}; the text lacks {', '.join(missing)}"
            )
        groups = range(self.num_cell_groups)
        arch = self._encoding.encode([self._inputs_of(group, given[group]) for group in groups])
        for group, (nodes, _) in enumerate(self.cells(arch)):
            name, expected, concat = self.group_names[group], self._concat(group, nodes), given[group].concat
            if concat is not None and sorted(concat) != sorted(expected):
                raise GenotypeError(f"{name}_concat must be {expected} in this space, got {concat}")
        return arch

    @cached_property
    def mixtures(self) -> tuple[Mixture, ...]:
        """One mixture for each cell group; none when a node has more inputs than the first has edges to keep."""
        if self.num_node_inputs > self.num_init_nodes:
            return ()
        return tuple(
            cell_mixture(name, self.num_init_nodes, steps, primitives)
            for name, steps, primitives in zip(self.group_names, self.num_steps, self.primitives, strict=True)
        )

    def discretize(self, relaxed: Mapping[str, Weights]) -> Arch:
        """Return the architecture of the strongest edges and operations; see :func:`strongest_inputs`.

        Raises: ConfigError when weights of a group are missing, or of another shape.
        """
        if not self.mixtures:
            raise ConfigError(
                f"a relaxed cell needs as many init nodes as node inputs: num_node_inputs is {self.num_node_inputs}, "
                f"num_init_nodes {self.num_init_nodes}"
            )
        cells = []
        for mixture in self.mixtures:
            if mixture.name not in relaxed:
                raise ConfigError(
                    f"no weights for '{mixture.name}'; there are {', '.join(relaxed) or 'none'}"
                )
            none = [mixture.choices.index("none")] if "none" in mixture.choices else []
            cells.append(
                strongest_inputs(
                    mixture,
                    relaxed[mixture.name],
                    relaxed.get(mixture.edges_key),
                    self.num_node_inputs,
                    without=none if self.derive_without_none_op else (),
                )
            )
        return self._encoding.encode(cells)

    def relax(self, arch: Arch) -> dict[str, Weights]:
        """Return weights under which the relaxed cells compute exactly ``arch``; mixture name → ``(E, P)``."""
        k = self.num_node_inputs
        relaxed: dict[str, Weights] = {}
        for mixture, (nodes, ops) in zip(self.mixtures, self.cells(arch), strict=True):
            inputs = list(zip(nodes, ops, strict=True))
            relaxed[mixture.name] = one_hot(mixture, [inputs[i : i + k] for i in range(0, len(inputs), k)])
        return relaxed

    def key(self, arch: Arch) -> Hashable:
        """Return a key that is equal exactly for isomorphic cells.

        The order of a node's inputs, the numbering of inner nodes and the order of the output's parts do not count.
        """
        k, inputs = self.num_node_inputs, self.num_init_nodes
        keys = []
        for group, (nodes, ops) in enumerate(self.cells(arch)):
            steps = [
                list(zip(ops[i : i + k], nodes[i : i + k], strict=True)) for i in range(0, len(nodes), k)
            ]
            output = {node - inputs for node in self._concat(group, nodes)}
            keys.append(canonical_cell(steps, inputs, output))
        return tuple(keys)

    def mutate_codes(self, codes: Codes, rng: np.random.Generator) -> Codes:
        """Change one entry of one group: where an input comes from, or its operation; never to what it was.

        Source of the operator: Real et al., "Regularized Evolution for Image Classifier Architecture Search", AAAI
        2019, section 3.
        """
        return self._encoding.mutate(codes, rng, self.node_mutate_prob)

    def crossover_codes(
        self,
        a: Codes,
        b: Codes,
        rng: np.random.Generator,
        *,
        prob_1: float = 0.5,
        per_cell_group: bool = True,
        per_node: bool = True,
        per_connection: bool = False,
        sep_node_op: bool = False,
    ) -> Codes:
        """Mix parents: each part comes from ``a`` with probability ``prob_1``, else from ``b``.

        Args:
            a: Shape ``(n, D)``.
            b: Shape ``(n, D)``.
            rng: Where the mixture comes from.
            prob_1: Probability of ``a``.
            per_cell_group: Each group is mixed on its own.
            per_node: Each inner node is drawn on its own.
            per_connection: Each input of a node is drawn on its own.
            sep_node_op: Where an input comes from and its operation are drawn on their own.
        """
        from_a = self._encoding.mixture(
            len(a),
            rng,
            prob_1,
            group=per_cell_group,
            step=per_node,
            kind=sep_node_op,
            connection=per_connection,
        )
        return np.where(from_a, a, b)

    def plot(self, rollout: Rollout, path: Path) -> list[Path]:
        """Draw each cell: ``<path>-<group>.svg``, and where graphviz is installed ``<path>-<group>.pdf`` by it.

        Operations of relaxed rollouts are drawn with their weights.
        """
        files = []
        weights = self._weights(rollout) if isinstance(rollout, RelaxedRollout) else {}
        for cell in rollout.genotype.cells:
            drawn = cell, self.num_init_nodes, self.concat_op, weights.get(cell.name)
            svg, pdf = (path.with_name(f"{path.name}-{cell.name}.{kind}") for kind in ("svg", "pdf"))
            svg.write_text(draw_cell(*drawn), encoding="utf-8")
            files += [svg, pdf] if render(dot_text(*drawn), pdf) else [svg]
        return files

    def _weights(self, rollout: RelaxedRollout) -> dict[str, dict[Connection, float]]:
        """Return the weights of the connections of every cell."""
        weights = {}
        for mixture, cell in zip(self.mixtures, rollout.genotype.cells, strict=True):
            values = mean_weights(mixture, as_numpy(rollout.relaxed[mixture.name]))
            weights[cell.name] = {
                (op, source, to): float(values[mixture.targets.index(to) + source, mixture.choices.index(op)])
                for op, source, to in cell.connections
            }
        return weights

    def _layout(self, given: Sequence[int] | None) -> tuple[int, ...]:
        groups, layers = self.num_cell_groups, self.num_layers
        if set(self.reduce_cell_groups) - set(range(groups)):
            raise ConfigError(
                f"reduce_cell_groups must be among 0 … {groups - 1}, got {list(self.reduce_cell_groups)}"
            )
        if given is None:
            if groups != 2:
                raise ConfigError(f"cell_layout is needed with {groups} cell groups: the group of each layer")
            return tuple(int(layer in (layers // 3, 2 * layers // 3)) for layer in range(layers))
        if len(given) != layers or set(given) - set(range(groups)):
            raise ConfigError(
                f"cell_layout must give a group 0 … {groups - 1} for each of {layers} layers, "
                f"got {len(given)}: {list(given)}"
            )
        return tuple(given)

    def _per_group(self, name: str, values: Sequence[Any]) -> tuple[Any, ...]:
        if len(values) != self.num_cell_groups:
            raise ConfigError(f"{name} lists {len(values)} groups, there are {self.num_cell_groups}")
        return tuple(values)

    def _primitives(
        self, given: Sequence[Sequence[str]], *, without_none: bool
    ) -> tuple[tuple[str, ...], ...]:
        for names in self._per_group("cell_shared_primitives", given):
            if not names or len(set(names)) != len(names):
                raise ConfigError(f"primitives must be different, and at least one, got {list(names)}")
            if without_none and set(names) == {"none"}:
                raise ConfigError("derive_without_none_op leaves nothing where 'none' is the only primitive")
        return tuple(tuple(names) for names in given)

    def _output_nodes(self, given: Sequence[Any] | None) -> tuple[tuple[int, ...], ...]:
        inner = [tuple(range(self.num_init_nodes, self.num_init_nodes + steps)) for steps in self.num_steps]
        if given is None:
            return tuple(inner)
        if self.loose_end:
            raise ConfigError("concat_nodes and loose_end exclude each other; give one")
        is_nested = any(isinstance(nodes, Sequence) for nodes in given)
        lists = self._per_group("concat_nodes", given if is_nested else [given] * self.num_cell_groups)
        for nodes, possible in zip(lists, inner, strict=True):
            if not nodes or len(set(nodes)) != len(nodes) or set(nodes) - set(possible):
                raise ConfigError(
                    f"concat_nodes must be different inner nodes {possible[0]} … {possible[-1]}, got {list(nodes)}"
                )
        return tuple(tuple(nodes) for nodes in lists)

    def _concat(self, group: int, from_nodes: Sequence[int]) -> tuple[int, ...]:
        nodes = self._outputs[group]
        return tuple(node for node in nodes if node not in from_nodes) if self.loose_end else nodes

    def _group_called(self, name: str) -> int:
        """Return the group of a name in a genotype; ``normal`` and ``reduce`` do where there is one of the kind."""
        if name in self.group_names:
            return self.group_names.index(name)
        alike = [group for group, known in enumerate(self.group_names) if known.rsplit("_", 1)[0] == name]
        if len(alike) != 1:
            raise GenotypeError(
                f"the space has the cells {', '.join(self.group_names)}; the text has '{name}'"
            )
        return alike[0]

    def _inputs_of(self, group: int, cell: CellText) -> list[list[Input]]:
        """Return the inputs of each inner node."""
        k, names, group_name = self.num_node_inputs, self.primitives[group], self.group_names[group]
        nodes = range(self.num_init_nodes, self.num_init_nodes + self.num_steps[group])
        inputs: dict[int, list[Input]] = {node: [] for node in nodes}
        for name, source, node in cell.connections:
            if node not in inputs:
                raise GenotypeError(
                    f"{group_name} has the inner nodes {nodes[0]} … {nodes[-1]}, got a connection to {node}"
                )
            if name not in names:
                known = f"{did_you_mean(name, names)}; its primitives are {', '.join(names)}"
                raise GenotypeError(f"{group_name}: no operation '{name}'{known}")
            inputs[node].append((source, names.index(name)))
        for node, found in inputs.items():
            if len(found) != k:
                raise GenotypeError(f"{group_name}: node {node} must have {k} inputs, got {len(found)}")
        return list(inputs.values())
