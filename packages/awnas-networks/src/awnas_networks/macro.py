"""How cells are stacked: channels, strides and inputs of every layer; the same in supernets and final models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from awnas_core.errors import ConfigError
from awnas_core.relaxation import Mixture

ELEMENTWISE = ("sum", "mean", "mul")
Stem = str | tuple[str, ...] | None


class CellShape(Protocol):
    """What a cell needs to know of itself."""

    @property
    def concat_op(self) -> str:
        """How its output is made of nodes."""

    def steps_of(self, group: int) -> int:
        """Number of inner nodes of the group's cells."""

    def primitives_of(self, group: int) -> tuple[str, ...]:
        """Operations of the group."""

    def output_nodes(self, group: int) -> tuple[int, ...] | None:
        """Nodes that make up the output of the group's cells; None where they vary."""


class RelaxableSpace(Protocol):
    """A search space that may be relaxed."""

    @property
    def mixtures(self) -> tuple[Mixture, ...]:
        """For each group the edges of its cells, ordered by destination and source; empty for no relaxation."""


class CellSpace(CellShape, RelaxableSpace, Protocol):
    """What the networks here need to know of a search space; ``cnn`` and its relatives offer it."""

    num_cell_groups: int
    num_init_nodes: int
    num_layers: int
    cell_layout: tuple[int, ...]
    loose_end: bool

    def is_reduce(self, group: int) -> bool:
        """Whether cells of the group halve the resolution."""

    def genotype(self, arch: tuple[int, ...]) -> Any:
        """The cells of an architecture."""

    def parse(self, text: str) -> tuple[int, ...]:
        """The architecture of a genotype text."""


@dataclass(frozen=True, slots=True)
class InputPlan:
    """One input of a cell.

    Args:
        channels: Its channels.
        stride: How much finer it is than the latest input; its preprocessing makes up for that.
    """

    channels: int
    stride: int


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """One cell of the stack.

    Args:
        group: Its cell group.
        inputs: Its inputs, oldest first.
        channels: Channels of its nodes.
        stride: 2 where it halves the resolution.
        channels_out: Channels of its output.
        reduction: Total stride of its output, counted from the stem's first output.
    """

    group: int
    inputs: tuple[InputPlan, ...]
    channels: int
    stride: int
    channels_out: int
    reduction: int


def plan_layers(
    space: CellSpace,
    stem_channels: Sequence[int],
    stem_strides: Sequence[int],
    init_channels: int,
    concat_size: Callable[[int], int],
    layer_channels: Sequence[int] = (),
) -> list[LayerPlan]:
    """Return the plan of every layer.

    Args:
        space: Layout of the stack.
        stem_channels: Channels of what the stem gives to each input of the first cell.
        stem_strides: Total stride of each of these, relative to the first.
        init_channels: Channels of the first cell; doubled at every reduction.
        concat_size: Group → number of nodes in the output of its cells.
        layer_channels: Channels of each layer instead, one more in front for the stem; empty for the rule.

    Raises: ConfigError when ``layer_channels`` does not fit the number of layers.
    """
    if layer_channels and len(layer_channels) != space.num_layers + 1:
        raise ConfigError(
            f"layer_channels must list {space.num_layers + 1} numbers, got {len(layer_channels)}"
        )
    states = list(zip(stem_channels, stem_strides, strict=True))
    channels, plans = init_channels, []
    for layer, group in enumerate(space.cell_layout):
        stride = 2 if space.is_reduce(group) else 1
        channels = layer_channels[layer + 1] if layer_channels else channels * stride
        latest = states[-1][1]
        inputs = tuple(InputPlan(c, latest // s) for c, s in states[-space.num_init_nodes :])
        out = channels if space.concat_op in ELEMENTWISE else channels * concat_size(group)
        plans.append(LayerPlan(group, inputs, channels, stride, out, latest * stride))
        states.append((out, latest * stride))
    return plans


def stem_names(stem: Stem, num_init_nodes: int) -> tuple[str, ...]:
    """Return the primitives of the stem, none for the image itself.

    Raises: ConfigError when a list does not give one for each input of the first cell.
    """
    if not stem:
        return ()
    if isinstance(stem, str):
        return (stem,)
    if len(stem) != num_init_nodes:
        raise ConfigError(f"use_stem lists {len(stem)} primitives, the cells have {num_init_nodes} inputs")
    return tuple(stem)


def spread_stem(stem: Stem, outputs: list[Any], inputs: Any, num_init_nodes: int) -> list[Any]:
    """Return what each input of the first cell gets: the image, the one output, or each its own."""
    if not outputs:
        return [inputs] * num_init_nodes
    return outputs if isinstance(stem, (list, tuple)) else outputs * num_init_nodes
