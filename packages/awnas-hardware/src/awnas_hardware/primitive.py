"""The primitive: one layer of a network as a device sees it, whatever network it stands in."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from awnas_core.errors import ConfigError
from awnas_core.layers import LayerSpec

Shape = tuple[int, ...]
PrimitiveCounts = Mapping[str, float]
"""Text of a primitive → how often a network runs it."""

FREE = frozenset({"identity", "sequential", "dropout", "dropout1d", "dropout2d", "flatten", "unflatten"})
"""What does no work on a device once a network is trained; a sequence is listed as a layer when it is empty."""
SHORT = {"kernel_size": "k", "stride": "s", "dilation": "d", "groups": "g"}
"""Attributes that a device notices; paddings follow from the shapes."""

_TEXT = re.compile(r"(?P<op>[a-z_]\w*)\((?P<shapes>[\dx>-]+)(?P<attributes>(?:,[a-z]=[\dx]+)*)\)")
_CONVOLUTION = re.compile(r"conv[123]d$")
_BYTES = 4


@dataclass(frozen=True, slots=True)
class Primitive:
    """A layer with its sizes; equal layers of different networks are equal primitives.

    Args:
        op: ``"conv2d"``, ``"linear"``, ``"norm"``, ``"max_pool"``, ``"relu"``, …, as in
            :class:`awnas_core.layers.LayerSpec`.
        input_shape: Shape of its input without the batch, ``(C, H, W)`` or ``(features,)``.
        output_shape: Shape of its output without the batch.
        attributes: (letter, value) of the kernel ``k``, stride ``s``, dilation ``d`` and groups ``g`` that are not 1,
            ordered by letter.
    """

    op: str
    input_shape: Shape
    output_shape: Shape
    attributes: tuple[tuple[str, int | Shape], ...] = ()

    @classmethod
    def of(cls, layer: LayerSpec) -> Primitive:
        """Return the primitive that a layer is."""
        given = ((SHORT[name], _simple(value)) for name, value in layer.attributes if name in SHORT)
        attributes = tuple(sorted((letter, value) for letter, value in given if value != 1))
        return cls(_op(layer), tuple(layer.input_shape), tuple(layer.output_shape), attributes)

    @classmethod
    def parse(cls, text: str) -> Primitive:
        """Read what ``str()`` of a primitive wrote.

        Raises: ConfigError when the text has another form.
        """
        match = _TEXT.fullmatch(text)
        shapes = match["shapes"].split("->") if match else []
        if (
            match is None
            or not 1 <= len(shapes) <= 2
            or not all(re.fullmatch(r"\d+(x\d+)*", s) for s in shapes)
        ):
            raise ConfigError(
                f"a primitive reads like 'conv2d(16x32x32->24x16x16,k=3,s=2)' or 'relu(24x16x16)', got '{text}'"
            )
        pairs = (item.split("=") for item in match["attributes"].split(",")[1:])
        attributes = tuple(sorted((letter, _simple(_shape(value))) for letter, value in pairs))
        return cls(match["op"], _shape(shapes[0]), _shape(shapes[-1]), attributes)

    def __str__(self) -> str:
        shapes = dict.fromkeys(_times(shape) for shape in (self.input_shape, self.output_shape))
        attributes = "".join(f",{letter}={_times(value)}" for letter, value in self.attributes)
        return f"{self.op}({'->'.join(shapes)}{attributes})"

    @property
    def digest(self) -> str:
        """A hash that is the same in every process and version of Python."""
        return hashlib.sha256(str(self).encode()).hexdigest()[:16]

    @property
    def weights(self) -> int:
        """Parameters that the layer reads."""
        if self.op.startswith("conv"):
            return self._kernel * self.input_shape[0] // self._groups * self.output_shape[0]
        if self.op == "linear":
            return self.input_shape[-1] * self.output_shape[-1]
        return 2 * self.input_shape[0] if self.op == "norm" else 0

    @property
    def macs(self) -> int:
        """Multiply-adds for one example."""
        if self.op.startswith("conv"):
            return self._kernel * self.input_shape[0] // self._groups * math.prod(self.output_shape)
        return self.input_shape[-1] * math.prod(self.output_shape) if self.op == "linear" else 0

    @property
    def traffic(self) -> int:
        """Bytes read and written for one example, weights included, at four bytes a number."""
        return _BYTES * (math.prod(self.input_shape) + math.prod(self.output_shape) + self.weights)

    def fields(self) -> dict[str, Any]:
        """Return field → value, as texts, for telling primitives apart."""
        attributes = dict.fromkeys(SHORT, "1") | {
            name: _times(value)
            for name, letter in SHORT.items()
            for key, value in self.attributes
            if key == letter
        }
        return {
            "op": self.op,
            "input": _times(self.input_shape),
            "output": _times(self.output_shape),
            **attributes,
        }

    @property
    def _kernel(self) -> int:
        kernel = dict(self.attributes).get("k", 1)
        spatial = len(self.output_shape) - 1
        return int(math.prod(kernel)) if isinstance(kernel, tuple) else int(kernel**spatial)

    @property
    def _groups(self) -> int:
        groups = dict(self.attributes).get("g", 1)
        assert isinstance(groups, int), "the number of groups has one dimension"
        return groups


def primitives_of(layers: Iterable[LayerSpec]) -> dict[str, float]:
    """Return how often a network of ``layers`` runs each primitive, in the order of their first run."""
    counts: Counter[str] = Counter()
    for layer in layers:
        if layer.op not in FREE:
            counts[str(Primitive.of(layer))] += layer.calls
    return {text: float(count) for text, count in counts.items()}


def difference(text: str, known: Iterable[str]) -> str:
    """Return in which fields the primitive differs from the nearest of ``known``; empty when no other has its op."""
    wanted = Primitive.parse(text).fields()
    best: list[str] | None = None
    for other in known:
        if other.partition("(")[0] != wanted["op"]:
            continue
        fields = Primitive.parse(other).fields()
        differing = [
            f"{name} {wanted[name]} vs {value}" for name, value in fields.items() if wanted[name] != value
        ]
        if best is None or len(differing) < len(best):
            best = differing
    return ", ".join(best or ())


def _op(layer: LayerSpec) -> str:
    """Return what a layer does: a convolution is one whatever its class is called, a pool says which."""
    if match := _CONVOLUTION.search(layer.op):
        return match[0]
    mode = dict(layer.attributes).get("mode")
    return f"{mode}_{layer.op}" if mode else layer.op


def _simple(value: Any) -> int | Shape:
    """Return a size as one number where all its dimensions agree."""
    values = tuple(int(part) for part in value) if isinstance(value, (tuple, list)) else (int(value),)
    return values[0] if len(set(values)) == 1 else values


def _times(shape: int | Shape) -> str:
    return "x".join(map(str, shape)) if isinstance(shape, tuple) else str(shape)


def _shape(text: str) -> Shape:
    return tuple(int(part) for part in text.split("x"))
