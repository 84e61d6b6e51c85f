"""``awnas search`` and ``mpsearch``."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from awnas_core.cli import options as o

if TYPE_CHECKING:
    from awnas_core.rollout import Rollout
    from awnas_core.run.options import RunOptions
    from awnas_core.session import Session

commands = typer.Typer()
Load = Annotated[
    Path | None,
    typer.Option("--load", metavar="DIR", help="Start from the weights and controller of another run."),
]


@commands.command()
def search(
    cfg: o.Cfg,
    train_dir: o.TrainDir = None,
    resume: o.Resume = False,
    overwrite: o.Overwrite = False,
    load: Load = None,
    save_every: o.SaveEvery = None,
    seed: o.Seed = None,
    device: o.DeviceName = "auto",
    gpu: o.Gpu = None,
    dtype: o.DtypeName = "float32",
    memory_format: o.MemoryFormatName = "channels_last",
    vis_dir: o.Tensorboard = None,
    overrides: o.Overrides = [],
    plugins: o.PluginFiles = [],
) -> None:
    """Search architectures.

    Example: awnas search enas-digits --train-dir runs/enas
    """
    from awnas_core.run.options import RunOptions

    session = o.session_of(
        cfg,
        "search",
        overrides=overrides,
        plugins=plugins,
        device=o.device_of(device, gpu, dtype, memory_format),
        seed=seed,
    )
    _search(
        session,
        RunOptions(
            train_dir=train_dir,
            resume=resume,
            overwrite=overwrite,
            load=load,
            save_every=save_every,
            observers=observers_of("search.log", vis_dir),
            command=sys.argv,
        ),
    )


@commands.command()
def mpsearch(
    cfg: o.Cfg,
    train_dir: o.TrainDir = None,
    resume: o.Resume = False,
    overwrite: o.Overwrite = False,
    load: Load = None,
    save_every: o.SaveEvery = None,
    seed: o.Seed = 0,
    device: o.DeviceName = "auto",
    dtype: o.DtypeName = "float32",
    memory_format: o.MemoryFormatName = "channels_last",
    overrides: o.Overrides = [],
    plugins: o.PluginFiles = [],
) -> None:
    """Search in several processes.

    Example: torchrun --nproc-per-node 2 -m awnas_core mpsearch CFG
    """
    from awnas_core.cli.processes import process_group
    from awnas_core.run.options import RunOptions

    with process_group(o.device_of(device, None, dtype, memory_format)) as (world, own_device):
        session = o.session_of(
            cfg, "search", overrides=overrides, plugins=plugins, device=own_device, seed=seed, world=world
        )
        _search(
            session,
            RunOptions(
                train_dir=train_dir,
                resume=resume,
                overwrite=overwrite,
                load=load,
                save_every=save_every,
                observers=observers_of("search.log", None) if world.is_main else (),
                command=sys.argv,
            ),
        )


def observers_of(log: str, vis_dir: Path | None) -> list[object]:
    """Return who shows the run to people: progress, a log file, and TensorBoard when asked for."""
    from awnas_core.run.log_file import LogFile
    from awnas_core.run.progress import Progress

    observers: list[object] = [Progress(), LogFile(log, shlex.join(["awnas", *sys.argv[1:]]))]
    if vis_dir is not None:
        from awnas_core.run.tensorboard import TensorBoard

        observers.append(TensorBoard(vis_dir))
    return observers


def _search(session: Session, options: RunOptions) -> None:
    from awnas_core import api
    from awnas_core.cli.console import say

    rollouts = api.search(session, options)
    if not session.world.is_main:
        return
    _report(rollouts)
    if options.train_dir is not None:
        say(f"genotypes: {options.train_dir / 'genotypes.yaml'}")


def _report(rollouts: list[Rollout]) -> None:
    from awnas_core.cli.console import counted, perf_text, say

    best = rollouts[0]
    say(f"best of {counted(len(rollouts), 'derived architecture')} ({perf_text(best.perf) or best.status}):")
    typer.echo(str(best.genotype))
