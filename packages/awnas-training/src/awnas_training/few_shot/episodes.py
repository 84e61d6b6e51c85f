"""Small tasks drawn from a data set: N classes with K examples each to learn from, and others to be tested on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import default_collate

from awnas_core.errors import ConfigError
from awnas_core.options import Child, PositiveInt
from awnas_core.roles.dataset import Dataset

Examples = tuple[Tensor, Tensor]
"""Inputs ``(n, …)`` and classes ``(n,)``."""
Task = tuple[Examples, Examples]
"""Support set, to learn from, and query set, to be tested on."""


@dataclass(frozen=True)
class Episodes:
    """A split of tasks, each drawn anew whenever it is asked for, from the global generator of torch.

    Classes are numbered 0 … N − 1 within a task.

    Args:
        examples: Map-style collection of (input, class).
        labels: Class of each example, ``(n,)``.
        classes: The classes that tasks are made of.
        n_way: N, classes of a task.
        k_shot: Examples of each class in the support set.
        k_query: Examples of each class in the query set.
        tasks: How many tasks make up a pass.

    Raises: ConfigError when there are too few classes, or examples of one.
    """

    examples: Any
    labels: np.ndarray[Any, Any]
    classes: Sequence[int]
    n_way: int
    k_shot: int
    k_query: int
    tasks: int

    def __post_init__(self) -> None:
        if len(self.classes) < self.n_way:
            raise ConfigError(
                f"n_way is {self.n_way}, but there are {len(self.classes)} classes to draw from"
            )
        counts = {label: int((self.labels == label).sum()) for label in self.classes}
        label = min(counts, key=lambda label: counts[label])
        if counts[label] < self.k_shot + self.k_query:
            raise ConfigError(
                f"k_shot + k_query is {self.k_shot + self.k_query}, but class {label} has {counts[label]} examples"
            )

    def __len__(self) -> int:
        return self.tasks

    def __getitem__(self, index: int) -> Task:
        """Return a task: support ``(N·K, …)`` and query ``(N·Q, …)``, class after class."""
        support: list[Any] = []
        query: list[Any] = []
        for number, choice in enumerate(torch.randperm(len(self.classes))[: self.n_way].tolist()):
            members = np.flatnonzero(self.labels == self.classes[choice])
            chosen = members[torch.randperm(len(members))[: self.k_shot + self.k_query].numpy()]
            drawn = [(self.examples[int(member)][0], number) for member in chosen]
            support += drawn[: self.k_shot]
            query += drawn[self.k_shot :]
        return _stacked(support), _stacked(query)


class FewShot(Dataset):
    """Tasks drawn from any data set: some of its classes to learn to learn on, the others to test that.

    Splits are ``train`` and ``test``, both of tasks and both from training examples; no class is in both.

    Args:
        base: The data set.
        n_way: Classes of a task.
        k_shot: Examples of each class to learn from.
        k_query: Examples of each class to be tested on.
        test_classes: So many classes, the last, are kept for ``test``.
        train_tasks: Tasks that make up a pass of ``train``.
        test_tasks: Tasks of ``test``.

    Source: Vinyals et al., "Matching Networks for One Shot Learning", NeurIPS 2016.
    """

    def __init__(
        self,
        *,
        base: Dataset = Child("dataset", "digits"),
        n_way: PositiveInt = 5,
        k_shot: PositiveInt = 1,
        k_query: PositiveInt = 15,
        test_classes: PositiveInt = 5,
        train_tasks: PositiveInt = 1000,
        test_tasks: PositiveInt = 100,
    ) -> None:
        self.base, self.n_way = base, n_way
        count = int(base.facts()["num_classes"])
        if test_classes >= count:
            raise ConfigError(f"test_classes is {test_classes}, but the data set has {count} classes in all")
        plain = next((view for view, split in base.views().items() if split == "train"), "train")
        labels = labels_of(base.splits()[plain])
        sizes = {"n_way": n_way, "k_shot": k_shot, "k_query": k_query}
        learnt, kept = range(count - test_classes), range(count - test_classes, count)
        self._splits = {
            "train": Episodes(base.splits()["train"], labels, learnt, **sizes, tasks=train_tasks),
            "test": Episodes(base.splits()[plain], labels, kept, **sizes, tasks=test_tasks),
        }

    def splits(self) -> Mapping[str, Episodes]:
        """Return train and test."""
        return self._splits

    def facts(self) -> Mapping[str, Any]:
        """Return the facts of the data set, with the number of classes of a task."""
        return {**self.base.facts(), "num_classes": self.n_way}


def labels_of(split: Any) -> np.ndarray[Any, Any]:
    """Return the class of every example, ``(n,)``; examples are read only where the split does not list them."""
    labels = getattr(split, "labels", None)
    return np.asarray([int(split[i][1]) for i in range(len(split))] if labels is None else labels)


def _stacked(examples: Sequence[Any]) -> Examples:
    inputs, labels = default_collate(list(examples))
    return inputs, labels
