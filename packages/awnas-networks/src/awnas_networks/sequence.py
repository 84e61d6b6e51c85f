"""The network of a plain sequence of primitives."""

from __future__ import annotations

import functools

import numpy as np
from torch import Tensor, nn

from awnas_core.device import Device
from awnas_core.errors import ConfigError
from awnas_core.plugins.registry import Registry
from awnas_networks.network_final_model import NetworkFinalModel
from awnas_networks.primitives.table import PrimitiveTable
from awnas_spaces.general import GeneralSpace, PrimitiveCall


class GeneralFinalModel(NetworkFinalModel):
    """Primitives one after another, then a mean over the image and a linear classifier.

    Args:
        genotypes: Genotype text: the primitives, in order.
        no_fc: Return what the last primitive gives instead of logits.

    Raises: ConfigError when the first primitive does not take the images of the data set, or a later one not what the
    one before it gives.
    """

    def __init__(
        self,
        search_space: GeneralSpace,
        device: Device,
        rng: np.random.Generator,
        num_classes: int,
        input_shape: tuple[int, int, int],
        registry: Registry | None = None,
        *,
        genotypes: str,
        no_fc: bool = False,
    ) -> None:
        calls = search_space.genotype(search_space.parse(genotypes)).primitives
        _check_chain(calls, input_shape[0])
        classes = None if no_fc else num_classes
        make = functools.partial(_Sequence, PrimitiveTable(registry), calls, classes)
        super().__init__(make, input_shape, device, rng)


class _Sequence(nn.Module):
    def __init__(self, table: PrimitiveTable, calls: tuple[PrimitiveCall, ...], classes: int | None) -> None:
        super().__init__()
        self.primitives = nn.Sequential(
            *(
                table.build(
                    call.prim_type,
                    call.channels,
                    call.channels_out,
                    call.stride,
                    call.affine,
                    **call.arguments,
                )
                for call in calls
            )
        )
        self.classifier = None if classes is None else nn.Linear(calls[-1].channels_out, classes)

    def forward(self, images: Tensor) -> Tensor:
        outputs: Tensor = self.primitives(images)
        return outputs if self.classifier is None else self.classifier(outputs.mean((2, 3)))


def _check_chain(calls: tuple[PrimitiveCall, ...], image_channels: int) -> None:
    channels = image_channels
    for number, call in enumerate(calls):
        if call.channels != channels:
            raise ConfigError(
                f"primitive {number}, {call.prim_type}, takes {call.channels} channels, but gets {channels}"
            )
        channels = call.channels_out
