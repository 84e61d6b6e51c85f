"""The data set: examples, in named splits, and facts about them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from awnas_core.components import Component


class Dataset(Component, ABC):
    """Examples in named splits.

    The type of the data (``image``, ``sequence``, …) is stated in the component's spec.
    """

    @abstractmethod
    def splits(self) -> Mapping[str, Any]:
        """Return split name → map-style collection of examples (``len``, ``[index]``).

        A split's randomness (augmentation) draws from the global generators, which the data queue seeds for every item.
        """

    @abstractmethod
    def facts(self) -> Mapping[str, Any]:
        """Return what other components may ask for by name: ``num_classes``, ``input_shape`` ``(C, H, W)``, …."""

    def views(self) -> Mapping[str, str]:
        """Return split → the split whose examples it shows in another way (``train_testTransform`` → ``train``)."""
        return {}
