"""A genotype list that grows while architectures are measured."""

from __future__ import annotations

from pathlib import Path

from awnas_core.roles.search_space import SearchSpace
from awnas_core.rollout import Arch, Evaluation, Rollout
from awnas_core.search.genotype_file import format_rollouts, read_evaluated


class ResultFile:
    """Keeps what was measured before, and appends each new result at once.

    Args:
        path: The genotype list; it need not exist.
        space: Reads its genotypes.

    Raises: GenotypeError when the file holds anything but architectures of ``space``.
    """

    def __init__(self, path: Path, space: SearchSpace) -> None:
        self.path = path
        self.known: dict[Arch, Evaluation] = {}
        if path.exists():
            for genotype, evaluation in read_evaluated(path):
                arch = space.parse(genotype) if isinstance(genotype, str) else space.check_arch(genotype)
                self.known[arch] = evaluation

    def append(self, rollout: Rollout) -> None:
        """Write one result down, unless it stands there already."""
        if rollout.evaluation is None or rollout.arch in self.known:
            return
        text = format_rollouts([rollout], first_index=len(self.known))
        with self.path.open("a", encoding="utf-8") as file:
            file.write(text)
        self.known[rollout.arch] = rollout.evaluation
