"""The supernet of gradient-based search over recurrent cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from awnas_core.device import Device
from awnas_core.errors import ConfigError
from awnas_core.relaxation import Mixture
from awnas_core.rollout import RelaxedRollout, Rollout
from awnas_networks.relaxed_candidate import active_choices, over_batch
from awnas_text.language_model import RecurrentSpace, all_edges
from awnas_text.network import Outputs, RecurrentNetwork
from awnas_text.supernet import RnnSuperNet
from awnas_torch.sequences import Chunk


class RnnDiffSuperNet(RnnSuperNet):
    """Weights that all recurrent cells share, those that mix activations among them.

    A relaxed rollout runs every operation whose weight is not exactly 0; a discrete one walks just those it chose.

    Source: Liu et al., "DARTS: Differentiable Architecture Search", ICLR 2019, section 2.2.
    """

    def __init__(
        self,
        search_space: RecurrentSpace,
        device: Device,
        rng: np.random.Generator,
        num_tokens: int,
        **options: Any,
    ) -> None:
        if not search_space.mixtures or search_space.loose_end:
            raise ConfigError(
                "this search space cannot be relaxed: a node must have one input (num_node_inputs: 1), and all nodes "
                "make up the hidden state (loose_end: false)"
            )
        super().__init__(search_space, device, rng, num_tokens, **options)

    def assemble_candidate(self, rollout: Rollout) -> nn.Module:
        """Return the network of a discrete rollout, or the mixture that a relaxed one describes."""
        if not isinstance(rollout, RelaxedRollout):
            return super().assemble_candidate(rollout)
        outputs = self.search_space.output_nodes(0)
        assert outputs is not None, "loose ends are refused"
        edges = all_edges(self.search_space)
        (mixture,) = self.search_space.mixtures
        return RelaxedRecurrentCandidate(self.network, mixture, edges, outputs, rollout.relaxed)


class RelaxedRecurrentCandidate(nn.Module):
    """The supernet, its operations weighted by one relaxed architecture.

    Args:
        network: The supernet.
        mixture: The edges of a cell; E edges, P choices.
        edges: Its E · P operations.
        outputs: Nodes whose mean is the hidden state.
        relaxed: Weights ``(E, P)``, or ``(E, S, P)`` for S samples that take turns over the texts; and perhaps weights
            of the edges ``(E,)``.

    Raises: ConfigError for weights of another shape.
    """

    def __init__(
        self,
        network: RecurrentNetwork,
        mixture: Mixture,
        edges: Sequence[Any],
        outputs: Sequence[int],
        relaxed: Mapping[str, Any],
    ) -> None:
        super().__init__()
        self.network = network
        self._mixture, self._edges, self._outputs = mixture, edges, outputs
        device = network.encoder.weight.device
        self._relaxed = {
            key: torch.as_tensor(value, device=device).detach() for key, value in relaxed.items()
        }
        active = active_choices(mixture, relaxed)
        # In lists, so that they are no parts of the module beside the network that they borrow from.
        self._walks = [network.walks([e for e, a in zip(edges, active, strict=True) if a], outputs)]
        self._whole: list[nn.ModuleList] = self._walks if all(active) else []

    def forward(self, inputs: Chunk, relaxed: Mapping[str, Tensor] | None = None) -> Outputs:
        """Return logits ``(T, B, V)`` and hidden states for a chunk.

        Args:
            inputs: B must be a multiple of S.
            relaxed: The same weights as leaves, when their gradient is wanted: then operations of weight 0 are run
                too. Without it they are left out.
        """
        if relaxed is not None and not self._whole:
            self._whole = [self.network.walks(self._edges, self._outputs)]
        (walks,) = self._walks if relaxed is None else self._whole
        weights = self._flat(self._relaxed if relaxed is None else relaxed, inputs.tokens.shape[1])
        return self.network.run(inputs, walks, training=self.training, weights=weights)

    def _flat(self, relaxed: Mapping[str, Tensor], batch: int) -> Tensor:
        """Return weights ``(E·P,)`` or ``(E·P, B)``."""
        weights, edges = relaxed[self._mixture.name], relaxed.get(self._mixture.edges_key)
        if edges is not None:
            weights = weights * edges.view(-1, *[1] * (weights.dim() - 1))
        if weights.dim() == 2:
            return weights.reshape(-1)
        return over_batch(weights, batch)
