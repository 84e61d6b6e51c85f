"""Weights that are others for a while: nothing is copied back, what was there is there again afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from torch import Tensor, nn


@contextmanager
def weights_replaced(parameters: Iterable[nn.Parameter], values: Iterable[Tensor]) -> Iterator[None]:
    """Let parameters hold other values, also when the block ends with an error put the former ones back.

    The former tensors are set aside, not copied, so that they come back to the last bit. A graph that was made inside
    has to be used up inside.

    Args:
        parameters: Of a network.
        values: For each a tensor of its shape, which the block may change in place.
    """
    parameters = list(parameters)
    former = [parameter.data for parameter in parameters]
    try:
        for parameter, value in zip(parameters, values, strict=True):
            parameter.data = value
        yield
    finally:
        for parameter, value in zip(parameters, former, strict=True):
            parameter.data = value


@contextmanager
def weights_frozen(parameters: Iterable[nn.Parameter]) -> Iterator[None]:
    """Treat parameters as constants, so that graphs keep nothing for their gradients."""
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    for parameter in trained:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trained:
            parameter.requires_grad_(True)
