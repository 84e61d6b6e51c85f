"""A contest: every algorithm with every seed, in parallel processes, one file for each search that is done."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from awnas_benchmarks.arena.budget import Budget
from awnas_benchmarks.arena.job import Job, run_job
from awnas_benchmarks.arena.trajectory import Trajectory
from awnas_core.errors import ConfigError
from awnas_core.run.files import remove_leftovers, write_atomically
from awnas_core.session import installed_registry, open_session

CONTEST = "contest.json"
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Entrant:
    """An algorithm in a contest.

    Args:
        name: How it is called in the results.
        config: Path of its config, or name of a preset.
    """

    name: str
    config: str

    @classmethod
    def parse(cls, text: str) -> Entrant:
        """Read ``CONFIG`` or ``NAME=CONFIG``."""
        name, equals, config = text.partition("=")
        return cls(name, config) if equals else cls(Path(text).stem, text)


class Contest:
    """Searches to compare, and the folder that keeps them.

    A contest that was killed goes on where it was: a search that is done has its file, one that is not is run from its
    start, which gives the same as if nothing had happened.

    Args:
        folder: Where the results go.
        entrants: The algorithms.
        budget: What each search may spend.
        overrides: ``a.b=c`` texts for all of them.

    Raises: ConfigError when two entrants have one name, a config cannot be used, or the folder holds another contest.
    """

    def __init__(
        self, folder: Path, entrants: Sequence[Entrant], budget: Budget, overrides: Sequence[str] = ()
    ) -> None:
        names = [entrant.name for entrant in entrants]
        if len(set(names)) < len(names):
            raise ConfigError(f"two entrants have one name: {', '.join(names)}; call one with NAME=CONFIG")
        self.folder = folder
        self.entrants = tuple(entrants)
        self.budget = budget
        self.overrides = tuple(overrides)

    def enter(self, *, overwrite: bool = False) -> None:
        """Check every config, and open the folder or go on in it.

        Raises: ConfigError as above.
        """
        registry = installed_registry()
        configs = {
            entrant.name: open_session(
                entrant.config, "search", overrides=self.overrides, registry=registry, seed=0
            ).config.resolved()
            for entrant in self.entrants
        }
        known = {"budget": str(self.budget), "configs": configs}
        file = self.folder / CONTEST
        if file.exists() and overwrite:
            shutil.rmtree(self.folder)
        if file.exists():
            self._refuse_another(json.loads(file.read_text(encoding="utf-8")), json.loads(json.dumps(known)))
            remove_leftovers(self.folder)
        elif self.folder.exists() and any(self.folder.iterdir()):
            raise ConfigError(f"'{self.folder}' is not empty and holds no contest; choose another folder")
        write_atomically(file, (json.dumps(known, indent=1) + "\n").encode())

    def run(
        self, seeds: Sequence[int], processes: int, progress: Progress = lambda done, total: None
    ) -> None:
        """Run what is not done yet.

        Raises: the error of the first search that fails; those that are done stay done.
        """
        todo = [job for job in self._jobs(seeds) if not self._file(job.algorithm, job.seed).exists()]
        if not todo:
            return
        context = multiprocessing.get_context("spawn")  # a fork would inherit threads of whoever calls
        workers = min(processes, len(todo))
        with ProcessPoolExecutor(workers, mp_context=context, initializer=_one_thread) as pool:
            futures = [pool.submit(run_job, job) for job in todo]
            try:
                for done, future in enumerate(as_completed(futures), 1):
                    self._keep(future.result())
                    progress(done, len(todo))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def trajectories(self, seeds: Sequence[int]) -> dict[str, list[Trajectory]]:
        """Return the searches by algorithm, each in the order of the seeds.

        Raises: ConfigError when they do not report the same quantity.
        """
        found = {
            entrant.name: [self._read(entrant.name, seed) for seed in seeds] for entrant in self.entrants
        }
        metrics = {item.metric for items in found.values() for item in items}
        if len(metrics) > 1:
            raise ConfigError(f"these algorithms report different things: {', '.join(sorted(metrics))}")
        return found

    def _jobs(self, seeds: Sequence[int]) -> Iterator[Job]:
        """Yield seed by seed, so that a contest broken off has something of everybody."""
        for seed in seeds:
            for entrant in self.entrants:
                yield Job(entrant.name, entrant.config, self.overrides, seed, self.budget)

    def _file(self, algorithm: str, seed: int) -> Path:
        return self.folder / "searches" / algorithm / f"{seed}.json"

    def _keep(self, trajectory: Trajectory) -> None:
        text = json.dumps(trajectory.to_record(), indent=1) + "\n"
        write_atomically(self._file(trajectory.algorithm, trajectory.seed), text.encode())

    def _read(self, algorithm: str, seed: int) -> Trajectory:
        return Trajectory.from_record(json.loads(self._file(algorithm, seed).read_text(encoding="utf-8")))

    def _refuse_another(self, old: dict[str, object], new: dict[str, object]) -> None:
        """Refuse to go on with another budget or config; new entrants may join."""
        changed = [] if old["budget"] == new["budget"] else ["the budget"]
        before, now = old["configs"], new["configs"]
        assert isinstance(before, dict)
        assert isinstance(now, dict)
        changed += [name for name in before if name in now and before[name] != now[name]]
        if changed:
            raise ConfigError(
                f"'{self.folder}' holds a contest with other settings of {', '.join(changed)}; "
                "replace it with --overwrite, or choose another folder"
            )


def _one_thread() -> None:
    os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
