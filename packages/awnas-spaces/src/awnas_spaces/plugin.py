"""What awnas-spaces adds to awnas."""

from __future__ import annotations

from awnas_core import ComponentSpec, hookimpl

awnas_api = 1


@hookimpl
def awnas_components() -> list[ComponentSpec]:
    """Cell spaces."""
    return [
        ComponentSpec(
            kind="search_space",
            name="cnn",
            target="awnas_spaces.cnn:CnnSpace",
            rollouts=("discrete", "differentiable"),
            summary="Cells of a convolutional network, as in ENAS and DARTS.",
        ),
        ComponentSpec(
            kind="search_space",
            name="nasbench-201",
            target="awnas_spaces.nasbench201:NasBench201Space",
            rollouts=("discrete", "differentiable"),
            summary="Cells of NAS-Bench-201: an operation on each edge of four nodes.",
        ),
    ]
