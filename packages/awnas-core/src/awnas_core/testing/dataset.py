"""What every data set promises."""

# ruff: noqa: D102 - the names of tests are sentences

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from awnas_core.roles.dataset import Dataset
from awnas_core.testing.compare import global_seed, same
from awnas_core.testing.component import ComponentContract
from awnas_core.testing.making import registry_with


class DatasetContract(ComponentContract):
    """Tests that every data set passes."""

    kind: ClassVar[str] = "dataset"

    def use(self, component: Dataset) -> Any:
        """Read the first items of every split, as a data queue does: in a seeded scope."""
        with global_seed(5):
            splits = component.splits()
            return {
                name: [split[index] for index in range(min(2, len(split)))] for name, split in splits.items()
            }

    def test_there_are_splits_with_items(self) -> None:
        splits = self.made().splits()
        assert splits
        for name, split in splits.items():
            assert isinstance(name, str)
            assert len(split) > 0

    def test_facts_are_ones_that_the_kind_offers(self) -> None:
        assert set(self.made().facts()) <= set(registry_with("dataset").kinds["dataset"].provides)

    def test_items_have_the_shape_that_is_stated(self) -> None:
        dataset = self.made()
        shape = dataset.facts().get("input_shape")
        for items in self.use(dataset).values():
            for item in items:
                assert shape is None or np.shape(item[0]) == tuple(shape)

    def test_views_are_of_splits_of_equal_length(self) -> None:
        dataset = self.made()
        splits = dataset.splits()
        for view, split in dataset.views().items():
            assert len(splits[view]) == len(splits[split])

    def test_an_item_is_the_same_each_time_it_is_read_with_one_seed(self) -> None:
        dataset = self.made()
        assert same(self.use(dataset), self.use(dataset))
