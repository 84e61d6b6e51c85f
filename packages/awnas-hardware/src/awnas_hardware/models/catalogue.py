"""The kinds of cost model there are."""

from __future__ import annotations

from awnas_core.errors import ConfigError, did_you_mean
from awnas_hardware.models.additive import LinearModel, SumModel, TableModel
from awnas_hardware.models.base import CostModel
from awnas_hardware.models.boosting import BoostingModel
from awnas_hardware.models.gaussian import GaussianModel

MODELS: dict[str, type[CostModel]] = {
    model.kind: model for model in (SumModel, TableModel, LinearModel, BoostingModel, GaussianModel)
}


def model_class(kind: str) -> type[CostModel]:
    """Return the class of a kind of model.

    Raises: ConfigError naming those there are.
    """
    if kind not in MODELS:
        raise ConfigError(
            f"no cost model '{kind}'{did_you_mean(kind, MODELS) or '; there are ' + ', '.join(MODELS)}"
        )
    return MODELS[kind]
