"""The supernet of CLOSE: operations are shared by all connections at first, and by fewer and fewer later."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, Literal, cast

import numpy as np

from awnas_core.device import Device
from awnas_core.errors import ConfigError
from awnas_core.options import PositiveInt
from awnas_core.plugins.registry import Registry
from awnas_core.rollout import Rollout
from awnas_networks.cell_network import MakeCell
from awnas_networks.cell_stack import Candidate
from awnas_networks.close.candidate import Chooser, CloseCandidate
from awnas_networks.close.flow_graph import GraphLayout
from awnas_networks.close.gate import Gate, GateSettings, RandomGate
from awnas_networks.close.glow_cell import GlowCell
from awnas_networks.macro import CellSpace
from awnas_networks.supernet import SuperNet
from awnas_torch.seeding import seeded


class CloseNet(SuperNet):
    """Weights that all architectures of a cell space share, to an extent that shrinks while they are trained.

    Every cell has blocks with one of each operation. With a single block all connections of a cell share their
    weights, which trains fast; with more of them a gate that reads the architecture assigns each connection to a block,
    which ranks architectures better. Schedule ``active_blocks`` to add one after the other: a new block starts as a
    copy of one that is there, so that nothing changes at first. Of the blocks only the one a connection is assigned to
    is computed. The costs of an architecture are those of a network with weights of its own on every connection.

    Args:
        num_blocks: Blocks of a cell in the end.
        active_blocks: Blocks in use; they are only ever added, up to ``num_blocks``.
        inherit_from: Whom a new block copies: the ``previous`` one, or any one at ``random``.
        gate: How connections are assigned to blocks.

    The other options are those of :class:`SuperNet`.

    Source: Zhou et al., "CLOSE: Curriculum Learning On the Sharing Extent Towards Better One-shot NAS", ECCV 2022.
    Differs in what a new block starts from, an exact copy instead of a sum with fresh weights, and in computing one
    block for a connection while training, not all that are in use.
    """

    schedulable = ("active_blocks",)

    def __init__(
        self,
        search_space: CellSpace,
        device: Device,
        rng: np.random.Generator,
        num_classes: int,
        input_shape: tuple[int, int, int],
        registry: Registry | None = None,
        *,
        num_blocks: PositiveInt = 5,
        active_blocks: PositiveInt = 1,
        inherit_from: Literal["previous", "random"] = "previous",
        gate: GateSettings = GateSettings(),
        **options: Any,
    ) -> None:
        self.num_blocks = num_blocks  # the cells are made with it
        super().__init__(search_space, device, rng, num_classes, input_shape, registry, **options)
        self.active_blocks = 1
        self.rng = rng
        self._inherit_from = inherit_from
        self._temperature = gate.temperature
        self._layout = GraphLayout(search_space)
        with seeded(rng):
            self.gate = (
                RandomGate(num_blocks) if gate.by == "random" else Gate(self._layout, gate, num_blocks)
            )
        self.gate.to(self._device.torch_device)
        self._grow(active_blocks)

    @classmethod
    def check_options(cls, options: Mapping[str, Any]) -> None:
        """Refuse more blocks in use than there are."""
        if options["active_blocks"] > options["num_blocks"]:
            raise ConfigError(
                f"active_blocks must be at most num_blocks, {options['num_blocks']}, got {options['active_blocks']}"
            )

    def on_epoch_start(self, epoch: int) -> None:
        """Add the blocks that are due.

        Raises: ConfigError when the schedule takes blocks away, or asks for more than there are.
        """
        before = self.active_blocks
        super().on_epoch_start(epoch)
        wanted, self.active_blocks = self.active_blocks, before
        self._grow(wanted)

    def state(self) -> dict[str, Any]:
        """Return all weights and running statistics, and how many blocks are in use."""
        return {**super().state(), "active_blocks": self.active_blocks}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take up weights, and use as many blocks as they did.

        Raises: RuntimeError when they are of another network.
        """
        super().load_state(state)
        self.active_blocks = int(state["active_blocks"])
        self._candidates.clear()

    def _grow(self, wanted: int) -> None:
        """Put blocks into use until there are ``wanted``."""
        if not self.active_blocks <= wanted <= self.num_blocks:
            raise ConfigError(
                f"active_blocks must rise from {self.active_blocks}, to at most num_blocks = {self.num_blocks}, "
                f"got {wanted}"
            )
        for block in range(self.active_blocks, wanted):
            parent = block - 1 if self._inherit_from == "previous" else int(self.rng.integers(block))
            for cell, _ in self._cells():
                cell.copy_block(block, parent)
            with seeded(self.rng):
                self.gate.add_block(block, parent)
            self._candidates.clear()  # they hold the blocks that were in use
        self.active_blocks = wanted

    def _cells(self) -> list[tuple[GlowCell, int]]:
        """Return the cells, each with its group."""
        return cast("list[tuple[GlowCell, int]]", self.network.layers)

    def _candidate(self, rollout: Rollout) -> Candidate:
        cells, blocks = rollout.genotype.cells, self.active_blocks
        walks = [cell.walk(cells[group], blocks) for cell, group in self._cells()]
        graph = self._layout.graph(cells, self._device.torch_device)
        chooser = Chooser(self.gate, graph, blocks, self._temperature)
        return CloseCandidate(self.network, walks, [group for _, group in self._cells()], chooser)

    def _cell_maker(self) -> MakeCell:
        return functools.partial(GlowCell, num_blocks=self.num_blocks)
