"""The controller ``differentiable``: architecture parameters that follow the gradient of the loss."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from awnas_controllers.differentiable.likely import likely_architectures
from awnas_controllers.differentiable.relaxing import ArchitectureParameters, Draw, entropy
from awnas_controllers.learning import ADAM, LearningController
from awnas_core.errors import CheckpointError, ConfigError
from awnas_core.options import PositiveFloat, PositiveInt
from awnas_core.roles.search_space import SearchSpace
from awnas_core.rollout import Purpose, RelaxedRollout, Rollout


class DifferentiableController(LearningController):
    """Relaxes every decision to weights over its choices, and moves these by gradient descent.

    Samples are detached and carry what they were drawn from; :meth:`step` makes each of them again from the parameters
    as they are then and back-propagates the gradient that the evaluator left on it. To derive, the discrete
    architectures of the highest probability are returned, the same each time.

    Args:
        use_prob: The weights are a softmax of the parameters (DARTS), without noise; else Gumbel-softmax (SNAS).
        gumbel_hard: Each edge uses one choice only, with the gradient of the soft weights (GDAS).
        gumbel_temperature: Temperature of the softmax, with noise or without.
        use_edge_normalization: The edges into a node have weights of their own that sum to 1 (PC-DARTS).
        entropy_coeff: Weight of the entropy of all choices in the loss: a positive one makes them sharper; None for 0.
        max_grad_norm: Gradients of the parameters are clipped to this norm; None leaves them.
        force_uniform: All choices count the same, and nothing is learnt.
        rollout_batch_size: B samples share a batch of data, each a part of it, and make up one rollout.
        gradient_order: ``second`` takes into account how the weights of the network would follow (DARTS, second order).

    Source: Liu et al., "DARTS: Differentiable Architecture Search", ICLR 2019; Xie et al., "SNAS", ICLR 2019; Dong and
    Yang, GDAS, CVPR 2019; Xu et al., "PC-DARTS", ICLR 2020; B samples: Wu et al., "FBNet", CVPR 2019.
    """

    schedulable = ("gumbel_temperature", "entropy_coeff", "force_uniform")

    def __init__(
        self,
        search_space: SearchSpace,
        rng: np.random.Generator,
        *,
        use_prob: bool = False,
        gumbel_hard: bool = False,
        gumbel_temperature: PositiveFloat = 1.0,
        use_edge_normalization: bool = False,
        entropy_coeff: float | None = 0.01,
        max_grad_norm: PositiveFloat | None = None,
        force_uniform: bool = False,
        rollout_batch_size: PositiveInt = 1,
        gradient_order: Literal["first", "second"] = "first",
    ) -> None:
        if not search_space.mixtures:
            raise ConfigError(
                f"controller 'differentiable' relaxes decisions, but {type(search_space).__name__} cannot be relaxed "
                "as it is configured; use a controller of discrete architectures"
            )
        self.check_options({"use_prob": use_prob, "rollout_batch_size": rollout_batch_size})
        self.search_space = search_space
        self.rng = rng
        self.use_prob = use_prob
        self.gumbel_hard = gumbel_hard
        self.gumbel_temperature = gumbel_temperature
        self.entropy_coeff = entropy_coeff
        self.max_grad_norm = max_grad_norm
        self.force_uniform = force_uniform
        self.rollout_batch_size = rollout_batch_size
        self.wants_gradient = gradient_order
        self.parameters = ArchitectureParameters(search_space.mixtures, rng, edges=use_edge_normalization)
        self.configure_optimizer(ADAM)

    @classmethod
    def check_options(cls, options: Mapping[str, Any]) -> None:
        """Refuse a batch of samples that would all be the same."""
        if options["use_prob"] and options["rollout_batch_size"] > 1:
            raise ConfigError(
                f"rollout_batch_size is {options['rollout_batch_size']}, but with use_prob all samples are the same; "
                "set use_prob to false or rollout_batch_size to 1"
            )

    def learnable(self) -> list[nn.Parameter]:
        """Return the logits of choices and of edges."""
        return list(self.parameters.logits.values())

    def sample(self, n: int, purpose: Purpose = Purpose.PROPOSE) -> list[Rollout]:
        """Draw ``n`` relaxed architectures; to derive, return the ``n`` most likely discrete ones.

        Raises: SpaceExhaustedError when the space has fewer than ``n``.
        """
        if purpose is Purpose.DERIVE:
            return likely_architectures(self.search_space, self.parameters.probabilities(), n)
        return [self._sample() for _ in range(n)]

    def step(self, rollouts: Sequence[Rollout]) -> dict[str, float]:
        """Learn from the mean of the gradients of all that went well; the others are passed over.

        Raises: ConfigError when an evaluation that went well left no gradient.
        """
        learnt = [rollout for rollout in rollouts if self.note_perf(rollout) is not None]
        if not learnt or self.force_uniform:
            return {}
        for logits in self.learnable():
            logits.grad = None
        for rollout in learnt:
            self._back_propagate(rollout, 1 / len(learnt))
        penalty = self._entropy_loss()
        if penalty.requires_grad:
            penalty.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.learnable(), self.max_grad_norm or math.inf)
        if not norm.isfinite():
            self.logger.warning("a gradient that is not finite was passed over")
            return {}
        self.scheduled.step()
        return {"entropy_loss": penalty.item(), "gradient_norm": norm.item()}

    @torch.no_grad()
    def summary(self, rollouts: Sequence[Rollout]) -> dict[str, float]:
        """Return the entropy of all choices of each mixture in nats; of hard samples the mean log-probability too."""
        log_probabilities = self.parameters.log_probabilities()
        values = {f"{key}_entropy": entropy(logs).item() for key, logs in log_probabilities.items()}
        if self.gumbel_hard:
            for mixture in self.search_space.mixtures:
                logs = log_probabilities[mixture.name]
                chosen = [_over_samples(rollout.relaxed[mixture.name]) for rollout in rollouts]  # type: ignore[attr-defined]
                mean = torch.stack(chosen).mean(0)
                values[f"{mixture.name}_log_prob"] = (mean * logs).sum().item()
        return values

    def state(self) -> dict[str, Any]:
        """Return the parameters and the optimizer's state."""
        return {"logits": self.parameters.state(), "optimizer": self.scheduled.state()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state``.

        Raises: CheckpointError when it is of another space or optimizer.
        """
        try:
            self.parameters.load_state(state["logits"])
            self.scheduled.load_state(state["optimizer"])
        except (KeyError, ValueError) as error:
            raise CheckpointError(
                f"the state is of another controller 'differentiable' (space, edges or optimizer differ): {error}"
            ) from error

    @torch.no_grad()
    def _sample(self) -> RelaxedRollout:
        draw = Draw(
            temperature=self.gumbel_temperature,
            seed=None if self.use_prob else int(self.rng.integers(2**63)),
            batch=self.rollout_batch_size,
            uniform=self.force_uniform,
        )
        relaxed = self.parameters.relax(draw, hard=self.gumbel_hard)
        return RelaxedRollout(self.search_space, relaxed, {"draw": asdict(draw)})

    def _back_propagate(self, rollout: Rollout, share: float) -> None:
        gradient = rollout.gradient if isinstance(rollout, RelaxedRollout) else None
        if gradient is None:
            raise ConfigError(
                "controller 'differentiable' learns from gradients, but the evaluator left none on what it was given; "
                "use an evaluator of differentiable rollouts, such as differentiable_shared_weights"
            )
        relaxed = self.parameters.relax(Draw(**rollout.info["draw"]), hard=self.gumbel_hard)
        parts = [(value, gradient[key]) for key, value in relaxed.items() if value.requires_grad]
        if parts:  # none when the sample was uniform
            gradients = [share * torch.as_tensor(of_value).to(value) for value, of_value in parts]
            torch.autograd.backward([value for value, _ in parts], gradients)

    def _entropy_loss(self) -> Tensor:
        if not self.entropy_coeff:
            return torch.zeros(())
        logs = self.parameters.log_probabilities()
        total = sum((entropy(logs[mixture.name]) for mixture in self.search_space.mixtures), torch.zeros(()))
        return self.entropy_coeff * total


def _over_samples(weights: Tensor) -> Tensor:
    """Return the mean over B samples, shape ``(E, P)``."""
    return weights.mean(1) if weights.dim() == 3 else weights
