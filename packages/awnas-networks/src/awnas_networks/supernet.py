"""The supernet of cell spaces: one set of weights for every operation on every connection."""

from __future__ import annotations

import functools

import numpy as np

from awnas_core.device import Device
from awnas_core.errors import ConfigError
from awnas_core.options import Fraction, PositiveFloat, PositiveInt
from awnas_core.plugins.registry import Registry
from awnas_networks.cell_network import CellGroup, CellNetwork, MakeCell
from awnas_networks.cell_weights import CellWeights
from awnas_networks.macro import ELEMENTWISE, CellSpace
from awnas_networks.primitives.table import PrimitiveTable
from awnas_networks.shared_cell import SharedCell


class SuperNet(CellWeights):
    """Weights that all architectures of a cell space share.

    Args:
        init_channels: Channels of the first cell.
        stem_multiplier: The stem has so many times the channels of the first cell.
        max_grad_norm: Gradients of a candidate are clipped to this L2 norm; None for no clipping.
        dropout_rate: Dropout before the classifier.
        use_stem: Primitive of the stem, one for each input of the first cell, or None for the image itself.
        stem_stride: Stride of each stem.
        stem_affine: Whether batch normalisations of the stem have weights.
        cell_use_preprocess: Bring the inputs of a cell to its channels and resolution.
        preprocess_op_type: Primitive that does so, instead of a 1×1 convolution or a factorised reduction.
        cell_use_shortcut: Add the latest input of a cell to its output, from the second layer on.
        cell_shortcut_op_type: Primitive on the way.
        cell_group_kwargs: What the cells of each group do differently.
        bn_affine: Whether batch normalisations in cells have weights.

    Source: Pham et al., "Efficient Neural Architecture Search via Parameter Sharing", ICML 2018, section 2.4.
    """

    def __init__(
        self,
        search_space: CellSpace,
        device: Device,
        rng: np.random.Generator,
        num_classes: int,
        input_shape: tuple[int, int, int],
        registry: Registry | None = None,
        *,
        init_channels: PositiveInt = 16,
        stem_multiplier: PositiveInt = 3,
        max_grad_norm: PositiveFloat | None = 5.0,
        dropout_rate: Fraction = 0.1,
        use_stem: str | tuple[str, ...] | None = "conv_bn_3x3",
        stem_stride: PositiveInt = 1,
        stem_affine: bool = True,
        cell_use_preprocess: bool = True,
        preprocess_op_type: str | None = None,
        cell_use_shortcut: bool = False,
        cell_shortcut_op_type: str = "skip_connect",
        cell_group_kwargs: tuple[CellGroup, ...] | None = None,
        bn_affine: bool = False,
    ) -> None:
        self._check_space(search_space)
        make = functools.partial(
            CellNetwork,
            PrimitiveTable(registry),
            search_space,
            input_shape[0],
            num_classes,
            init_channels=init_channels,
            stem_channels=stem_multiplier * init_channels,
            dropout_rate=dropout_rate,
            stem=use_stem,
            stem_stride=stem_stride,
            stem_affine=stem_affine,
            use_preprocess=cell_use_preprocess,
            preprocess_op=preprocess_op_type,
            shortcut_op=cell_shortcut_op_type if cell_use_shortcut else None,
            groups=_per_group(cell_group_kwargs, search_space.num_cell_groups),
            bn_affine=bn_affine,
        )
        with_own_cells = functools.partial(make, make_cell=self._cell_maker())
        super().__init__(
            search_space, device, rng, input_shape, with_own_cells, make, max_grad_norm=max_grad_norm
        )

    def _cell_maker(self) -> MakeCell:
        """Return what makes the cells; called once, while the network is built."""
        return SharedCell

    def _check_space(self, space: CellSpace) -> None:
        """Refuse spaces whose architectures cannot share weights."""
        if space.loose_end and space.concat_op not in ELEMENTWISE:
            raise ConfigError(
                "a supernet cannot concatenate loose ends: the number of channels would differ between architectures; "
                f"set concat_op to one of {', '.join(ELEMENTWISE)}, or loose_end to false"
            )


def _per_group(given: tuple[CellGroup, ...] | None, groups: int) -> tuple[CellGroup, ...]:
    if given is None:
        return (CellGroup(),) * groups
    if len(given) != groups:
        raise ConfigError(f"cell_group_kwargs lists {len(given)} groups, the search space has {groups}")
    return given
