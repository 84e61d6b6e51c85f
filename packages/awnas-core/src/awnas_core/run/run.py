"""A run: the epochs of a search or a training, with hooks, events, checkpoints and exact resumption around them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from awnas_core.components import Component, walk
from awnas_core.errors import CheckpointError
from awnas_core.rollout import Purpose, Rollout
from awnas_core.run.checkpoint import Checkpoint, CheckpointStore
from awnas_core.run.files import write_atomically
from awnas_core.run.metrics_log import MetricsLog
from awnas_core.run.observers import Observers
from awnas_core.run.random_streams import RandomStreams, global_state, load_global_state, seed_global
from awnas_core.world import World


class Run:
    """Everything around the epochs that a trainer does not want to know.

    ::

        with Run({"controller": controller, "evaluator": evaluator}, RandomStreams(0)) as run:
            for epoch in run.epochs(10):
                ...
                run.report(epoch, {"reward": 0.9}, phase="controller")

    Args:
        components: Role → component; their states make up a checkpoint.
        streams: The generators of the components.
        folder: The run directory; None keeps nothing on disk.
        observers: Who is told of events.
        world: The processes of the run; only rank 0 writes.
        save_every: Besides the last two checkpoints, keep every so many epochs' one.
    """

    def __init__(
        self,
        components: Mapping[str, Component],
        streams: RandomStreams,
        *,
        folder: Path | None = None,
        observers: Observers | None = None,
        world: World = World(),
        save_every: int | None = None,
    ) -> None:
        self.components = dict(components)
        self.streams = streams
        self.folder = folder
        self.observers = observers or Observers()
        self.world = world
        self.epoch = 0
        self._save_every = save_every
        self._values: dict[str, float] = {}
        self._started = 0.0
        self._writes = folder is not None and world.is_main
        self._store = CheckpointStore(folder) if folder is not None and self._writes else None
        self._log = MetricsLog(folder / "metrics.jsonl") if folder is not None and self._writes else None

    def __enter__(self) -> Self:
        self.observers.notify("awnas_run_started", run=self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        status = "done" if error is None else "failed" if isinstance(error, Exception) else "interrupted"
        self.observers.notify("awnas_run_finished", run=self, status=status)

    def resume(self, checkpoint: Checkpoint) -> None:
        """Continue after ``checkpoint``: components, generators, and the metrics file cut back to it."""
        restore(self.components, checkpoint)
        self.streams.load_state(checkpoint.states["rng"]["streams"])
        load_global_state(checkpoint.states["rng"]["global"])
        self.epoch = checkpoint.epoch
        if self._log is not None:
            self._log.truncate(int(checkpoint.meta["metrics_offset"]))

    def epochs(self, total: int) -> Iterator[int]:
        """Yield the epochs still to run, 1-based, up to ``total``.

        Around each: epoch hooks of every component that can be reached, events, the row in ``metrics.jsonl``, and a
        whole checkpoint. After the last, the checkpoint ``final``.
        """
        if self.epoch == 0:
            seed_global(self.streams.seed)
            if self._log is not None:  # what a run killed before its first checkpoint left behind
                self._log.truncate(0)
        for epoch in range(self.epoch + 1, total + 1):
            self._start_epoch(epoch)
            yield epoch
            self._finish_epoch(epoch)
        if self._store is not None:
            self._store.save_final(self.epoch, self._states(), self._meta())

    def save(self) -> None:
        """Write the checkpoint of the epoch that has just ended."""
        if self._store is not None:
            path = self._store.save(self.epoch, self._states(), self._meta())
            self._store.prune(keep_last=2, keep_every=self._save_every)
            self.observers.notify("awnas_checkpoint_saved", run=self, epoch=self.epoch, path=path)

    def write_json(self, name: str, data: object) -> None:
        """Write a JSON file into the run directory; nothing for empty data or without a directory."""
        if self.folder is not None and self._writes and data:
            write_atomically(self.folder / name, (json.dumps(data) + "\n").encode())

    def report(self, epoch: int, values: Mapping[str, float], phase: str = "") -> None:
        """Note values of this epoch; ``phase`` becomes the first part of their names."""
        assert epoch == self.epoch, "values belong to the running epoch"
        self._values |= {f"{phase}/{name}" if phase else name: float(value) for name, value in values.items()}

    def step_finished(self, phase: str, step: int, steps: int) -> None:
        """Tell observers that step ``step`` of ``steps`` of a phase is done."""
        self.observers.notify("awnas_step_finished", run=self, phase=phase, step=step, steps=steps)

    def evaluated(self, rollouts: Sequence[Rollout], purpose: Purpose) -> None:
        """Tell observers of rollouts whose evaluation was just recorded."""
        self.observers.notify("awnas_rollouts_evaluated", run=self, rollouts=rollouts, purpose=purpose)

    def _start_epoch(self, epoch: int) -> None:
        self.epoch, self._values, self._started = epoch, {}, time.perf_counter()
        for component in walk(*self.components.values()):
            component.on_epoch_start(epoch)
        self.observers.notify("awnas_epoch_started", run=self, epoch=epoch)

    def _finish_epoch(self, epoch: int) -> None:
        for component in walk(*self.components.values()):
            component.on_epoch_end(epoch)
        if self._log is not None:
            seconds = time.perf_counter() - self._started
            self._log.append({"epoch": epoch, **self._values, "time": {"epoch_seconds": seconds}})
        self.observers.notify("awnas_epoch_finished", run=self, epoch=epoch, metrics=dict(self._values))
        self.save()

    def _states(self) -> dict[str, Any]:
        states = {role: state for role, component in self.components.items() if (state := component.state())}
        return states | {"rng": {"streams": self.streams.state(), "global": global_state()}}

    def _meta(self) -> dict[str, Any]:
        assert self._log is not None, "checkpoints and metrics are written together"
        return {"seed": self.streams.seed, "metrics_offset": self._log.offset}


class UnfitStateError(CheckpointError):
    """A state that a component of this config cannot take up."""


def restore(components: Mapping[str, Component], checkpoint: Checkpoint) -> None:
    """Give every component its state from ``checkpoint``.

    Raises: CheckpointError when there is none for a component that has one; UnfitStateError when one does not fit.
    """
    for role, component in components.items():
        if role in checkpoint.states:
            _load(component, role, checkpoint)
        elif component.state():
            held = ", ".join(name for name in checkpoint.states if name != "rng")
            raise CheckpointError(
                f"checkpoint '{checkpoint.path}' is of another kind of run: it holds no {role}, only {held}"
            )


def _load(component: Component, role: str, checkpoint: Checkpoint) -> None:
    try:
        component.load_state(checkpoint.states[role])
    except Exception as error:  # states of another network fail in as many ways as there are components
        first, _, more = str(error).partition("\n")
        detail = " ".join([first, *more.split("\n")[:1]]).replace("\t", " ").strip()
        raise UnfitStateError(
            f"checkpoint '{checkpoint.path}' holds another {role} than this config has: {detail}"
        ) from error
