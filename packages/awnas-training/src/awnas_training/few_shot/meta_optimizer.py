"""Moving the start of many adaptations: first-order MAML and Reptile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn

from awnas_core.options import OptimizerCfg, SchedulerCfg
from awnas_core.world import World
from awnas_torch.distributed import average_gradients
from awnas_torch.optim import ScheduledOptimizer

MetaMethod = Literal["fo_maml", "reptile"]
Gradients = dict[nn.Parameter, Tensor]
"""Of the parameters that a task touched."""


class MetaOptimizer:
    """Gathers a meta-gradient of each parameter from several tasks, and moves it by their mean.

    Args:
        parameters: What tasks start from.
        optimizer: ``{"type": …}``.
        scheduler: ``{"type": …}``, or None; stepped after every epoch.
        world: The processes whose gradients are averaged.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        optimizer: OptimizerCfg,
        scheduler: SchedulerCfg | None,
        world: World,
    ) -> None:
        self._parameters = list(parameters)
        self._scheduled = ScheduledOptimizer(optimizer, scheduler, self._parameters)
        self._world = world
        self._gathered: dict[nn.Parameter, list[Tensor]] = {}

    def add(self, gradients: Gradients) -> None:
        """Take in the meta-gradients of one task."""
        for parameter, gradient in gradients.items():
            self._gathered.setdefault(parameter, []).append(gradient)

    def step(self) -> None:
        """Move every parameter by the mean over the tasks that touched it, and forget them."""
        for parameter in self._parameters:  # adapting to a task may have left gradients behind
            parameter.grad = None
        for parameter, gradients in self._gathered.items():
            parameter.grad = torch.stack(gradients).mean(0)
        touched = list(self._gathered)
        self._gathered.clear()
        average_gradients(touched, self._world)
        self._scheduled.step()
        for parameter in touched:
            parameter.grad = None

    def end_epoch(self) -> None:
        """Move the learning rate on."""
        self._scheduled.schedule()

    def state(self) -> dict[str, Any]:
        """Return the states of optimizer and scheduler; the parameters are not included."""
        return self._scheduled.state()

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self._scheduled.load_state(state)


def meta_gradients(
    method: MetaMethod, start: Mapping[nn.Parameter, Tensor], query: Gradients, rate: float
) -> Gradients:
    """Return the meta-gradient of each parameter from one task; called while the parameters are adapted to it.

    Args:
        method: ``fo_maml``: the gradient of the query loss where the parameters have adapted; ``reptile``: the way
            they have gone, in units of the learning rate.
        start: What each parameter was before the task.
        query: Gradients of the query loss at the adapted parameters.
        rate: Learning rate of the adaptation.

    Source: Finn et al., "Model-Agnostic Meta-Learning", ICML 2017, section 5.2; Nichol et al., "On First-Order
    Meta-Learning Algorithms", 2018, section 3.
    """
    if method == "fo_maml":
        return query
    ways = {parameter: before - parameter.data for parameter, before in start.items()}
    return {parameter: way / rate for parameter, way in ways.items() if way.any()}
