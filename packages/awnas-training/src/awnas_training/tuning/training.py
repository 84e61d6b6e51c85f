"""Training one architecture by a final-training config, a few epochs at a time."""

from __future__ import annotations

import contextlib
import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch

from awnas_core import api
from awnas_core.device import Device
from awnas_core.errors import ConfigError
from awnas_core.layers import total_cost
from awnas_core.plugins.manager import discover
from awnas_core.plugins.registry import Registry
from awnas_core.run.directory import config_of_run
from awnas_core.run.lock import unlock_folder
from awnas_core.run.options import RunOptions
from awnas_core.run.random_streams import global_state, load_global_state
from awnas_core.session import Session, open_session

COSTS = ("params", "macs", "flops")
HELD_OUT = "valid/"
"""What final trainers report of held-out data begins with this."""


@dataclass(frozen=True, slots=True)
class Training:
    """How candidates are trained. Plain data, so that another process can do it.

    Args:
        config: Path of a final-training config, or name of a preset.
        overrides: ``a.b=c`` texts.
        plugin_files: Plugins that are files.
        device: Where.
        seed: With the genotype it gives the seed of each training.
        folder: Where trainings are kept, so that they can go on.
    """

    config: str
    overrides: tuple[str, ...]
    plugin_files: tuple[Path, ...]
    device: Device
    seed: int
    folder: Path

    def open(self, genotype: str | None = None, epochs: int | None = None) -> Session:
        """Open the config, for an architecture and a number of epochs where they are given.

        Raises: ConfigError (all problems at once) when it cannot be used.
        """
        texts = list(self.overrides)
        if genotype is not None:
            texts.append(f"final_model_cfg.genotypes={json.dumps(genotype)}")
        if epochs is not None:
            texts.append(f"final_trainer_cfg.epochs={epochs}")
        return open_session(
            self.config,
            "final",
            overrides=texts,
            registry=_registry(self.plugin_files),
            device=self.device,
            seed=self._seed(genotype or ""),
        )

    def costs(self, genotype: str) -> dict[str, float]:
        """Return parameters, multiply-adds and FLOPs of an architecture, before any training."""
        with own_randomness():
            cost = total_cost(self.open(genotype).get("final_model").layers())
        return {name: float(getattr(cost, name)) for name in COSTS}

    def train(self, genotype: str, epochs: int) -> dict[str, float]:
        """Train until ``epochs`` are over, from where an earlier call stopped, and return what was held out gives.

        Its costs are told besides.

        Raises: ConfigError when nothing is held out; whatever the training raises.
        """
        run = self.folder / hashlib.sha256(genotype.encode()).hexdigest()[:16]
        is_begun = config_of_run(run) is not None
        try:
            with own_randomness():
                api.train(
                    self.open(genotype, epochs),
                    RunOptions(train_dir=run, resume=is_begun, overwrite=not is_begun),
                )
        finally:
            unlock_folder(run)  # another process may go on with it
        measured = _last_held_out(run / "metrics.jsonl")
        if not measured:
            raise ConfigError(
                f"'{self.config}' measures nothing on held-out data within {epochs} epochs: hold out a "
                "final_trainer_cfg.valid_portion of the training data, or give the data set a split 'valid'"
            )
        return {**measured, **self.costs(genotype)}

    def _seed(self, genotype: str) -> int:
        return int(np.random.SeedSequence([self.seed, zlib.crc32(genotype.encode())]).generate_state(1)[0])


@cache
def _registry(plugin_files: tuple[Path, ...]) -> Registry:
    return Registry(discover(local=False, files=plugin_files))


@contextlib.contextmanager
def own_randomness() -> Iterator[None]:
    """Leave the global generators as they are: a training seeds them, and the search around it uses them too."""
    state = global_state()
    try:
        yield
    finally:
        load_global_state(state)


def _last_held_out(metrics: Path) -> Mapping[str, float]:
    rows = [json.loads(line) for line in metrics.read_text(encoding="utf-8").splitlines()]
    for row in reversed(rows):
        held_out = {k.removeprefix(HELD_OUT): v for k, v in row.items() if k.startswith(HELD_OUT)}
        if held_out:
            return held_out
    return {}


def one_thread() -> None:
    """Let this process compute with one thread: several workers would only get in each other's way."""
    torch.set_num_threads(1)
