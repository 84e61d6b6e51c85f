"""The processes that work on one run together."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from awnas_core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class World:
    """This process among all of a run; rank 0 alone writes files.

    Args:
        rank: 0 … size − 1.
        size: Number of processes; 1 without torchrun.
        local_rank: Rank on this machine, which selects the GPU.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @property
    def is_main(self) -> bool:
        """Whether this process writes files and talks to people."""
        return self.rank == 0

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> World:
        """Read what torchrun sets.

        Raises: ConfigError naming the variables that are missing.
        """
        names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
        missing = [name for name in names if name not in environ]
        if missing:
            raise ConfigError(
                f"not started by torchrun: {', '.join(missing)} not set; "
                "use: torchrun --nproc-per-node 2 -m awnas_core mpsearch CFG …"
            )
        return cls(int(environ["RANK"]), int(environ["WORLD_SIZE"]), int(environ["LOCAL_RANK"]))
