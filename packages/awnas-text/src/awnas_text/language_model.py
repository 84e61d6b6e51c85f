"""What supernets and final models of recurrent cells are made of: the network and its options."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import numpy as np
from torch import nn

from awnas_core.device import Device
from awnas_core.errors import ConfigError
from awnas_core.options import Fraction, PositiveFloat, PositiveInt
from awnas_core.relaxation import Mixture
from awnas_text.cell import CellSettings, Edge
from awnas_text.network import Dropout, RecurrentNetwork
from awnas_torch.device import resolve
from awnas_torch.seeding import seeded


class RecurrentSpace(Protocol):
    """What the networks here need to know of a search space; ``rnn`` offers it."""

    num_layers: int
    loose_end: bool

    @property
    def mixtures(self) -> tuple[Mixture, ...]:
        """The edges of the cell; empty for no relaxation."""

    def steps_of(self, group: int) -> int:
        """Number of inner nodes."""

    def primitives_of(self, group: int) -> tuple[str, ...]:
        """Activations."""

    def output_nodes(self, group: int) -> tuple[int, ...] | None:
        """Nodes whose mean is the hidden state; None where they vary."""

    def genotype(self, arch: tuple[int, ...]) -> Any:
        """The cell of an architecture."""

    def parse(self, text: str) -> tuple[int, ...]:
        """The architecture of a genotype text."""


class LanguageModel(nn.Module):
    """Holds a network with weights for a set of edges.

    Args:
        edges: All edges that a cell may have.
        num_emb: Features of embeddings, and with tied weights of the last hidden state.
        num_hid: Features of hidden states.
        tie_weight: Decode with the matrix of the embedding.
        decoder_bias: Whether the decoder has a bias.
        share_primitive_weights: One matrix for all activations between two nodes.
        share_from_weights: One matrix for everything that a node reads, as in DARTS.
        batchnorm_step: Normalise every inner node over the batch, as DARTS does while searching.
        batchnorm_edge: Normalise what every matrix returns.
        batchnorm_out: Normalise the hidden state.
        max_grad_norm: Gradients are clipped to this L2 norm; None for no clipping.
        dropout_emb: Dropout of whole words.
        dropout_inp0: Dropout of embeddings.
        dropout_inp: Variational dropout of a cell's input.
        dropout_hid: Variational dropout of hidden states inside a cell.
        dropout_out: Dropout of what is decoded.
    """

    def __init__(
        self,
        search_space: RecurrentSpace,
        device: Device,
        rng: np.random.Generator,
        num_tokens: int,
        edges: Iterable[Edge],
        *,
        num_emb: PositiveInt = 300,
        num_hid: PositiveInt = 300,
        tie_weight: bool = True,
        decoder_bias: bool = True,
        share_primitive_weights: bool = False,
        share_from_weights: bool = False,
        batchnorm_step: bool = False,
        batchnorm_edge: bool = False,
        batchnorm_out: bool = True,
        max_grad_norm: PositiveFloat | None = 5.0,
        dropout_emb: Fraction = 0.0,
        dropout_inp0: Fraction = 0.0,
        dropout_inp: Fraction = 0.0,
        dropout_hid: Fraction = 0.0,
        dropout_out: Fraction = 0.0,
    ) -> None:
        nn.Module.__init__(self)
        self.search_space = search_space
        self.max_grad_norm = max_grad_norm
        dropout = Dropout(
            emb=dropout_emb, inp0=dropout_inp0, inp=dropout_inp, hid=dropout_hid, out=dropout_out
        )
        with seeded(rng):
            self.network = RecurrentNetwork(
                num_tokens,
                edges,
                search_space.steps_of(0),
                search_space.num_layers,
                num_emb=num_emb,
                num_hid=num_hid,
                tie_weight=tie_weight,
                decoder_bias=decoder_bias,
                cell=CellSettings(
                    share_primitive_weights=share_primitive_weights,
                    share_from_weights=share_from_weights,
                    batchnorm_step=batchnorm_step,
                    batchnorm_edge=batchnorm_edge,
                    batchnorm_out=batchnorm_out,
                ),
                dropout=dropout,
            )
        self.to(resolve(device).torch_device)

    @classmethod
    def check_options(cls, options: Mapping[str, Any]) -> None:
        """Refuse to drop everything, and a sharing of matrices that leaves nothing to the other."""
        for name, rate in options.items():
            if name.startswith("dropout_") and rate == 1:
                raise ConfigError(f"{name} must be below 1: nothing would be left to scale up, got {rate}")
        if options["share_from_weights"] and options["share_primitive_weights"]:
            raise ConfigError(
                "share_from_weights has one matrix for a node, whatever its activations; set "
                "share_primitive_weights to false"
            )

    def state(self) -> dict[str, Any]:
        """Return all weights and running statistics."""
        return {"weights": dict(self.state_dict())}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take up weights.

        Raises: RuntimeError when they are of another network.
        """
        self.load_state_dict(state["weights"])


def edges_of(genotype: Any) -> list[Edge]:
    """Return the edges of a cell."""
    (cell,) = genotype.cells
    return [Edge(source, target, primitive) for primitive, source, target in cell.connections]


def all_edges(space: RecurrentSpace) -> list[Edge]:
    """Return every edge that a cell may have, in the order of the weights of its mixture."""
    pairs = [(source, node) for node in range(1, space.steps_of(0) + 1) for source in range(node)]
    every = [(*pair, primitive) for pair in pairs for primitive in space.primitives_of(0)]
    return [Edge(*edge, place) for place, edge in enumerate(every)]
