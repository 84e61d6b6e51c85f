"""Counting architectures before building any: a table of costs for every layer, filled from a few traces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import nn

from awnas_core.decisions import Codes, Decisions
from awnas_core.errors import ConfigError
from awnas_core.layers import Cost, LayerSpec
from awnas_germ.choices import Choices, leaves_of, value_of
from awnas_germ.containers import Repeat
from awnas_germ.layers.base import Layer
from awnas_germ.layout import Layout, Placed
from awnas_germ.resolve import Resolver
from awnas_torch.counting import count_layers

Counts = npt.NDArray[np.int64]
"""Shape (n, 2): parameters and multiply-adds."""


class CostTables:
    """Parameters and multiply-adds of architectures, looked up layer by layer.

    The cost of a layer depends on its own sizes and on the resolution it works at. Sizes are known; resolutions are
    read off the network run without data, once for every combination of the choices that change them.

    Args:
        network: The network, on the meta device.
        layout: Its choices and modules.
        decisions: The decisions made of them.
        input_shape: ``(C, H, W)`` of an example.
    """

    def __init__(
        self, network: nn.Module, layout: Layout, decisions: Decisions, input_shape: tuple[int, ...]
    ) -> None:
        self._network, self._layout, self._decisions = network, layout, decisions
        self._input_shape = input_shape
        self._columns = layout.columns
        self._traces: dict[tuple[int, ...], dict[str, LayerSpec]] = {}
        self._known: dict[tuple[str, tuple[int, ...]], Cost] = {}

    def of(self, codes: Codes) -> Counts:
        """Return parameters and multiply-adds of each row of ``codes`` ``(n, D)``, shape ``(n, 2)``.

        Raises: ConfigError when operations to choose from change the resolution differently.
        """
        total = np.zeros((len(codes), 2), dtype=np.int64)
        for placed in self._counted:
            there = self._is_there(placed, codes)
            columns = self._depends_on(placed)
            keys, inverse = np.unique(codes[there][:, columns], axis=0, return_inverse=True)
            costs = [self._cost(placed, columns, tuple(key.tolist())) for key in keys]
            table = np.array([(cost.params, cost.macs) for cost in costs], dtype=np.int64).reshape(-1, 2)
            total[there] += table[inverse.reshape(-1)]
        return total

    @cached_property
    def _spatial(self) -> list[int]:
        """Columns of the choices that change the resolution of later layers."""
        leaves: dict[Choices, None] = {}
        for placed in self._layout.placed:
            module = placed.module
            if isinstance(module, Layer):
                leaves |= dict.fromkeys(leaves_of(list(module.spatial)))
            if isinstance(module, Repeat) and any(_is_strided(branch.module) for branch in module.branches()):
                leaves |= dict.fromkeys(branch.choice for branch in module.branches())
        return sorted(self._columns[leaf] for leaf in leaves)

    @cached_property
    def _counted(self) -> list[Placed]:
        """The modules that have a cost of their own."""
        return [
            placed
            for placed in self._layout.placed
            if isinstance(placed.module, Layer)
            or (
                not _is_inside_layer(placed, self._layout)
                and any(True for _ in placed.module.parameters(recurse=False))
            )
        ]

    def _depends_on(self, placed: Placed) -> list[int]:
        sizes = leaves_of(list(placed.module.sizes)) if isinstance(placed.module, Layer) else ()
        return sorted({*(self._columns[leaf] for leaf in sizes), *self._spatial})

    def _is_there(self, placed: Placed, codes: Codes) -> npt.NDArray[np.bool_]:
        """Return in which rows a module is part of the network."""
        there = np.zeros(len(codes), dtype=bool)
        for chain in placed.chains:
            all_taken = np.ones(len(codes), dtype=bool)
            for branch in chain:
                taken = np.array([value in branch.values for value in branch.choice.choices])
                all_taken &= taken[codes[:, self._columns[branch.choice]]]
            there |= all_taken
        return there

    def _cost(self, placed: Placed, columns: list[int], key: tuple[int, ...]) -> Cost:
        if (placed.path, key) not in self._known:
            codes = dict(zip(columns, key, strict=True))
            seen = self._trace(tuple(codes[column] for column in self._spatial))[placed.path]
            cost = Cost(seen.params, seen.macs)
            if isinstance(placed.module, Layer):
                chosen = self._chosen(codes)
                values = tuple(value_of(size, chosen) for size in placed.module.sizes)
                one = placed.module.cost(values, seen.input_shape)
                cost = Cost(one.params, one.macs * seen.calls)
            self._known[placed.path, key] = cost
        return self._known[placed.path, key]

    def _chosen(self, codes: Mapping[int, int]) -> dict[Choices, Any]:
        return {leaf: leaf.choices[codes[c]] for leaf, c in self._columns.items() if c in codes}

    def _trace(self, spatial: tuple[int, ...]) -> dict[str, LayerSpec]:
        """Run the network until every module was seen, and return path → what was seen of it."""
        if spatial not in self._traces:
            seen: dict[str, LayerSpec] = {}
            base = self._fullest(dict(zip(self._spatial, spatial, strict=True)))
            self._run(base, seen)
            for place in range(1, max(len(d.choices) for d in self._decisions)):
                if len(seen) < len(self._counted):
                    self._run(self._shifted(base, place), seen)
            for placed in self._counted:
                if placed.path not in seen:
                    self._run(self._leading_to(placed, base), seen)
            self._traces[spatial] = seen
        return self._traces[spatial]

    def _fullest(self, fixed: Mapping[int, int]) -> list[int]:
        """Return codes of a valid architecture with every repeated block that the fixed codes allow."""
        codes = self._decisions.sample(1, np.random.default_rng(0))[0].tolist()
        for placed in self._layout.placed:
            if isinstance(placed.module, Repeat):
                for branch in placed.module.branches():  # the last block is there for the fewest values
                    codes[self._columns[branch.choice]] = branch.choice.choices.index(branch.values[-1])
        for column, code in fixed.items():
            codes[column] = code
        return list(codes)

    def _shifted(self, base: list[int], place: int) -> list[int]:
        """Return ``base`` with the operation at ``place`` wherever one is chosen."""
        codes = list(base)
        for placed in self._layout.placed:
            for branch in (b for chain in placed.chains for b in chain if len(b.values) == 1):
                column = self._columns[branch.choice]
                if column not in self._spatial:
                    codes[column] = min(place, len(branch.choice.choices) - 1)
        return codes

    def _leading_to(self, placed: Placed, base: list[int]) -> list[int]:
        codes = list(base)
        for branch in placed.chains[0]:
            codes[self._columns[branch.choice]] = branch.choice.choices.index(branch.values[-1])
        return codes

    def _run(self, codes: Iterable[int], seen: dict[str, LayerSpec]) -> None:
        resolver = Resolver(self._chosen(dict(enumerate(codes))), owns=True)
        network = resolver.module(self._network)
        layers = {layer.name: layer for layer in count_layers(lambda: network, self._input_shape)}
        names = {id(module): name for name, module in network.named_modules()}
        for placed in self._counted:
            name = names.get(id(resolver.made_of(placed.module)))
            if name is None or name not in layers:
                continue
            earlier = seen.setdefault(placed.path, layers[name])
            if earlier.input_shape[1:] != layers[name].input_shape[1:]:
                raise ConfigError(
                    f"'{placed.path}' gets inputs of different resolution, {earlier.input_shape[1:]} and "
                    f"{layers[name].input_shape[1:]}, depending on which operation stands before it; "
                    "operations to choose from must give outputs of the same resolution"
                )


def _is_strided(module: nn.Module) -> bool:
    strides = (getattr(part, "stride", 1) for part in module.modules())
    return any(stride not in (1, (1, 1)) for stride in strides)


def _is_inside_layer(placed: Placed, layout: Layout) -> bool:
    inside = (p.path for p in layout.placed if isinstance(p.module, Layer))
    return any(placed.path.startswith(f"{path}.") for path in inside)
