"""Reading the decisions off a network: names of its choices, and when each one matters."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field

from torch import nn

from awnas_core.decisions import Condition, Decision, Decisions
from awnas_core.errors import ConfigError
from awnas_germ.choices import Choices, leaves_of
from awnas_germ.constraints import RULES, all_kept, rules_of
from awnas_germ.containers import Branch, Container

Chain = tuple[Branch, ...]
"""The branches that all have to be taken for a module to be there, outermost first."""


@dataclass
class Placed:
    """A module of the network.

    Args:
        path: Its path.
        module: The module.
        chains: What has to be decided for it to be there; one chain for each place where it stands.
    """

    path: str
    module: nn.Module
    chains: list[Chain]


@dataclass
class Layout:
    """The choices of a network in the order in which it holds them, and where its modules stand.

    Args:
        names: Choice → name of the decision.
        placed: Every module once, parents first.
    """

    names: dict[Choices, str] = field(default_factory=dict)
    placed: list[Placed] = field(default_factory=list)
    _used_below: dict[Choices, set[Branch | None]] = field(default_factory=dict)

    @property
    def columns(self) -> dict[Choices, int]:
        """Choice → place of its decision."""
        return {choice: column for column, choice in enumerate(self._ordered())}

    def decisions(self, network: nn.Module) -> Decisions:
        """Return the decisions, what each depends on before it, and the rules that the network states.

        Raises: ConfigError when there is nothing to decide.
        """
        if not self.names:
            raise ConfigError(f"{type(network).__name__} holds no Choices, so there is nothing to search")
        items = [Decision(self.names[c], c.choices, self._condition(c)) for c in self._ordered()]
        rules = rules_of(network)
        if unknown := [leaf for rule in rules for leaf in rule.leaves if leaf not in self.names]:
            raise ConfigError(f"a rule depends on {unknown[0]!r}, which no module of the network holds")
        return Decisions(items, functools.partial(all_kept, rules, self.columns) if rules else None)

    def add(self, choice: Choices, name: str, chain: Chain) -> None:
        """Note that a choice is used at ``name``, below the branches of ``chain``."""
        if choice not in self.names:
            name = choice.name or name
            if name in self.names.values():
                raise ConfigError(f"two choices are called '{name}'; give one another name")
            self.names[choice] = name
        self._used_below.setdefault(choice, set()).add(chain[-1] if chain else None)

    def _nearest(self, choice: Choices) -> Branch | None:
        """The one branch below which a choice is used; None when it is used elsewhere too."""
        below = self._used_below[choice]
        branch = next(iter(below)) if len(below) == 1 else None
        return None if branch is None or branch.choice is choice else branch

    def _condition(self, choice: Choices) -> Condition | None:
        branch = self._nearest(choice)
        return None if branch is None else Condition(self.names[branch.choice], branch.values)

    def _ordered(self) -> list[Choices]:
        """Choices in order of appearance, but each behind the one it depends on."""
        ordered: dict[Choices, None] = {}

        def place(choice: Choices) -> None:
            if (branch := self._nearest(choice)) is not None:
                place(branch.choice)
            ordered.setdefault(choice)

        for choice in self.names:
            place(choice)
        return list(ordered)


def read_layout(network: nn.Module) -> Layout:
    """Return the layout of a network; names follow the paths of modules and attributes."""
    layout = Layout()
    places: dict[int, Placed] = {}
    for path, module, chain in _walk(network, "", ()):
        if id(module) not in places:
            places[id(module)] = Placed(path, module, [])
        places[id(module)].chains.append(chain)
        prefix = f"{path}." if path else ""
        for attribute, value in vars(module).items():
            if attribute.startswith("_") or attribute == RULES:
                continue
            leaves = leaves_of(value)
            for number, leaf in enumerate(leaves):
                suffix = "" if leaf is value or len(leaves) == 1 else f".{number}"
                layout.add(leaf, f"{prefix}{attribute}{suffix}", chain)
    layout.placed = list(places.values())
    return layout


def _walk(module: nn.Module, path: str, chain: Chain) -> Iterator[tuple[str, nn.Module, Chain]]:
    yield path, module, chain
    branches = {id(b.module): b for b in module.branches()} if isinstance(module, Container) else {}
    for name, member in module.named_children():
        inner = f"{path}.{name}" if path else name
        if branches:  # the list or dict that holds the members of a container is no module of the network
            for key, item in member.named_children():
                yield from _walk(item, f"{inner}.{key}", _longer(chain, branches.get(id(item))))
        else:
            yield from _walk(member, inner, chain)


def _longer(chain: Chain, branch: Branch | None) -> Chain:
    return chain if branch is None else (*chain, branch)
