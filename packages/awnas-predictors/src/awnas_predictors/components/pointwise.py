"""Any embedder with a perceptron on top, trained on what was measured."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np

from awnas_core.decisions import Codes
from awnas_core.errors import ConfigError
from awnas_core.options import PositiveFloat, PositiveInt
from awnas_core.roles.search_space import SearchSpace
from awnas_predictors.embedders.named import EMBEDDERS, make_embedder
from awnas_predictors.encoding import encode
from awnas_predictors.losses import LossName
from awnas_predictors.pointwise import PointwisePredictor
from awnas_predictors.predictor import Floats, Prediction, Predictor, Scale

EmbedderName = Literal["gates", "gcn", "graph-features", "linegcn", "lstm", "renas", "seq", "ta-gates"]


class PointwiseNetwork(Predictor):
    """Scores architectures by a perceptron on their embeddings.

    Args:
        embedder: How architectures become vectors: by the information that flows through cells (``gates``,
            ``ta-gates``), by graph convolutions (``gcn``, ``linegcn``), read as a sequence (``lstm``), or as plain
            numbers (``graph-features``, ``renas``, one-hot edges by ``seq``).
        embedder_cfg: Options of the embedder, such as ``dims``.
        loss: ``hinge``, ``bce`` and ``listwise`` learn the order of architectures, ``mse`` their values.
        hiddens: Widths of the perceptron.
        epochs: Passes over what was measured, from new weights at each fit.
        batch_size: Architectures in a batch.
        learning_rate: Of Adam.

    Source: Ning et al., "A Generic Graph-based Neural Architecture Encoding Scheme for Predictor-based NAS", ECCV
    2020, section 3.4.
    """

    knows_deviation: ClassVar[bool] = False

    def __init__(
        self,
        search_space: SearchSpace,
        *,
        embedder: EmbedderName = "gates",
        embedder_cfg: dict[str, Any] | None = None,
        loss: LossName = "hinge",
        hiddens: tuple[PositiveInt, ...] = (200, 200, 200),
        epochs: PositiveInt = 200,
        batch_size: PositiveInt = 128,
        learning_rate: PositiveFloat = 1e-3,
    ) -> None:
        self.search_space = search_space
        self.embedder = embedder
        self.embedder_cfg = embedder_cfg or {}
        self.loss = loss
        self.training: dict[str, Any] = {
            "hiddens": hiddens,
            "epochs": epochs,
            "batch_size": batch_size,
            "learning_rate": learning_rate,
        }

    @classmethod
    def check_options(cls, options: Mapping[str, Any]) -> None:
        """Refuse options that the embedder does not have."""
        parameters = inspect.signature(EMBEDDERS[options["embedder"]]).parameters.values()
        known = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.name != "features"]
        if unknown := sorted(set(options["embedder_cfg"] or {}) - set(known)):
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise ConfigError(f"embedder '{options['embedder']}' has no option {', '.join(unknown)}; {has}")

    def fit(self, codes: Codes, targets: Floats, rng: np.random.Generator) -> None:
        """Train new weights."""
        graphs = encode(self.search_space, codes)
        self.scale = Scale.of(targets)
        embedder = make_embedder(self.embedder, graphs, rng, **self.embedder_cfg)
        self.fitted = PointwisePredictor(embedder, rng, loss=self.loss, **self.training)
        self.fitted.fit(graphs, self.scale.scaled(targets))

    def predict(self, codes: Codes) -> Prediction:
        """Return scores; with ``mse`` they are in the unit of the targets."""
        scores = self.fitted.predict(encode(self.search_space, codes))
        return self.scale.restored(scores, np.zeros(len(scores)))
