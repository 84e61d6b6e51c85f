"""The search space that a network with choices is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from awnas_core.decisions import Codes, Decisions
from awnas_core.errors import ConfigError, GenotypeError, did_you_mean
from awnas_core.options import Child
from awnas_core.relaxation import Mixture
from awnas_core.roles.search_space import SearchSpace
from awnas_core.rollout import Arch
from awnas_germ.choices import Choices
from awnas_germ.cost import CostTables, Counts
from awnas_germ.genotype import GermGenotype, parse_genotype, text_of
from awnas_germ.layout import read_layout


class GermSpace(SearchSpace):
    """Every way to make the choices of a network.

    The decisions are found by building the network once, without memory for its weights. A choice is called after the
    attribute that holds it, or as its author says; one below a part that an architecture leaves out does not matter
    there.

    Args:
        network: The network, a component of kind ``germ_network``.
    """

    def __init__(
        self, input_shape: tuple[int, int, int], *, network: Any = Child("germ_network", deferred=True)
    ) -> None:
        self.make_network: Callable[[], nn.Module] = network
        self.input_shape = tuple(input_shape)
        with torch.device("meta"):
            blueprint = network()
        if not isinstance(blueprint, nn.Module):
            raise ConfigError(f"a germ_network must be a torch.nn.Module, got {type(blueprint).__name__}")
        layout = read_layout(blueprint)
        self._decisions = layout.decisions(blueprint)
        self._columns = {layout.names[choice]: column for choice, column in layout.columns.items()}
        self._costs = CostTables(blueprint, layout, self._decisions, self.input_shape)

    @property
    def decisions(self) -> Decisions:
        """One for each choice, in the order in which the network holds them."""
        return self._decisions

    @property
    def mixtures(self) -> tuple[Mixture, ...]:
        """One mixture of a single edge for each decision."""
        return tuple(Mixture(decision.name, decision.choices, (0,)) for decision in self._decisions)

    def discretize(self, relaxed: Mapping[str, npt.NDArray[np.floating[Any]]]) -> Arch:
        """Return the most likely value of every decision."""
        codes = [int(relaxed[d.name].reshape(-1, len(d.choices)).mean(0).argmax()) for d in self._decisions]
        active = self._decisions.active(np.array([codes]))[0]
        return tuple(code if on else 0 for code, on in zip(codes, active, strict=True))

    def genotype(self, arch: Arch) -> GermGenotype:
        """Return the value of every decision that matters."""
        return text_of(self._decisions.decode(arch))

    def parse(self, text: str) -> Arch:
        """Read a genotype text; decisions that do not matter may be left out.

        Raises: GenotypeError naming the decision that is unknown, missing, or has no such value.
        """
        given = parse_genotype(text)
        for name in given:
            if name not in self._columns:
                raise GenotypeError(f"no decision '{name}'{did_you_mean(name, self._columns)}")
        codes = [self._code(decision, given) for decision in self._decisions]
        active = self._decisions.active(np.array([codes]))[0]
        for decision, on in zip(self._decisions, active, strict=True):
            if on and decision.name not in given:
                raise GenotypeError(f"the genotype does not say '{decision.name}'")
        return self.check_arch([code if on else 0 for code, on in zip(codes, active, strict=True)])

    def columns_of(self, network: nn.Module) -> dict[Choices, int]:
        """Return the place of the decision of every choice of ``network``, which :attr:`make_network` made."""
        return {choice: self._columns[name] for choice, name in read_layout(network).names.items()}

    def costs(self, codes: Codes) -> Counts:
        """Return parameters and multiply-adds ``(n, 2)`` of rows of ``codes`` ``(n, D)``, without building them."""
        return self._costs.of(codes)

    @staticmethod
    def _code(decision: Any, given: Mapping[str, Any]) -> int:
        if decision.name not in given:
            return 0
        value = given[decision.name]
        for code, choice in enumerate(decision.choices):
            if choice == value and isinstance(choice, bool) == isinstance(value, bool):
                return code
        raise GenotypeError(f"'{decision.name}' is one of {list(decision.choices)}, got {value!r}")
