"""The space of NAS-Bench-Macro: what each of eight layers of a chain is."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from awnas_core.decisions import Decision, Decisions
from awnas_core.errors import GenotypeError
from awnas_core.layers import LayerSpec
from awnas_core.rollout import Arch, Rollout
from awnas_spaces.benchmark import BenchmarkSpace
from awnas_spaces.layer_list import LayerList, Shape

BLOCKS = ("identity", "mb3_k3", "mb6_k5")
STAGES = (2, 3, 3)
_TEXT = re.compile(r"\s*(?:NasBenchMacro\(\s*([0-2](?:\s*,\s*[0-2])*)\s*\)|([0-2]+))\s*")


class NasBenchMacroSpace(BenchmarkSpace):
    """Chains of eight blocks in stages of two, three and three, each stage with half the size and twice the channels.

    A block is the identity or a MobileNetV2 block of kernel 3 and expansion 3, or of 5 and 6. In a stage, identities
    after the first block change nothing: of 6,561 chains 3,969 are different.

    Source: Su et al., "Prioritized Architecture Sampling with Monto-Carlo Tree Search", CVPR 2021, section 4.
    """

    def __init__(self) -> None:
        self._decisions = Decisions([Decision(f"layer_{i}", BLOCKS) for i in range(1, sum(STAGES) + 1)])

    @property
    def decisions(self) -> Decisions:
        """The block of each layer."""
        return self._decisions

    @property
    def benchmark(self) -> str:
        """``nasbench-macro``."""
        return "nasbench-macro"

    def genotype(self, arch: Arch) -> str:
        """Return ``NasBenchMacro(2, 2, 2, 1, 2, 2, 0, 2)``, a number for each block: 0 identity, 1 mb3_k3, 2 mb6_k5."""
        return f"NasBenchMacro({', '.join(map(str, arch))})"

    def parse(self, text: str) -> Arch:
        """Read what :meth:`genotype` writes, or the eight digits of the benchmark: ``22212202``.

        Raises: GenotypeError saying what was expected.
        """
        match = _TEXT.fullmatch(text)
        digits = re.findall(r"\d", text) if match else []
        if len(digits) != len(self._decisions):
            raise GenotypeError(
                f"expected eight blocks, each 0, 1 or 2, as in {self.genotype((0,) * 8)} or 00000000; got {text[:60]!r}"
            )
        return tuple(map(int, digits))

    def key(self, arch: Arch) -> Arch:
        """Return the architecture with the identities of a stage moved to its end; its first block stays."""
        moved: list[int] = []
        for stage in stages_of(arch):
            rest = [block for block in stage[1:] if block]
            moved += [stage[0], *rest, *[0] * (len(stage) - 1 - len(rest))]
        return tuple(moved)

    def layers(self, rollout: Rollout) -> list[LayerSpec]:
        """Return the layers of the network for 32 × 32 images and ten classes."""
        found = LayerList()
        shape = found.conv_norm("stem", (3, 32, 32), 32, 3)
        for index, stage in enumerate(stages_of(rollout.arch)):
            for place, block in enumerate(stage):
                channels, stride = (2 * shape[0], 2) if place == 0 else (shape[0], 1)
                shape = _block(found, f"stage_{index}.block_{place}", shape, BLOCKS[block], channels, stride)
        shape = found.conv_norm("head", shape, 1280, 1)
        found.classifier(shape, 10)
        return found.layers


def stages_of(arch: Sequence[int]) -> list[Sequence[int]]:
    """Return the blocks of each stage."""
    blocks = iter(arch)
    return [tuple(itertools.islice(blocks, length)) for length in STAGES]


def _block(found: LayerList, name: str, shape: Shape, block: str, channels: int, stride: int) -> Shape:
    if block == "identity":
        return shape if stride == 1 else found.conv_norm(name, shape, channels, 1, stride=stride)
    expansion, kernel = int(block[2]), int(block[-1])
    hidden = expansion * shape[0]
    shape = found.conv_norm(f"{name}.expand", shape, hidden, 1)
    shape = found.conv_norm(f"{name}.depthwise", shape, hidden, kernel, stride=stride, groups=hidden)
    return found.conv_norm(f"{name}.project", shape, channels, 1)
