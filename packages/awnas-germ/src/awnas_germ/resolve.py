"""A network with all choices made: a structural copy that borrows the weights, or one that owns its share."""

from __future__ import annotations

import types
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from awnas_germ.choices import Choices, Expression
from awnas_germ.constraints import RULES

if TYPE_CHECKING:
    from awnas_germ.relax import Relaxer

_TORCH = frozenset(vars(nn.Module()))
"""What every module keeps for itself: parameters, hooks and the like."""
_CONTAINERS = frozenset(name for name in _TORCH if isinstance(vars(nn.Module())[name], (dict, set)))


class Searchable(nn.Module, ABC):
    """A module whose computation depends on choices, and that knows how to make them.

    Its attributes may hold expressions; :meth:`resolved` gives what takes its place when they are decided.
    """

    @abstractmethod
    def resolved(self, resolver: Resolver) -> nn.Module:
        """Return the module under an assignment: with borrowed weights, or (``resolver.owns``) as a plain module."""

    @abstractmethod
    def relaxed(self, relaxer: Relaxer) -> nn.Module:
        """Return a module with borrowed weights that mixes its outputs under all values of its choices.

        The sum over values of (weight of the value) · (output under it, padded with zeros to the largest).
        """

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse: nothing is decided yet."""
        raise RuntimeError(
            f"{type(self).__name__} has choices that are not made; run a candidate of the weights manager, "
            "or finalize an architecture"
        )


class Resolver:
    """Makes all choices of a network.

    A module that is not :class:`Searchable` is copied without its tensors: the copy shares parameters and buffers,
    has the resolved modules as members, and plain values where its attributes held expressions. So the user's forward
    runs unchanged, nothing of the original is touched, and what comes out is an ordinary module.

    Args:
        chosen: Choice → value.
        owns: Whether the result gets weights of its own instead of borrowing them.
    """

    def __init__(self, chosen: Mapping[Choices, Any], *, owns: bool = False) -> None:
        self.chosen = chosen
        self.owns = owns
        self._made: dict[int, nn.Module] = {}
        self._tensors: dict[int, torch.Tensor] = {}

    def made_of(self, module: nn.Module) -> nn.Module | None:
        """Return what took the place of ``module``; None when it was left out."""
        return self._made.get(id(module))

    def value(self, expression: Any) -> Any:
        """Return the value of an expression; what is none comes back as it is."""
        return expression.value(self.chosen) if isinstance(expression, Expression) else expression

    def module(self, module: nn.Module) -> nn.Module:
        """Return what takes the place of ``module``; the same for the same module."""
        if id(module) not in self._made:
            if isinstance(module, Searchable):
                made = self.replace(module)
                made.train(module.training)
                self._made[id(module)] = made
            else:
                self._copy(module)
        return self._made[id(module)]

    def replace(self, module: Searchable) -> nn.Module:
        """Return what takes the place of a searchable module."""
        return module.resolved(self)

    def tensor(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return a parameter or buffer as the result holds it: itself, or a copy; one copy of each."""
        if not self.owns:
            return tensor
        if id(tensor) not in self._tensors:
            copy = tensor.detach().clone()
            self._tensors[id(tensor)] = (
                nn.Parameter(copy, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else copy
            )
        return self._tensors[id(tensor)]

    def _copy(self, module: nn.Module) -> None:
        copy = type(module).__new__(type(module))
        self._made[id(module)] = copy  # first, for members that refer back to it
        own = vars(module)
        vars(copy).update({k: value.copy() if k in _CONTAINERS else value for k, value in own.items()})
        for tensors in ("_parameters", "_buffers"):
            vars(copy)[tensors] = {k: t if t is None else self.tensor(t) for k, t in own[tensors].items()}
        vars(copy)["_modules"] = {k: m if m is None else self.module(m) for k, m in own["_modules"].items()}
        for name, value in own.items():
            if name not in _TORCH:
                vars(copy)[name] = self._attribute(value)
        vars(copy).pop(RULES, None)

    def _attribute(self, value: Any) -> Any:
        if isinstance(value, Expression):
            return value.value(self.chosen)
        if isinstance(value, nn.Module):
            return self.module(value)
        if isinstance(value, dict):
            return {key: self._attribute(item) for key, item in value.items()}
        if type(value) in (list, tuple):
            return type(value)(self._attribute(item) for item in value)
        if isinstance(value, types.MethodType) and isinstance(value.__self__, nn.Module):
            return types.MethodType(value.__func__, self.module(value.__self__))
        return value
