"""Search spaces whose latencies others published: how their architectures read, and what their parts are.

A part of a network is a primitive here too, under the name that its table gives it: ``3:k5_e6`` is the block of layer 3
of FBNet with a 5×5 kernel and expansion 6.
"""

from __future__ import annotations

import itertools
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from awnas_core.errors import ConfigError, GenotypeError, did_you_mean
from awnas_hardware.vocabulary import Matrix

SIZED = "@"
"""Marks parts whose number is that of pixels relative to an input of 224×224."""
_MILLION = 1e6


class Facts(NamedTuple):
    """Millions of multiply-adds, megabytes of activations and of weights, and convolutions of a part of a network."""

    macs: float = 0.0
    traffic: float = 0.0
    weights: float = 0.0
    convolutions: float = 0.0


class PublishedSpace(ABC):
    """How the architectures of one table read."""

    name: str
    example: str

    @abstractmethod
    def primitives(self, genotype: str) -> dict[str, float]:
        """Return how often an architecture has each part.

        Raises: GenotypeError when the text is no architecture of the space.
        """

    @abstractmethod
    def facts(self, part: str) -> Facts:
        """Return what is known of one part."""

    @abstractmethod
    def kind(self, part: str) -> str:
        """Return what the part is wherever it stands."""

    def descriptors(self, names: Sequence[str]) -> Matrix:
        """Return what is known of each part without measuring: one run, :meth:`facts`, and one run of its kind."""
        kinds = sorted({self.kind(name) for name in names})
        rows = np.zeros((len(names), 5 + len(kinds)))
        for row, name in zip(rows, names, strict=True):
            row[0], row[1:5] = 1, self.facts(name)
            row[5 + kinds.index(self.kind(name))] = 1
        return rows

    def _refuse(self, genotype: str, why: str) -> GenotypeError:
        return GenotypeError(
            f"{why} in '{genotype}'; an architecture of {self.name} reads like '{self.example}'"
        )


