"""Scopes in which everything that knows only the global generators is seeded by the one handed in."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def seeded(source: np.random.Generator | int) -> Iterator[None]:
    """Seed the global generators of torch, numpy and Python; restore them afterwards.

    For what cannot be handed a generator: initialisation, dropout, torchvision.

    Args:
        source: A generator, of which one number is drawn, or the seed itself, where the same noise is wanted twice.
    """
    seed = draw_seed(source) if isinstance(source, np.random.Generator) else source
    with preserved_globals():
        seed_globals(seed)
        yield


def draw_seed(rng: np.random.Generator) -> int:
    """Return a seed for :func:`seeded`, one draw of ``rng``."""
    return int(rng.integers(2**63))


@contextmanager
def preserved_globals() -> Iterator[None]:
    """Put the global generators back afterwards, also after an error."""
    python, legacy, cpu = random.getstate(), np.random.get_state(), torch.get_rng_state()
    on_cuda = torch.cuda.is_initialized()
    cuda = torch.cuda.get_rng_state() if on_cuda else None
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)
        torch.set_rng_state(cpu)
        if cuda is not None:
            torch.cuda.set_rng_state(cuda)


def seed_globals(seed: int) -> None:
    """Seed the global generators with ``seed``, 0 … 2⁶³ − 1."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed(seed)


def torch_generator(rng: np.random.Generator, device: torch.device | str = "cpu") -> torch.Generator:
    """Return a torch generator seeded from one draw of ``rng``; whoever holds it saves its state."""
    return torch.Generator(device).manual_seed(draw_seed(rng))
