"""The cell space of ENAS and DARTS: small graphs of operations that a network repeats."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from awnas_core.decisions import Codes, Decision, Decisions
from awnas_core.errors import ConfigError, GenotypeError, did_you_mean
from awnas_core.options import Fraction, PositiveInt
from awnas_core.relaxation import Mixture
from awnas_core.roles.search_space import SearchSpace
from awnas_core.rollout import Arch, Rollout
from awnas_spaces.drawing import draw_cell
from awnas_spaces.genotype import Cell, CellGenotype, parse_genotype
from awnas_spaces.isomorphism import canonical_cell
from awnas_spaces.relaxed import Weights, cell_mixture, one_hot, strongest_inputs

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
        concat_nodes: Nodes that make up the output; all inner nodes by default.
        loose_end: The output is made of the inner nodes that no other inner node uses.
        shared_primitives: Operations to choose from.
        cell_shared_primitives: Operations of each group, instead of ``shared_primitives``.
        derive_without_none_op: A relaxed architecture never becomes one with the operation ``none``, as in DARTS.
        node_mutate_prob: Probability that a mutation changes where an input comes from, rather than its operation.

    Source: Pham et al., "Efficient Neural Architecture Search via Parameter Sharing", ICML 2018, section 2.4; Liu et
    al., "DARTS: Differentiable Architecture Search", ICLR 2019, section 2.1.
    """

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
        concat_op: str = "concat",
        concat_nodes: tuple[int, ...] | None = None,
        loose_end: bool = False,
        shared_primitives: tuple[str, ...] = DARTS_PRIMITIVES,
        cell_shared_primitives: tuple[tuple[str, ...], ...] | None = None,
        derive_without_none_op: bool = False,
        node_mutate_prob: Fraction = 0.5,
    ) -> None:
        self.num_cell_groups = num_cell_groups
        self.num_init_nodes = num_init_nodes
        self.num_layers = num_layers
        self.cell_layout = tuple(cell_layout) if cell_layout else _thirds(num_layers)
        self.reduce_cell_groups = tuple(reduce_cell_groups)
        self.num_steps = (num_steps,) * num_cell_groups if isinstance(num_steps, int) else tuple(num_steps)
        self.num_node_inputs = num_node_inputs
        self.concat_op = concat_op
        self.concat_nodes = concat_nodes
        self.loose_end = loose_end
        self.primitives = tuple(
            tuple(names) for names in cell_shared_primitives or (shared_primitives,) * num_cell_groups
        )
        self.derive_without_none_op = derive_without_none_op
        self.node_mutate_prob = node_mutate_prob
        self._decisions = Decisions(
            [d for group in range(num_cell_groups) for d in self._decisions_of(group)]
        )

    @classmethod
    def check_options(cls, options: Mapping[str, Any]) -> None:
        """Refuse layouts and lists that contradict the number of groups, layers or nodes."""
        groups, layout, steps = options["num_cell_groups"], options["cell_layout"], options["num_steps"]
        if layout is None and groups != 2:
            raise ConfigError(f"cell_layout is needed with {groups} cell groups: the group of each layer")
        if layout is not None and (len(layout) != options["num_layers"] or set(layout) - set(range(groups))):
            raise ConfigError(
                f"cell_layout must give a group 0 … {groups - 1} for each of {options['num_layers']} layers, "
                f"got {len(layout)}: {list(layout)}"
            )
        if set(options["reduce_cell_groups"]) - set(range(groups)):
            raise ConfigError(
                f"reduce_cell_groups must be among 0 … {groups - 1}, got {options['reduce_cell_groups']}"
            )
        for name, value in (
            ("num_steps", steps),
            ("cell_shared_primitives", options["cell_shared_primitives"]),
        ):
            if isinstance(value, (list, tuple)) and len(value) != groups:
                raise ConfigError(f"{name} lists {len(value)} groups, there are {groups}")
        groups_of_primitives = options["cell_shared_primitives"] or (options["shared_primitives"],)
        if options["derive_without_none_op"] and any(
            set(names) == {"none"} for names in groups_of_primitives
        ):
            raise ConfigError(
                "derive_without_none_op leaves nothing to choose where 'none' is the only primitive"
            )
        _check_output(options, min(steps) if isinstance(steps, (list, tuple)) else steps)

    @property
    def decisions(self) -> Decisions:
        """Per group and inner node: from-nodes, then operations."""
        return self._decisions

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

    def cells(self, arch: Arch) -> tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]:
        """Return for each group (from-nodes, codes of operations), both of length steps · inputs, node by node."""
        k = self.num_node_inputs
        cells = []
        for group, start in enumerate(self._starts):
            nodes: tuple[int, ...] = ()
            ops: tuple[int, ...] = ()
            for at in range(start, start + 2 * k * self.num_steps[group], 2 * k):
                nodes += arch[at : at + k]
                ops += arch[at + k : at + 2 * k]
            cells.append((nodes, ops))
        return tuple(cells)

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
        return CellGenotype(tuple(cells))

    def parse(self, text: str) -> Arch:
        """Read a genotype text.

        Raises: GenotypeError naming the cell, node or operation that is not of this space.
        """
        genotype = parse_genotype(text)
        given = {cell.name: cell for cell in genotype.cells}
        if set(given) != set(self.group_names):
            raise GenotypeError(
                f"the space has the cells {', '.join(self.group_names)}; the text has {', '.join(given)}"
            )
        codes: list[int] = []
        for group, name in enumerate(self.group_names):
            codes += self._codes_of(group, given[name])
        arch = tuple(codes)
        for group, (nodes, _) in enumerate(self.cells(arch)):
            name, expected = self.group_names[group], self._concat(group, nodes)
            if sorted(given[name].concat) != sorted(expected):
                raise GenotypeError(
                    f"{name}_concat must be {expected} in this space, got {given[name].concat}"
                )
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
        codes: list[int] = []
        for mixture in self.mixtures:
            if mixture.name not in relaxed:
                raise ConfigError(
                    f"no weights for '{mixture.name}'; there are {', '.join(relaxed) or 'none'}"
                )
            none = [mixture.choices.index("none")] if "none" in mixture.choices else []
            nodes = strongest_inputs(
                mixture,
                relaxed[mixture.name],
                relaxed.get(mixture.edges_key),
                self.num_node_inputs,
                without=none if self.derive_without_none_op else (),
            )
            for inputs in nodes:
                codes += [source for source, _ in inputs] + [operation for _, operation in inputs]
        return tuple(codes)

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
        parents = np.asarray(codes, dtype=np.int64)
        rows = np.arange(len(parents))
        group = rng.integers(len(self._columns), size=len(parents))
        kind = (rng.random(len(parents)) >= self.node_mutate_prob).astype(np.int64)
        table, lengths = self._columns_table
        kind = np.where(lengths[group, kind] > 0, kind, 1 - kind)  # a group may have nothing of the one kind
        place = (rng.random(len(parents)) * lengths[group, kind]).astype(np.int64)
        column = table[group, kind, place]
        count = self._decisions.cardinalities[column]
        shift = 1 + (rng.random(len(parents)) * (count - 1)).astype(np.int64)
        children = parents.copy()
        children[rows, column] = (parents[rows, column] + shift) % count
        return children

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

        Raises: ConfigError when groups of different size are to be mixed alike.
        """
        if not per_cell_group and len(set(self.num_steps)) > 1:
            raise ConfigError("per_cell_group=False needs the same num_steps in all groups")
        n, k = len(a), self.num_node_inputs
        masks: list[np.ndarray[Any, np.dtype[np.bool_]]] = []
        for steps in self.num_steps:
            if masks and not per_cell_group:
                masks.append(masks[0])
                continue
            shape = (n, steps if per_node else 1, 2 if sep_node_op else 1, k if per_connection else 1)
            masks.append(np.broadcast_to(rng.random(shape) < prob_1, (n, steps, 2, k)).reshape(n, -1))
        return np.where(np.concatenate(masks, axis=1), a, b)

    def plot(self, rollout: Rollout, path: Path) -> list[Path]:
        """Draw one SVG file for each cell, ``<path>-<group>.svg``."""
        files = []
        for cell in rollout.genotype.cells:
            file = path.with_name(f"{path.name}-{cell.name}.svg")
            file.write_text(draw_cell(cell, self.num_init_nodes, self.concat_op), encoding="utf-8")
            files.append(file)
        return files

    @cached_property
    def _starts(self) -> tuple[int, ...]:
        """Place of each group's first code."""
        lengths = [2 * self.num_node_inputs * steps for steps in self.num_steps]
        return tuple(sum(lengths[:group]) for group in range(self.num_cell_groups))

    @cached_property
    def _columns(self) -> list[tuple[list[int], list[int]]]:
        """For each group that can change at all: changeable (from-node, operation) columns."""
        k, cardinalities, groups = self.num_node_inputs, self._decisions.cardinalities, []
        for start, steps in zip(self._starts, self.num_steps, strict=True):
            columns = np.arange(start, start + 2 * k * steps).reshape(steps, 2, k)
            changeable = [
                [int(c) for c in columns[:, kind].ravel() if cardinalities[c] > 1] for kind in (0, 1)
            ]
            if any(changeable):
                groups.append((changeable[0], changeable[1]))
        if not groups:
            raise ConfigError("nothing can be mutated: every decision has a single choice")
        return groups

    @cached_property
    def _columns_table(self) -> tuple[Codes, Codes]:
        """:attr:`_columns` as (padded table ``(groups, 2, longest)``, lengths ``(groups, 2)``)."""
        lengths = np.array([[len(part) for part in group] for group in self._columns])
        table = np.zeros((*lengths.shape, lengths.max()), dtype=np.int64)
        for g, group in enumerate(self._columns):
            for kind, part in enumerate(group):
                table[g, kind, : len(part)] = part
        return table, lengths

    def _decisions_of(self, group: int) -> list[Decision]:
        decisions = []
        for step in range(self.num_steps[group]):
            at = f"{self.group_names[group]}.node_{self.num_init_nodes + step}"
            earlier = tuple(range(self.num_init_nodes + step))
            inputs = range(self.num_node_inputs)
            decisions += [Decision(f"{at}.from_{i}", earlier) for i in inputs]
            decisions += [Decision(f"{at}.op_{i}", self.primitives[group]) for i in inputs]
        return decisions

    def _concat(self, group: int, from_nodes: tuple[int, ...]) -> tuple[int, ...]:
        if self.concat_nodes is not None:
            return tuple(self.concat_nodes)
        inner = range(self.num_init_nodes, self.num_init_nodes + self.num_steps[group])
        return tuple(node for node in inner if not (self.loose_end and node in from_nodes))

    def _codes_of(self, group: int, cell: Cell) -> list[int]:
        k, names = self.num_node_inputs, self.primitives[group]
        codes: list[int] = []
        for node in range(self.num_init_nodes, self.num_init_nodes + self.num_steps[group]):
            incoming = [connection for connection in cell.connections if connection[2] == node]
            if len(incoming) != k:
                raise GenotypeError(f"{cell.name}: node {node} must have {k} inputs, got {len(incoming)}")
            for name, _, _ in incoming:
                if name not in names:
                    raise GenotypeError(
                        f"{cell.name}: no operation '{name}'{did_you_mean(name, names)}; there are {', '.join(names)}"
                    )
            codes += [source for _, source, _ in incoming] + [names.index(name) for name, _, _ in incoming]
        if len(cell.connections) != k * self.num_steps[group]:
            raise GenotypeError(
                f"{cell.name} must have {self.num_steps[group]} inner nodes of {k} inputs each"
            )
        return codes


def _thirds(layers: int) -> tuple[int, ...]:
    """Return group 1 at one and two thirds of the depth, group 0 elsewhere."""
    return tuple(int(i in (layers // 3, 2 * layers // 3)) for i in range(layers))


def _check_output(options: Mapping[str, Any], fewest_steps: int) -> None:
    nodes, first = options["concat_nodes"], options["num_init_nodes"]
    if options["concat_op"] not in ("concat", "sum", "mean", "mul"):
        raise ConfigError(f"concat_op must be concat, sum, mean or mul, got '{options['concat_op']}'")
    if nodes is None:
        return
    if options["loose_end"]:
        raise ConfigError("concat_nodes and loose_end exclude each other; give one")
    if not nodes or len(set(nodes)) != len(nodes) or set(nodes) - set(range(first, first + fewest_steps)):
        raise ConfigError(
            f"concat_nodes must be different inner nodes {first} … {first + fewest_steps - 1}, got {list(nodes)}"
        )
