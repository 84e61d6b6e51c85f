"""A recurrent language model: embedding, stacked cells, decoder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from torch import Tensor, nn

from awnas_core.layers import LayerSpec
from awnas_text.cell import INIT_RANGE, CellSettings, CellWalk, Edge, RecurrentCell
from awnas_text.dropout import embed, keep_mask, locked_dropout
from awnas_torch.sequences import Chunk


class Outputs(NamedTuple):
    """What a language model returns for a chunk; T steps of B texts, V tokens, H features of the last cell.

    Args:
        logits: Scores of the next token, ``(T, B, V)``.
        raw: Hidden states of the last cell, ``(T, B, H)``.
        dropped: The same after dropout.
        state: The last hidden state of every cell, ``(B, H)`` each, without a graph.
    """

    logits: Tensor
    raw: Tensor
    dropped: Tensor
    state: tuple[Tensor, ...]

    def detach(self) -> Outputs:
        """Return the same without a graph."""
        return Outputs(self.logits.detach(), self.raw.detach(), self.dropped.detach(), self.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropout:
    """Probabilities of dropping, all for training only and all with one mask for all steps of a chunk.

    Args:
        emb: Of whole words.
        inp0: Of embeddings.
        inp: Of the input of every cell.
        hid: Of hidden states, wherever a matrix of a cell multiplies them.
        out: Of what is decoded.
    """

    emb: float = 0.0
    inp0: float = 0.0
    inp: float = 0.0
    hid: float = 0.0
    out: float = 0.0


class RecurrentNetwork(nn.Module):
    """The weights of a language model, for all edges that its cells may have.

    Args:
        num_tokens: V.
        edges: All edges of a cell.
        num_steps: Inner nodes of a cell.
        num_layers: Cells.
        num_emb: Features of embeddings, and with tied weights of the last hidden state.
        num_hid: Features of hidden states.
        tie_weight: The decoder's matrix is that of the embedding.
        decoder_bias: Whether the decoder has a bias.
        cell: Settings of cells.
        dropout: Probabilities of dropping.

    Source of tied weights: Press and Wolf, "Using the Output Embedding to Improve Language Models", EACL 2017.
    """

    def __init__(
        self,
        num_tokens: int,
        edges: Iterable[Edge],
        num_steps: int,
        num_layers: int,
        *,
        num_emb: int,
        num_hid: int,
        tie_weight: bool,
        decoder_bias: bool,
        cell: CellSettings,
        dropout: Dropout,
    ) -> None:
        super().__init__()
        self.dropout, self.tied = dropout, tie_weight
        hidden = [num_hid] * (num_layers - 1) + [num_emb if tie_weight else num_hid]
        self.encoder = nn.Embedding(num_tokens, num_emb)
        self.decoder = nn.Linear(hidden[-1], num_tokens, bias=decoder_bias)
        edges = list(edges)
        self.cells = nn.ModuleList(
            RecurrentCell(inputs, features, edges, num_steps, cell)
            for inputs, features in zip([num_emb, *hidden], hidden, strict=False)
        )
        nn.init.uniform_(self.encoder.weight, -INIT_RANGE, INIT_RANGE)
        nn.init.uniform_(self.decoder.weight, -INIT_RANGE, INIT_RANGE)
        if decoder_bias:
            nn.init.zeros_(self.decoder.bias)
        if tie_weight:
            self.decoder.weight = self.encoder.weight

    def walks(self, edges: Iterable[Edge], outputs: Sequence[int]) -> nn.ModuleList:
        """Return the way of one architecture through every cell."""
        edges = list(edges)
        return nn.ModuleList(CellWalk(cell, edges, outputs) for cell in self.cells)  # type: ignore[arg-type]

    def run(
        self, inputs: Chunk, walks: Iterable[Any], *, training: bool, weights: Tensor | None = None
    ) -> Outputs:
        """Return what the network makes of a chunk.

        Args:
            inputs: Tokens, and the state to go on from.
            walks: The way through every cell.
            training: Whether anything is dropped.
            weights: Of a mixture; see :class:`~awnas_text.cell.CellWalk`.
        """
        rates = self.dropout if training else Dropout()
        batch = inputs.tokens.shape[1]
        values = locked_dropout(embed(inputs.tokens, self.encoder.weight, rates.emb), rates.inp0)
        state = []
        for layer, walk in enumerate(walks):
            hidden = values.new_zeros(batch, walk.features) if inputs.state is None else inputs.state[layer]
            values = walk(
                values,
                hidden,
                input_mask=keep_mask((batch, walk.in_features), rates.inp, values) if rates.inp else None,
                hidden_mask=keep_mask((batch, walk.features), rates.hid, values) if rates.hid else None,
                weights=weights,
            )
            state.append(values[-1].detach())
        dropped = locked_dropout(values, rates.out)
        return Outputs(self.decoder(dropped), values, dropped, tuple(state))

    def layers(self, edges: Iterable[Edge]) -> list[LayerSpec]:
        """Return the layers of an architecture, as one token passes them; normalisations are free."""
        edges = list(edges)
        tokens, width = self.encoder.weight.shape
        found = [
            LayerSpec(
                name="encoder", op="embedding", input_shape=(), output_shape=(width,), params=tokens * width
            )
        ]
        for index, cell in enumerate(self.cells):
            assert isinstance(cell, RecurrentCell)
            found += _cell_layers(f"cells.{index}", cell, CellWalk(cell, edges, (1,)))
        inputs = self.decoder.in_features
        bias = tokens if self.decoder.bias is not None else 0
        found.append(
            LayerSpec(
                name="decoder",
                op="linear",
                input_shape=(inputs,),
                output_shape=(tokens,),
                params=bias + (0 if self.tied else inputs * tokens),
                macs=inputs * tokens,
            )
        )
        return found


def _cell_layers(name: str, cell: RecurrentCell, walk: CellWalk) -> list[LayerSpec]:
    """Return a linear layer for each matrix that is used."""
    features, joint = cell.features, cell.joint
    uses = [matrix for names in walk.names.values() for matrix in names]
    matrices = {"joint": (joint, 1), **{n: (walk.matrices[n], uses.count(n)) for n in walk.matrices}}
    found = [
        LayerSpec(
            name=f"{name}.{matrix}",
            op="linear",
            input_shape=(weight.shape[0],),
            output_shape=(2 * features,),
            params=weight.numel(),
            macs=count * weight.numel(),
            calls=count,
        )
        for matrix, (weight, count) in matrices.items()
    ]
    if cell.out_norm is not None:
        shape = (features,)
        found.append(
            LayerSpec(
                name=f"{name}.out_norm", op="norm", input_shape=shape, output_shape=shape, params=2 * features
            )
        )
    return found
