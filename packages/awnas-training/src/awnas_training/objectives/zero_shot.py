"""Searching without training: zero-cost proxies as what is good."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from torch import Tensor
from torch.utils.data import default_collate

from awnas_core.device import Device
from awnas_core.errors import ConfigError
from awnas_core.metrics import Metric
from awnas_core.options import PositiveInt
from awnas_core.roles.dataset import Dataset
from awnas_core.roles.objective import Objective
from awnas_core.roles.search_space import SearchSpace
from awnas_core.roles.weights_manager import WeightsManager
from awnas_core.rollout import Arch, RelaxedRollout, Rollout
from awnas_torch.device import resolve
from awnas_torch.proxies import initialised, proxy_named, rank_sum, score, vote
from awnas_torch.seeding import draw_seed

COMBINED = {"vote": vote, "rank-sum": rank_sum}
Scores = npt.NDArray[np.float64]


class ZeroShotObjective(Objective):
    """Reports zero-cost proxies of an architecture with fresh weights, all on one batch; larger is better.

    Every architecture is scored once, and alike whenever that is: the layers of its network are initialised anew with
    the same seed. There is no loss. In a ``container`` it stands beside other objectives.

    Args:
        proxies: Names of the proxies, those of :data:`awnas_torch.proxies.PROXIES`.
        combine: What the reward is where no goals say otherwise: the ``first`` proxy; the share of random architectures
            that most proxies put below, ``vote``; or that a proxy puts below on average, ``rank-sum``.
        references: How many random architectures those are.
        batch_size: Images that networks are scored on.

    Source: Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS", ICLR 2021.
    """

    def __init__(
        self,
        search_space: SearchSpace,
        dataset: Dataset,
        weights_manager: WeightsManager,
        device: Device,
        rng: np.random.Generator,
        *,
        proxies: tuple[str, ...] = ("synflow",),
        combine: Literal["first", "vote", "rank-sum"] = "first",
        references: PositiveInt = 32,
        batch_size: PositiveInt = 64,
    ) -> None:
        self._space, self._weights_manager = search_space, weights_manager
        self.proxies, self.combine = proxies, combine
        self._seed = draw_seed(rng)
        self._references = references
        self._device = resolve(device)
        self._batch: tuple[Tensor, Tensor] = self._device.to(_batch(dataset, batch_size, rng))
        self._known: dict[Arch, Scores] = {}
        self._others: Scores | None = None

    @classmethod
    def check_options(cls, options: Mapping[str, Any]) -> None:
        """Refuse proxies that there are not, or none."""
        if not options["proxies"]:
            raise ConfigError("proxies must name at least one")
        for name in options["proxies"]:
            proxy_named(name)

    def metrics(self) -> tuple[Metric, ...]:
        """Return what several proxies agree on, where that is wanted, and every proxy."""
        names = [] if self.combine == "first" else [self.combine]
        return tuple(Metric(name, "max", "", "architecture") for name in (*names, *self.proxies))

    def get_loss(self, inputs: Any, outputs: Any, targets: Any, **context: Any) -> None:
        """Return nothing: no weight is trained."""
        return None

    def measure(self, rollout: Rollout) -> dict[str, float]:
        """Return all metrics; a relaxed architecture is worth what its most likely one is."""
        found = self._scores(rollout.discretize() if isinstance(rollout, RelaxedRollout) else rollout)
        perf = dict(zip(self.proxies, found.tolist(), strict=True))
        if self.combine == "first":
            return perf
        return {self.combine: float(COMBINED[self.combine](found[None], self._of_others())[0]), **perf}

    def _scores(self, rollout: Rollout) -> Scores:
        if rollout.arch not in self._known:
            inputs, targets = self._batch
            network = initialised(self._weights_manager.assemble_candidate(rollout), self._seed)
            found = score(network, inputs, targets, self.proxies, seed=self._seed)
            self._known[rollout.arch] = np.array([found[name] for name in self.proxies])
        return self._known[rollout.arch]

    def _of_others(self) -> Scores:
        """Return the scores of random architectures, always the same ones, ``(references, proxies)``."""
        if self._others is None:
            rollouts = self._space.random_samples(self._references, np.random.default_rng(self._seed))
            self._others = np.stack([self._scores(rollout) for rollout in rollouts])
        return self._others


def _batch(dataset: Dataset, size: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Return random training images and their classes, without augmentation where the data set can."""
    splits = dataset.splits()
    split = splits.get("train_testTransform", splits["train"])
    chosen = rng.permutation(len(split))[:size].tolist()
    inputs, targets = default_collate([split[index] for index in chosen])
    return inputs, targets
