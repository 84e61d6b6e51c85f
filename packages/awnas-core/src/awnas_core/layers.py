"""The layers of an architecture as plain facts, for counting, showing and predicting cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSpec:
    """One layer of one architecture, described without torch.

    Args:
        name: Path of the layer in the network, unique.
        op: ``"conv2d"``, ``"linear"``, ``"batch_norm"``, ``"pool"``, ``"activation"``, ``"add"``, ….
        input_shape: Shape of its input without the batch, ``(C, H, W)`` or ``(features,)``.
        output_shape: Shape of its output without the batch.
        params: Number of trainable parameters.
        macs: Multiply-adds for one example (one multiply-add = 1; FLOPs are twice that).
        attributes: What else defines the cost: ``kernel_size``, ``stride``, ``groups``, ….
        calls: How often one forward pass runs the layer. ``macs`` counts all of them.
    """

    name: str
    op: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    params: int = 0
    macs: int = 0
    attributes: tuple[tuple[str, Any], ...] = ()
    calls: int = 1

    def to_record(self) -> dict[str, Any]:
        """Return the layer as JSON data."""
        return asdict(self) | {"attributes": dict(self.attributes)}


@dataclass(frozen=True, slots=True)
class Cost:
    """What a network costs: trainable parameters and multiply-adds for one example."""

    params: int
    macs: int

    @property
    def flops(self) -> int:
        """Floating-point operations: two for each multiply-add."""
        return 2 * self.macs


def total_cost(layers: Iterable[LayerSpec]) -> Cost:
    """Return the sum over ``layers``."""
    params = macs = 0
    for layer in layers:
        params += layer.params
        macs += layer.macs
    return Cost(params, macs)
