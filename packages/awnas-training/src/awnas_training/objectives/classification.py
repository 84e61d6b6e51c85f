"""Classification: cross-entropy to train on, accuracy to search by."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.nn import functional

from awnas_core.metrics import Accumulator, Mean, Metric
from awnas_core.options import Fraction
from awnas_core.roles.objective import Batch, Objective
from awnas_core.rollout import Rollout


class ClassificationObjective(Objective):
    """Cross-entropy; reports accuracy and loss, both means over examples.

    Args:
        label_smooth: ε of label smoothing while training, ``(1 − ε)·onehot + ε/K``; never while measuring.

    Source of label smoothing: Szegedy et al., "Rethinking the Inception Architecture", CVPR 2016, section 7.
    """

    def __init__(self, *, label_smooth: Fraction = 0.0) -> None:
        self.label_smooth = label_smooth

    def metrics(self) -> tuple[Metric, ...]:
        """Return accuracy (top-1, a fraction) and loss (nats)."""
        return (Metric("acc"), Metric("loss", "min", "nat"))

    def accumulators(self) -> dict[str, Accumulator]:
        """Return fresh accumulators of both."""
        return {"acc": _Accuracy(), "loss": _CrossEntropy()}

    def get_loss(
        self,
        inputs: Tensor,
        outputs: Tensor,
        targets: Tensor,
        *,
        candidate: Any = None,
        rollout: Rollout | None = None,
        purpose: str = "train-weights",
    ) -> Tensor:
        """Return the mean cross-entropy of logits ``(N, K)`` and classes ``(N,)``."""
        return functional.cross_entropy(outputs, targets, label_smoothing=self.label_smooth)


class _Accuracy(Mean):
    def update(self, batch: Batch) -> None:  # type: ignore[override]
        super().update(((batch.outputs.argmax(-1) == batch.targets).sum(), len(batch.targets)))


class _CrossEntropy(Mean):
    def update(self, batch: Batch) -> None:  # type: ignore[override]
        loss = functional.cross_entropy(batch.outputs, batch.targets, reduction="sum")
        super().update((loss.detach().double(), len(batch.targets)))
