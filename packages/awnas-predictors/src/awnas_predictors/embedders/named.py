"""Embedders by the names that the field gives them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from awnas_core.errors import ConfigError
from awnas_predictors.embedders.base import Embedder
from awnas_predictors.embedders.convolution import GcnEmbedder, LineGcnEmbedder
from awnas_predictors.embedders.features import FeatureEmbedder
from awnas_predictors.embedders.lstm import LstmEmbedder
from awnas_predictors.embedders.renas import RenasEmbedder
from awnas_predictors.gates import Gates
from awnas_predictors.graph_features import graph_features
from awnas_predictors.graphs import CellGraphs

EMBEDDERS: dict[str, Callable[..., Embedder]] = {
    "gates": Gates,
    "gcn": GcnEmbedder,
    "graph-features": partial(FeatureEmbedder, features=graph_features),
    "linegcn": LineGcnEmbedder,
    "lstm": LstmEmbedder,
    "renas": RenasEmbedder,
    "seq": FeatureEmbedder,
    "ta-gates": partial(Gates, steps=2),
}


def make_embedder(name: str, graphs: CellGraphs, rng: np.random.Generator, **options: Any) -> Embedder:
    """Return a new embedder.

    Args:
        name: One of ``EMBEDDERS``; ``seq`` is the one-hot edges, for a perceptron to read.
        graphs: Any graphs of the space; of features they are those whose mean becomes 0 and deviation 1.
        rng: The weights are drawn from it.
        options: Of the embedder.

    Raises: ConfigError for another name.
    """
    if name not in EMBEDDERS:
        raise ConfigError(f"there is no embedder '{name}'; there are {', '.join(EMBEDDERS)}")
    return EMBEDDERS[name](graphs, rng, **options)
