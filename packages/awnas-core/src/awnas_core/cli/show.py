"""How one architecture is printed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from awnas_core.cli.console import print_json, print_table, say
from awnas_core.layers import total_cost

if TYPE_CHECKING:
    from awnas_core.api import ShownArchitecture

COLUMNS = ("layer", "op", "input", "output", "params", "MACs", "calls")


def print_architecture(shown: ShownArchitecture, files: list[Path], *, as_json: bool) -> None:
    """Print genotype, size and layers; as one JSON object when ``as_json``."""
    cost = total_cost(shown.layers)
    if as_json:
        print_json(
            {
                "genotype": str(shown.rollout.genotype),
                "params": cost.params,
                "macs": cost.macs,
                "flops": cost.flops,
                "layers": [layer.to_record() for layer in shown.layers],
                "plots": [str(file) for file in files],
            }
        )
        return
    typer.echo(str(shown.rollout.genotype))
    print_table(
        COLUMNS,
        [
            (
                layer.name,
                layer.op,
                "×".join(map(str, layer.input_shape)),
                "×".join(map(str, layer.output_shape)),
                f"{layer.params:,}",
                f"{layer.macs:,}",
                str(layer.calls),
            )
            for layer in shown.layers
        ],
    )
    typer.echo(f"parameters: {cost.params:,}  MACs: {cost.macs:,}  FLOPs: {cost.flops:,}")
    for file in files:
        say(f"drawing: {file}")