class FBNet(PublishedSpace):
    """22 layers, a block of nine in each (Wu et al., "FBNet", CVPR 2019, tables 1 and 2)."""

    name = "fbnet"
    example = " ".join(["k3_e6", "skip", "k5_e1_g2", *["k3_e3"] * 19])
    blocks = ("k3_e1", "k3_e1_g2", "k3_e3", "k3_e6", "k5_e1", "k5_e1_g2", "k5_e3", "k5_e6", "skip")
    stages = ((16, 1, 1), (24, 4, 2), (32, 4, 2), (64, 4, 2), (112, 4, 1), (184, 4, 2), (352, 1, 1))
    """Channels, layers and stride of each stage."""

    def __init__(self) -> None:
        self._layers = list(_layers(16, 112, self.stages))

    def primitives(self, genotype: str) -> dict[str, float]:
        """Return the blocks; ``"k3_e6 skip …"`` names that of each layer."""
        blocks = genotype.split()
        if len(blocks) != len(self._layers):
            raise self._refuse(genotype, f"{len(blocks)} blocks instead of {len(self._layers)}")
        for block in blocks:
            if block not in self.blocks:
                raise self._refuse(genotype, f"no block '{block}'{did_you_mean(block, self.blocks)}")
        return {f"{layer}:{block}": 1.0 for layer, block in enumerate(blocks)}

    def facts(self, part: str) -> Facts:
        """Return the facts of an inverted residual; a skip that changes the shape is a 1×1 convolution."""
        layer, block = part.split(":")
        into, out, size, stride = self._layers[int(layer)]
        if block == "skip":
            if (into, stride) == (out, 1):
                return Facts()
            after = (size // stride) ** 2
            traffic = 4 * (into * size**2 + out * after)
            return Facts(into * out * after / _MILLION, traffic / _MILLION, 4 * into * out / _MILLION, 1)
        kernel, expansion, *groups = (int(number) for number in re.findall(r"\d+", block))
        return _inverted_residual(
            into, out, size, stride, kernel, into * expansion, groups[0] if groups else 1
        )

    def kind(self, part: str) -> str:
        """Return the block."""
        return part.split(":")[1]


class OnceForAll(PublishedSpace):
    """MobileNetV3 of five stages of two to four blocks (Cai et al., "Once-for-All", ICLR 2020)."""

    name = "ofa"
    example = "r224 k3e4,k5e6 k7e3,k3e3,k3e3 k3e4,k3e4 k3e4,k3e4 k3e4,k3e4"
    stages = ((24, 4, 2), (40, 4, 2), (80, 4, 2), (112, 4, 1), (160, 4, 2))

    def __init__(self) -> None:
        layers = list(_layers(16, 112, self.stages))
        places = [(stage, place) for stage, (_, depth, _) in enumerate(self.stages) for place in range(depth)]
        self._layers = dict(zip(places, layers, strict=True))

    def primitives(self, genotype: str) -> dict[str, float]:
        """Return the blocks, once each and once as their share of pixels; ``"r192 k3e4,k5e6 …"`` names them."""
        resolution, *stages = genotype.split()
        if not re.fullmatch(r"r\d+", resolution) or len(stages) != len(self.stages):
            raise self._refuse(genotype, "no resolution and five stages")
        pixels = (int(resolution[1:]) / 224) ** 2
        counts: dict[str, float] = {}
        for stage, blocks in enumerate(stages):
            for place, block in enumerate(blocks.split(",")):
                if not re.fullmatch(r"k[357]e[346]", block) or (stage, place) not in self._layers:
                    raise self._refuse(genotype, f"no block '{block}' at place {place} of stage {stage}")
                counts[f"{stage}.{place}:{block}"] = 1.0
                counts[f"{stage}.{place}:{block}{SIZED}"] = pixels
        return counts

    def facts(self, part: str) -> Facts:
        """Return arithmetic and traffic of the share of pixels, and the weights of the block itself."""
        place, block = part.split(":")
        stage, slot = (int(number) for number in place.split("."))
        into, out, size, stride = self._layers[stage, slot]
        kernel, expansion = int(block[1]), int(block[3])
        facts = _inverted_residual(into, out, size, stride, kernel, into * expansion, 1)
        if block.endswith(SIZED):
            return Facts(facts.macs, facts.traffic)
        return Facts(0.0, 0.0, facts.weights, facts.convolutions)

    def kind(self, part: str) -> str:
        """Return the block."""
        return part.split(":")[1]


class NasBench201(PublishedSpace):
    """Cells of six edges and five operations (Dong & Yang, "NAS-Bench-201", ICLR 2020)."""

    name = "nasbench-201"
    example = "|nor_conv_3x3~0|+|nor_conv_3x3~0|skip_connect~1|+|none~0|nor_conv_1x1~1|avg_pool_3x3~2|"
    operations = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
    _sizes = ((16, 32), (32, 16), (64, 8))
    _repeats = 5

    def primitives(self, genotype: str) -> dict[str, float]:
        """Return the operation on each edge."""
        nodes = [re.findall(r"\|?(\w+)~(\d)\|", node) for node in genotype.split("+")]
        if [[source for _, source in node] for node in nodes] != [["0"], ["0", "1"], ["0", "1", "2"]]:
            raise self._refuse(genotype, "no three nodes")
        for operation, _ in itertools.chain.from_iterable(nodes):
            if operation not in self.operations:
                raise self._refuse(
                    genotype, f"no operation '{operation}'{did_you_mean(operation, self.operations)}"
                )
        return {f"{s}>{node}:{name}": 1.0 for node, edges in enumerate(nodes, 1) for name, s in edges}

    def facts(self, part: str) -> Facts:
        """Return the facts of the operation in all cells of the network."""
        operation = self.kind(part)
        if operation in ("none", "skip_connect"):
            return Facts()
        kernel = int(operation[-1]) if operation.startswith("nor_conv") else 0
        macs = sum(self._repeats * kernel**2 * c**2 * size**2 for c, size in self._sizes)
        traffic = sum(self._repeats * 8 * c * size**2 for c, size in self._sizes)
        weights = sum(self._repeats * 4 * kernel**2 * c**2 for c, _ in self._sizes)
        return Facts(
            macs / _MILLION, traffic / _MILLION, weights / _MILLION, self._repeats * 3 * bool(kernel)
        )

    def kind(self, part: str) -> str:
        """Return the operation."""
        return part.split(":")[1]


def _layers(
    channels: int, size: int, stages: Sequence[tuple[int, int, int]]
) -> Iterator[tuple[int, int, int, int]]:
    """Yield channels in and out, size of the input and stride of every layer."""
    for out, layers, first_stride in stages:
        for layer in range(layers):
            stride = first_stride if layer == 0 else 1
            yield channels, out, size, stride
            channels, size = out, size // stride


def _inverted_residual(
    into: int, out: int, size: int, stride: int, kernel: int, hidden: int, groups: int
) -> Facts:
    before, after = size**2, (size // stride) ** 2
    macs = into * hidden * before / groups + kernel**2 * hidden * after + hidden * out * after / groups
    traffic = 4 * ((into + 2 * hidden) * before + (2 * hidden + out) * after)
    weights = 4 * (into * hidden / groups + kernel**2 * hidden + hidden * out / groups)
    return Facts(macs / _MILLION, traffic / _MILLION, weights / _MILLION, 3)


SPACES: dict[str, PublishedSpace] = {space.name: space for space in (FBNet(), OnceForAll(), NasBench201())}


def published_space(name: str) -> PublishedSpace:
    """Return a space by its name.

    Raises: ConfigError naming those there are.
    """
    if name not in SPACES:
        hint = did_you_mean(name, SPACES) or f"; there are {', '.join(SPACES)}"
        raise ConfigError(f"no published space '{name}'{hint}")
    return SPACES[name]
