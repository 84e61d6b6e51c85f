"""The supernet of gradient-based search."""

from __future__ import annotations

from awnas_core.errors import ConfigError
from awnas_networks.cell_weights import RelaxedCellWeights
from awnas_networks.macro import CellSpace
from awnas_networks.supernet import SuperNet


class DiffSuperNet(RelaxedCellWeights, SuperNet):
    """Weights that all architectures of a cell space share, those that mix operations among them.

    The options are those of :class:`SuperNet`.

    Source: Liu et al., "DARTS: Differentiable Architecture Search", ICLR 2019; with ``partial_channel_proportion`` Xu
    et al., "PC-DARTS", ICLR 2020.
    """

    def _check_space(self, space: CellSpace) -> None:
        super()._check_space(space)
        if not space.mixtures:
            raise ConfigError(
                "this search space cannot be relaxed: its cells need as many inputs (num_init_nodes) as a node has "
                "(num_node_inputs)"
            )
