"""What several tests of this package write or build."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def write_pictures() -> Callable[..., None]:
    """Write pictures (width, height) of noise, or of one grey, into a folder."""

    def write(folder: Path, *names: str, size: tuple[int, int] = (20, 24), grey: int | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            rng = np.random.default_rng(sum(map(ord, folder.name + name)))
            noise = rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
            Image.fromarray(noise if grey is None else np.full_like(noise, grey)).save(folder / name)

    return write
