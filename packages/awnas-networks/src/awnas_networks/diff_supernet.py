"""The supernet of gradient-based search."""

from __future__ import annotations

from torch import nn

from awnas_core.errors import ConfigError
from awnas_core.rollout import RelaxedRollout, Rollout
from awnas_networks.macro import CellSpace
from awnas_networks.relaxed_candidate import RelaxedCandidate
from awnas_networks.supernet import SuperNet


class DiffSuperNet(SuperNet):
    """Weights that all architectures of a cell space share, those that mix operations among them.

    A relaxed rollout runs every operation whose weight is not exactly 0; a discrete one walks just those it chose. The
    options are those of :class:`SuperNet`; batch normalisations in cells are best left without weights, so that the
    mixture alone scales an operation.

    Source: Liu et al., "DARTS: Differentiable Architecture Search", ICLR 2019; with ``partial_channel_proportion`` Xu
    et al., "PC-DARTS", ICLR 2020.
    """

    def assemble_candidate(self, rollout: Rollout) -> nn.Module:
        """Return the network of a discrete rollout, or the mixture that a relaxed one describes."""
        if isinstance(rollout, RelaxedRollout):
            return RelaxedCandidate(self.network, self.search_space, rollout.relaxed)
        return super().assemble_candidate(rollout)

    def _check_space(self, space: CellSpace) -> None:
        super()._check_space(space)
        if not space.mixtures:
            raise ConfigError(
                "this search space cannot be relaxed: its cells need as many inputs (num_init_nodes) as a node has "
                "(num_node_inputs)"
            )
