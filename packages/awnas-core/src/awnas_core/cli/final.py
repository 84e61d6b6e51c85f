"""``awnas train``, ``mptrain`` and ``test``: one found architecture for real."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from awnas_core.cli import options as o

if TYPE_CHECKING:
    from awnas_core.run.options import RunOptions
    from awnas_core.session import Session

commands = typer.Typer()
Genotype = Annotated[
    str | None,
    typer.Option(
        "--genotype",
        metavar="TEXT|FILE",
        help="What to train: genotype text, or a genotype list (its first).",
    ),
]
Load = Annotated[
    Path | None, typer.Option("--load", metavar="DIR", help="Start from the weights of another training run.")
]


@commands.command()
def train(
    cfg: o.Cfg,
    genotype: Genotype = None,
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
    """Train an architecture.

    Example: awnas train enas-digits-final --genotype genotypes.yaml --train-dir runs/final
    """
    from awnas_core.cli.search import observers_of
    from awnas_core.run.options import RunOptions

    session = o.session_of(
        cfg,
        "final",
        overrides=[*o.genotype_override(genotype), *overrides],
        plugins=plugins,
        device=o.device_of(device, gpu, dtype, memory_format),
        seed=seed,
    )
    _train(
        session,
        RunOptions(
            train_dir=train_dir,
            resume=resume,
            overwrite=overwrite,
            load=load,
            save_every=save_every,
            observers=observers_of("train.log", vis_dir),
            command=sys.argv,
        ),
    )


@commands.command()
def mptrain(
    cfg: o.Cfg,
    genotype: Genotype = None,
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
    """Train in several processes.

    Example: torchrun --nproc-per-node 2 -m awnas_core mptrain CFG
    """
    from awnas_core.cli.processes import process_group
    from awnas_core.cli.search import observers_of
    from awnas_core.run.options import RunOptions

    with process_group(o.device_of(device, None, dtype, memory_format)) as (world, own_device):
        session = o.session_of(
            cfg,
            "final",
            overrides=[*o.genotype_override(genotype), *overrides],
            plugins=plugins,
            device=own_device,
            seed=seed,
            world=world,
        )
        _train(
            session,
            RunOptions(
                train_dir=train_dir,
                resume=resume,
                overwrite=overwrite,
                load=load,
                save_every=save_every,
                observers=observers_of("train.log", None) if world.is_main else (),
                command=sys.argv,
            ),
        )


@commands.command()
def test(
    cfg: o.Cfg,
    load: Annotated[
        Path, typer.Option("--load", metavar="DIR", help="Run directory of a training, or one checkpoint.")
    ],
    split: Annotated[
        list[str], typer.Option("-s", "--split", metavar="NAME", help="Split of the data set; repeatable.")
    ] = ["test"],
    genotype: Genotype = None,
    json: o.JsonFile = None,
    seed: o.Seed = None,
    device: o.DeviceName = "auto",
    gpu: o.Gpu = None,
    overrides: o.Overrides = [],
    plugins: o.PluginFiles = [],
) -> None:
    """Measure a trained model.

    Example: awnas test enas-digits-final --load runs/final --split test
    """
    from awnas_core import api
    from awnas_core.cli.console import perf_text, write_json

    texts = o.genotype_override(genotype) or o.genotype_of_run(load)
    session = o.session_of(
        cfg,
        "final",
        overrides=[*texts, *overrides],
        plugins=plugins,
        device=o.device_of(device, gpu),
        seed=seed,
    )
    results = api.test(session, load, split)
    for name, perf in results.items():
        typer.echo(f"{name}: {perf_text(perf)}")
    write_json(json, results)


def _train(session: Session, options: RunOptions) -> None:
    from awnas_core import api
    from awnas_core.cli.console import say

    api.train(session, options)
    if options.train_dir is not None and session.world.is_main:
        say(f"trained model: {options.train_dir / 'final'}")
