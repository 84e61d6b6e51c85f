"""Classification whose architecture gradient knows a budget of multiply-adds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from awnas_core.errors import ConfigError
from awnas_core.options import Fraction, PositiveFloat
from awnas_core.roles.search_space import SearchSpace
from awnas_core.roles.weights_manager import WeightsManager
from awnas_core.rollout import Purpose, Rollout
from awnas_training.objectives.classification import ClassificationObjective
from awnas_training.objectives.costs import ArchitectureCosts


@dataclass(frozen=True, slots=True, kw_only=True)
class Penalty:
    """Exponents of the penalty.

    Args:
        a: Exponent of an architecture within the budget; 0 leaves its loss as it is.
        b: Exponent of one beyond the budget.
    """

    a: float = 0.0
    b: float = 1.0

    def factor(self, share: float) -> float:
        """Return what the loss is multiplied by, for the used share of the budget."""
        return share ** (self.a if share < 1 else self.b)


class ClassificationWithFlopsReg(ClassificationObjective):
    """Cross-entropy that is multiplied by ``(F / budget)^w`` where the controller learns from it.

    F are the multiply-adds of the architecture. Weights are trained with the plain cross-entropy, and the metrics are
    those of ``classification``.

    Args:
        label_smooth: ε of label smoothing while training.
        macs_budget: Multiply-adds that an architecture may have.
        flops_penalty_cfg: The exponent w, within and beyond the budget.

    Source: Tan et al., "MnasNet: Platform-Aware Neural Architecture Search for Mobile", CVPR 2019, eq. 2, for a loss.
    """

    def __init__(
        self,
        search_space: SearchSpace,
        weights_manager: WeightsManager | None = None,
        *,
        label_smooth: Fraction = 0.0,
        macs_budget: PositiveFloat = 5e8,
        flops_penalty_cfg: Penalty = Penalty(),
    ) -> None:
        super().__init__(label_smooth=label_smooth)
        self.macs_budget = macs_budget
        self.penalty = flops_penalty_cfg
        self._costs = ArchitectureCosts(search_space, weights_manager)

    @classmethod
    def check_options(cls, options: Mapping[str, Any]) -> None:
        """Refuse exponents that reward waste."""
        penalty = options["flops_penalty_cfg"]
        if not (math.isfinite(penalty.a) and math.isfinite(penalty.b) and penalty.b >= 0):
            raise ConfigError(
                f"the exponents must be finite and b at least 0, got {penalty.a} and {penalty.b}"
            )

    def get_loss(
        self,
        inputs: Tensor,
        outputs: Tensor,
        targets: Tensor,
        *,
        candidate: Any = None,
        rollout: Rollout | None = None,
        purpose: str = Purpose.TRAIN_WEIGHTS,
    ) -> Tensor:
        """Return the mean cross-entropy, with the penalty for ``propose``."""
        loss = super().get_loss(inputs, outputs, targets)
        if purpose != Purpose.PROPOSE or rollout is None:
            return loss
        return loss * self.penalty.factor(self._costs.of(rollout).macs / self.macs_budget)
