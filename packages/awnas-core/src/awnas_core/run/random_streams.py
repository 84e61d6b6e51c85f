"""The random generators of a run: one stream for each component, and the global ones."""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np


class RandomStreams:
    """Independent generators by name, all following from one seed.

    A component's stream depends on the seed and its own name alone, so that adding a component
    to a config leaves the draws of the others as they were.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._streams: dict[str, np.random.Generator] = {}

    def get(self, name: str) -> np.random.Generator:
        """Return the stream called ``name``; the same object each time."""
        if name not in self._streams:
            self._streams[name] = np.random.default_rng([self.seed, *name.encode()])
        return self._streams[name]

    def state(self) -> dict[str, Any]:
        """Return the states of all streams handed out so far."""
        return {name: stream.bit_generator.state for name, stream in self._streams.items()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue every stream where ``state`` left it."""
        for name, stream in state.items():
            self.get(name).bit_generator.state = stream


def seed_global(seed: int) -> None:
    """Seed the global generators of Python, numpy and, when it is loaded, torch."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    if (torch := sys.modules.get("torch")) is not None:
        torch.manual_seed(seed)


def global_state() -> dict[str, Any]:
    """Return the states of the global generators."""
    version, numbers, gauss = random.getstate()
    name, keys, position, has_gauss, cached = np.random.get_state(legacy=True)
    state: dict[str, Any] = {
        "python": {"version": version, "numbers": list(numbers), "gauss": gauss},
        "numpy": {"name": name, "keys": keys, "position": position, "has_gauss": has_gauss, "cached": cached},
    }
    if (torch := sys.modules.get("torch")) is not None:
        state["torch"] = torch.get_rng_state()
        if torch.cuda.is_available() and torch.cuda.is_initialized():
            state["cuda"] = torch.cuda.get_rng_state_all()
    return state


def load_global_state(state: Mapping[str, Any]) -> None:
    """Put the global generators back to ``state``."""
    python, numpy_state = state["python"], state["numpy"]
    random.setstate((python["version"], tuple(python["numbers"]), python["gauss"]))
    np.random.set_state(
        tuple(numpy_state[key] for key in ("name", "keys", "position", "has_gauss", "cached"))
    )
    if (torch := sys.modules.get("torch")) is not None:
        if "torch" in state:
            torch.set_rng_state(state["torch"])
        if "cuda" in state and torch.cuda.is_available():
            torch.cuda.set_rng_state_all(state["cuda"])
