"""The language model of one found recurrent cell, built to be trained for real."""

from __future__ import annotations

from typing import Any

import numpy as np

from awnas_core.device import Device
from awnas_core.layers import LayerSpec
from awnas_core.roles.final import FinalModel
from awnas_text.language_model import LanguageModel, RecurrentSpace, edges_of
from awnas_text.network import Outputs
from awnas_torch.sequences import Chunk


class RnnModel(LanguageModel, FinalModel):
    """The network of a supernet with the weights of one genotype only.

    Args:
        genotypes: Genotype text.

    Source: Liu et al., "DARTS: Differentiable Architecture Search", ICLR 2019, section 3.3.
    """

    def __init__(
        self,
        search_space: RecurrentSpace,
        device: Device,
        rng: np.random.Generator,
        num_tokens: int,
        *,
        genotypes: str,
        **options: Any,
    ) -> None:
        genotype = search_space.genotype(search_space.parse(genotypes))
        super().__init__(search_space, device, rng, num_tokens, edges_of(genotype), **options)
        self.genotype = genotype
        (cell,) = genotype.cells
        # In a list, so that the weights have one name only.
        self._walks = [self.network.walks(edges_of(genotype), cell.concat)]

    def forward(self, inputs: Chunk) -> Outputs:
        """Return logits ``(T, B, V)`` and hidden states for a chunk."""
        return self.network.run(inputs, self._walks[0], training=self.training)

    def layers(self) -> list[LayerSpec]:
        """Return the layers, as one token passes them."""
        return self.network.layers(edges_of(self.genotype))
