"""The gate of CLOSE: which block of weights each connection of an architecture uses."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from awnas_core.errors import ConfigError
from awnas_core.options import Fraction, PositiveFloat, PositiveInt
from awnas_networks.close.flow_encoder import FlowEncoder
from awnas_networks.close.flow_graph import FlowGraph, GraphLayout


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSettings:
    """How connections are assigned to blocks of weights.

    Args:
        by: The assignment is made for each connection from its two ``nodes``, for all connections at once from the
            whole ``architecture``, or it is ``random``.
        temperature: Of the Gumbel-softmax, while the weights are trained; above 0.
        mlp_dims: Sizes of the hidden layers after the encoder.
        mlp_dropout: Dropout after each of them.
        op_dim: Size of the encoder's representation of an operation.
        node_dim: Size of its first representation of a node.
        hidden_dim: The same, after a linear layer.
        flow_dims: Sizes after each step of the encoder's flow.
        renew: What starts anew when a block is added: nothing but the ``new`` block's row of the last layer, which goes
            out from that of the block before; the ``last-layer``; or ``all`` layers after the encoder.
    """

    by: Literal["nodes", "architecture", "random"] = "nodes"
    temperature: PositiveFloat = 5.0
    mlp_dims: tuple[PositiveInt, ...] = (200, 200, 200)
    mlp_dropout: Fraction = 0.1
    op_dim: PositiveInt = 32
    node_dim: PositiveInt = 32
    hidden_dim: PositiveInt = 32
    flow_dims: tuple[PositiveInt, ...] = (64, 64, 64, 64)
    renew: Literal["new", "last-layer", "all"] = "new"

    def __post_init__(self) -> None:
        if not self.flow_dims:
            raise ConfigError("flow_dims must give the size after at least one step")


class Gate(nn.Module):
    """Logits of blocks for every connection of an architecture.

    Args:
        layout: How nodes and connections are numbered.
        settings: What it looks at.
        num_blocks: Blocks, K.

    Source: Zhou et al., "CLOSE: Curriculum Learning On the Sharing Extent Towards Better One-shot NAS", ECCV 2022,
    section 3.2.
    """

    def __init__(self, layout: GraphLayout, settings: GateSettings, num_blocks: int) -> None:
        super().__init__()
        self._by_nodes, self._num_blocks = settings.by == "nodes", num_blocks
        self._renew, self._inner = settings.renew, layout.inner
        self.encoder = FlowEncoder(
            layout,
            op_dim=settings.op_dim,
            node_dim=settings.node_dim,
            hidden_dim=settings.hidden_dim,
            flow_dims=settings.flow_dims,
        )
        seen, answers = (2, 1) if self._by_nodes else (len(layout.inner), layout.num_places)
        sizes = [seen * settings.flow_dims[-1], *settings.mlp_dims]
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(sizes):
            layers += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(settings.mlp_dropout)]
        self.mlp = nn.Sequential(*layers)
        self.last = nn.Linear(sizes[-1], answers * num_blocks)

    def forward(self, graph: FlowGraph) -> Tensor:
        """Return logits ``(M, K)`` for the M connections of an architecture."""
        nodes = self.encoder(graph)
        if self._by_nodes:
            ends = torch.cat([nodes[graph.sources], nodes[graph.targets]], 1)
            logits: Tensor = self.last(self.mlp(ends))
            return logits
        whole = torch.cat([nodes[first:end].mean(0) for first, end in self._inner])
        every_place: Tensor = self.last(self.mlp(whole))
        return every_place.view(-1, self._num_blocks)[graph.places]

    @torch.no_grad()
    def add_block(self, block: int, parent: int) -> None:
        """Get ready to choose ``block``, which starts as a copy of ``parent``."""
        if self._renew == "new":
            for values in (self.last.weight, self.last.bias):
                rows = values.view(-1, self._num_blocks, *values.shape[1:])
                rows[:, block] += rows[:, parent]  # its own initial values break the tie
            return
        self.last.reset_parameters()
        for layer in self.mlp if self._renew == "all" else ():
            if isinstance(layer, nn.Linear):
                layer.reset_parameters()


class RandomGate(nn.Module):
    """Any block for any connection, for comparison: drawn anew in training, fixed for an architecture otherwise.

    Args:
        num_blocks: Blocks, K.
    """

    def __init__(self, num_blocks: int) -> None:
        super().__init__()
        self._num_blocks = num_blocks

    def forward(self, graph: FlowGraph) -> Tensor:
        """Return logits ``(M, K)``: all alike in training."""
        shape = len(graph.operations), self._num_blocks
        if self.training:
            return torch.zeros(shape, device=graph.operations.device)
        architecture = repr((graph.operations.tolist(), graph.places.tolist()))
        generator = torch.Generator().manual_seed(zlib.crc32(architecture.encode()))
        return torch.rand(shape, generator=generator).to(graph.operations.device)

    def add_block(self, block: int, parent: int) -> None:
        """Do nothing: there is nothing to learn."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The blocks that the connections of a cell use.

    Args:
        blocks: One for each connection.
        weights: For each connection a scalar of value 1 that carries the gradient of the choice; None without one.
    """

    blocks: Sequence[int]
    weights: Sequence[Tensor] | None = None


def choose(logits: Tensor, temperature: float, sizes: Sequence[int], *, training: bool) -> list[Choice]:
    """Return the choice of every cell group.

    In training blocks are drawn by the Gumbel-softmax, straight through: forward, one block alone counts, and the
    gradient is that of its probability. Otherwise each connection uses its most likely block.

    Args:
        logits: ``(M, K)`` for the connections of all groups.
        temperature: Of the Gumbel-softmax.
        sizes: Connections of each group, M in all.
        training: Whether to draw.

    Source: Jang et al., "Categorical Reparameterization with Gumbel-Softmax", ICLR 2017; that only what was drawn is
    computed, Dong and Yang, "Searching for a Robust Neural Architecture in Four GPU Hours", CVPR 2019, eq. 5.
    """
    weights: Sequence[Tensor] | None = None
    if training:
        # On the CPU, so that a run draws the same on every device, and waits for the device once.
        noise = -torch.empty(logits.shape).exponential_().log()
        probabilities = torch.softmax((logits + noise.to(logits.device)) / temperature, 1)
        chosen = probabilities.argmax(1)
        drawn = probabilities.gather(1, chosen.unsqueeze(1)).squeeze(1)
        weights = (drawn - drawn.detach() + 1).unbind()
    else:
        chosen = logits.argmax(1)
    blocks = chosen.tolist()
    bounds = itertools.pairwise([0, *itertools.accumulate(sizes)])
    return [Choice(blocks[a:b], None if weights is None else weights[a:b]) for a, b in bounds]
