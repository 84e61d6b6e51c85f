"""The controller: which architectures to look at next."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from awnas_core.components import Component
from awnas_core.rollout import Purpose, Rollout


class Controller(Component, ABC):
    """Proposes architectures and learns from what they are worth.

    Works without a trainer too::

        rollouts = controller.sample(8, Purpose.PROPOSE)
        ...                                   # measure them
        controller.step(rollouts)
    """

    wants_gradient: Literal["first", "second"] | None = None
    """Order of the gradient on relaxed decisions that the evaluator is to fill in; None for none."""

    @abstractmethod
    def sample(self, n: int, purpose: Purpose = Purpose.PROPOSE) -> list[Rollout]:
        """Return ``n`` architectures, fresh (not evaluated).

        For ``DERIVE`` the best known choice; a multi-objective controller may return its whole front.

        Raises: SpaceExhaustedError when there are not enough.
        """

    @abstractmethod
    def step(self, rollouts: Sequence[Rollout]) -> dict[str, float]:
        """Learn from evaluated rollouts and return statistics, ``"loss"`` among them where there is one.

        Takes any subset of what was proposed, in any order, one at a time or many, each with its status: failed and
        infeasible ones teach too, or are passed over.
        """

    def configure_optimizer(
        self,
        optimizer: Mapping[str, Any] | None,
        scheduler: Mapping[str, Any] | None = None,
        *,
        perf_name: str = "reward",
    ) -> None:
        """Take the optimizer settings that stand in the trainer's config; ignored by default.

        Args:
            optimizer: ``{"type": name, …}`` for the parameters the controller owns.
            scheduler: ``{"type": name, …}``.
            perf_name: The value of ``rollout.perf`` to learn from; larger is better.
        """

    def learnable(self) -> Iterable[Any]:
        """Return the parameters that :meth:`step` moves by gradients, and leaves these on; none by default."""
        return ()

    def summary(self, rollouts: Sequence[Rollout]) -> dict[str, float]:
        """Return what is worth logging about ``rollouts`` just sampled."""
        return {}

    def log_probs(self, rollouts: Sequence[Rollout]) -> Sequence[float] | None:
        """Return the logarithm of the probability with which each of ``rollouts`` would be sampled now.

        None, the default, when the controller does not know.
        """
        return None
