"""The supernet of recurrent cells."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
from torch import nn

from awnas_core.device import Device
from awnas_core.layers import LayerSpec
from awnas_core.roles.weights_manager import WeightsManager
from awnas_core.rollout import Arch, Rollout
from awnas_text.language_model import LanguageModel, RecurrentSpace, all_edges, edges_of
from awnas_text.network import Outputs, RecurrentNetwork
from awnas_torch.sequences import Chunk

CACHED_CANDIDATES = 64


class RnnSuperNet(LanguageModel, WeightsManager):
    """Weights that all recurrent cells share: a matrix for every activation between every two nodes.

    A candidate borrows those it uses; nothing is copied, and its ``parameters()`` are its own active ones only.

    Source: Pham et al., "Efficient Neural Architecture Search via Parameter Sharing", ICML 2018, section 2.1.
    """

    def __init__(
        self,
        search_space: RecurrentSpace,
        device: Device,
        rng: np.random.Generator,
        num_tokens: int,
        **options: Any,
    ) -> None:
        super().__init__(search_space, device, rng, num_tokens, all_edges(search_space), **options)
        self._candidates: OrderedDict[Arch, nn.Module] = OrderedDict()

    def assemble_candidate(self, rollout: Rollout) -> nn.Module:
        """Return the network of ``rollout``; the last few dozen are kept."""
        candidate = self._candidates.pop(rollout.arch, None)
        if candidate is None:
            (cell,) = rollout.genotype.cells
            walks = self.network.walks(edges_of(rollout.genotype), cell.concat)
            candidate = RecurrentCandidate(self.network, walks)
        self._candidates[rollout.arch] = candidate
        if len(self._candidates) > CACHED_CANDIDATES:
            self._candidates.popitem(last=False)
        return candidate

    def layers(self, rollout: Rollout) -> list[LayerSpec]:
        """Return the layers that ``rollout`` uses."""
        return self.network.layers(edges_of(rollout.genotype))


class RecurrentCandidate(nn.Module):
    """One architecture with the weights of the supernet; its members are what it uses and nothing else.

    Args:
        network: The supernet.
        walks: The way through each of its cells.
    """

    def __init__(self, network: RecurrentNetwork, walks: nn.ModuleList) -> None:
        super().__init__()
        self.encoder, self.decoder, self.walks = network.encoder, network.decoder, walks
        self._run = network.run

    def forward(self, inputs: Chunk) -> Outputs:
        """Return logits ``(T, B, V)`` and hidden states for a chunk."""
        return self._run(inputs, self.walks, training=self.training)
