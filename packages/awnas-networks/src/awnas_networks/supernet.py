"""The supernet of cell spaces: one set of weights for every operation on every connection."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor, nn

from awnas_core.device import Device
from awnas_core.errors import ConfigError
from awnas_core.layers import LayerSpec
from awnas_core.options import Fraction, PositiveFloat, PositiveInt
from awnas_core.plugins.registry import Registry
from awnas_core.roles.weights_manager import WeightsManager
from awnas_core.rollout import Arch, Rollout
from awnas_networks.macro import ELEMENTWISE, CellSpace, plan_layers, spread_stem, stem_names
from awnas_networks.primitives.table import PrimitiveTable
from awnas_networks.shared_cell import CellWalk, SharedCell
from awnas_torch.counting import count_layers
from awnas_torch.device import resolve
from awnas_torch.seeding import seeded

CACHED_CANDIDATES = 64


class SuperNet(WeightsManager, nn.Module):
    """Weights that all architectures of a cell space share.

    A candidate borrows the modules it uses and walks them; nothing is copied, and its ``parameters()`` are its own
    active ones only.

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
        bn_affine: bool = False,
    ) -> None:
        nn.Module.__init__(self)
        if search_space.loose_end and search_space.concat_op not in ELEMENTWISE:
            raise ConfigError(
                "a supernet cannot concatenate loose ends: the number of channels would differ between architectures; "
                f"set concat_op to one of {', '.join(ELEMENTWISE)}, or loose_end to false"
            )
        self.max_grad_norm = max_grad_norm
        self.input_shape = tuple(input_shape)
        self._device = resolve(device)
        self._make = functools.partial(
            _SharedNetwork,
            PrimitiveTable(registry),
            search_space,
            self.input_shape[0],
            num_classes,
            init_channels=init_channels,
            stem_channels=stem_multiplier * init_channels,
            dropout_rate=dropout_rate,
            stem=use_stem,
            stem_stride=stem_stride,
            stem_affine=stem_affine,
            use_preprocess=cell_use_preprocess,
            preprocess_op=preprocess_op_type,
            bn_affine=bn_affine,
        )
        self._blueprints: list[_SharedNetwork] = []  # a list, so that it is no part of the module
        with seeded(rng):
            self.network = self._make()
        self.to(self._device.torch_device, memory_format=self._device.memory_format)  # type: ignore[call-overload]
        self._candidates: OrderedDict[Arch, Candidate] = OrderedDict()

    def assemble_candidate(self, rollout: Rollout) -> Candidate:
        """Return the network of ``rollout``; the last few dozen are kept."""
        candidate = self._candidates.pop(rollout.arch, None) or self.network.candidate(rollout)
        self._candidates[rollout.arch] = candidate
        if len(self._candidates) > CACHED_CANDIDATES:
            self._candidates.popitem(last=False)
        return candidate

    def layers(self, rollout: Rollout) -> list[LayerSpec]:
        """Return the layers that ``rollout`` uses."""
        return count_layers(lambda: self._blueprint().candidate(rollout), self.input_shape)

    def _blueprint(self) -> _SharedNetwork:
        """Return the network without weights, built once: called with the meta device as default."""
        if not self._blueprints:
            self._blueprints.append(self._make())
        return self._blueprints[0]

    def state(self) -> dict[str, Any]:
        """Return all weights and running statistics."""
        return {"weights": dict(self.state_dict())}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take up weights.

        Raises: RuntimeError when they are of another network.
        """
        self.load_state_dict(state["weights"])


class _SharedNetwork(nn.Module):
    """Stem, shared cells and classifier."""

    def __init__(
        self,
        table: PrimitiveTable,
        space: CellSpace,
        image_channels: int,
        num_classes: int,
        *,
        init_channels: int,
        stem_channels: int,
        dropout_rate: float,
        stem: str | tuple[str, ...] | None,
        stem_stride: int,
        stem_affine: bool,
        use_preprocess: bool,
        preprocess_op: str | None,
        bn_affine: bool,
    ) -> None:
        super().__init__()
        self.space = space
        self.stems, channels, strides = build_stem(
            table, stem, space.num_init_nodes, image_channels, stem_channels, stem_stride, stem_affine
        )
        self.spread = functools.partial(spread_stem, stem)
        plans = plan_layers(space, channels, strides, init_channels, functools.partial(concat_size, space))
        self.cells = nn.ModuleList(
            SharedCell(
                table,
                space,
                plan,
                bn_affine=bn_affine,
                use_preprocess=use_preprocess,
                preprocess_op=preprocess_op,
            )
            for plan in plans
        )
        self.dropout = nn.Dropout(dropout_rate)
        self.classifier = nn.Linear(plans[-1].channels_out, num_classes)

    def candidate(self, rollout: Rollout) -> Candidate:
        """Return the network of ``rollout``."""
        cells = rollout.genotype.cells
        walks = [cell.walk(cells[g]) for cell, g in zip(self.cells, self.space.cell_layout, strict=True)]  # type: ignore[operator]
        return Candidate(self, walks)


class Candidate(nn.Module):
    """One architecture with the weights of the supernet; its members are the modules it uses and no others."""

    def __init__(self, network: _SharedNetwork, walks: list[CellWalk]) -> None:
        super().__init__()
        self.stems = network.stems
        self.cells = nn.ModuleList(walks)
        self.dropout = network.dropout
        self.classifier = network.classifier
        self._spread = network.spread
        self._num_inputs = network.space.num_init_nodes

    def forward(self, images: Tensor) -> Tensor:
        """Return logits ``(N, classes)`` for images ``(N, C, H, W)``."""
        outputs: list[Tensor] = []
        for stem in self.stems:
            outputs.append(stem(outputs[-1] if outputs else images))
        states = self._spread(outputs, images, self._num_inputs)
        for cell in self.cells:
            states = [*states[1:], cell(states)]
        pooled = states[-1].mean((2, 3))
        logits: Tensor = self.classifier(self.dropout(pooled))
        return logits


def concat_size(space: CellSpace, group: int) -> int:
    """Return how many nodes make up the output of the group's cells, at most."""
    nodes = space.output_nodes(group)
    return space.steps_of(group) if nodes is None else len(nodes)


def build_stem(
    table: PrimitiveTable,
    stem: str | tuple[str, ...] | None,
    num_inputs: int,
    image_channels: int,
    channels: int,
    stride: int,
    affine: bool,
) -> tuple[nn.ModuleList, list[int], list[int]]:
    """Return the stem, and channels and relative stride of what it gives to each input of the first cell."""
    names = stem_names(stem, num_inputs)
    modules = nn.ModuleList(
        table.build(name, channels if i else image_channels, channels, stride, affine)
        for i, name in enumerate(names)
    )
    if not names:
        return modules, [image_channels] * num_inputs, [1] * num_inputs
    listed = not isinstance(stem, str)
    return modules, [channels] * num_inputs, [stride**i if listed else 1 for i in range(num_inputs)]
