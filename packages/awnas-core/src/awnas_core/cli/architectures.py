"""Commands about single architectures: ``random-sample``, ``sample``, ``eval-arch``, ``derive`` and ``show``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from awnas_core.cli import options as o
from awnas_core.errors import ConfigError

if TYPE_CHECKING:
    from awnas_core.rollout import Rollout

commands = typer.Typer()
Unique = Annotated[
    bool, typer.Option("--unique", help="No two of the same architecture; ends when there are no more.")
]
LoadRun = Annotated[
    Path, typer.Option("--load", metavar="DIR", help="Run directory of the search, or one checkpoint of it.")
]


@commands.command("random-sample")
def random_sample(
    cfg: o.Cfg,
    out_file: o.OutFile,
    number: o.Number = 1,
    unique: Unique = False,
    seed: o.Seed = None,
    dump_mode: o.DumpMode = "str",
    overrides: o.Overrides = [],
    plugins: o.PluginFiles = [],
) -> None:
    """Draw architectures at random.

    Example: awnas random-sample enas-digits -o archs.yaml -n 10 --unique
    """
    from awnas_core import api
    from awnas_core.cli.console import counted, say
    from awnas_core.search.genotype_file import write_rollouts

    mode = o.dump_mode(dump_mode)
    session = o.session_of(cfg, "search", overrides=overrides, plugins=plugins, seed=seed)
    rollouts = api.random_sample(session, number, unique=unique)
    write_rollouts(out_file, rollouts, mode)  # type: ignore[arg-type]
    say(f"{counted(len(rollouts), 'architecture')}: {out_file}")


@commands.command()
def sample(
    cfg: o.Cfg,
    load: LoadRun,
    out_file: o.OutFile,
    number: o.Number = 1,
    unique: Unique = False,
    prob_thresh: Annotated[
        float | None,
        typer.Option(
            "--prob-thresh", min=0, max=1, metavar="P", help="Keep only samples at least this probable."
        ),
    ] = None,
    save_plot: o.PlotDir = None,
    seed: o.Seed = None,
    dump_mode: o.DumpMode = "str",
    overrides: o.Overrides = [],
    plugins: o.PluginFiles = [],
) -> None:
    """Sample from the controller of a run.

    Example: awnas sample enas-digits --load runs/enas -o archs.yaml -n 10
    """
    from awnas_core import api
    from awnas_core.cli.console import counted, say
    from awnas_core.search.genotype_file import write_rollouts

    mode = o.dump_mode(dump_mode)
    session = o.session_of(cfg, "search", overrides=overrides, plugins=plugins, seed=seed)
    rollouts = api.sample(session, load, number, unique=unique, prob_thresh=prob_thresh)
    write_rollouts(out_file, rollouts, mode)  # type: ignore[arg-type]
    _plot(rollouts, save_plot)
    say(f"{counted(len(rollouts), 'architecture')}: {out_file}")


@commands.command("eval-arch")
def eval_arch(
    cfg: o.Cfg,
    arch_file: Annotated[Path, typer.Argument(help="Genotype list.")],
    load: Annotated[
        Path | None, typer.Option("--load", metavar="DIR", help="Run whose weights to use.")
    ] = None,
    steps: o.Steps = None,
    save_plot: o.PlotDir = None,
    json: o.JsonFile = None,
    seed: o.Seed = None,
    device: o.DeviceName = "auto",
    gpu: o.Gpu = None,
    overrides: o.Overrides = [],
    plugins: o.PluginFiles = [],
) -> None:
    """Measure given architectures.

    Example: awnas eval-arch enas-digits archs.yaml --load runs/enas --json out.json
    """
    from awnas_core import api
    from awnas_core.cli.console import perf_text, say, write_json
    from awnas_core.search.genotype_file import read_genotypes

    genotypes = read_genotypes(arch_file)
    session = o.session_of(
        cfg, "search", overrides=overrides, plugins=plugins, device=o.device_of(device, gpu), seed=seed
    )
    if load is None and "weights_manager" in session.config.components:
        say("warning: no --load: the weights are untrained")
    rollouts = api.evaluate(session, genotypes, load, steps=steps)
    for index, rollout in enumerate(rollouts):
        typer.echo(f"Arch {index}: {perf_text(rollout.perf) or rollout.status}")
    write_json(json, _records(rollouts))
    _plot(rollouts, save_plot)


@commands.command()
def derive(
    cfg: o.Cfg,
    load: LoadRun,
    out_file: o.OutFile,
    number: o.Number = 1,
    test: Annotated[bool, typer.Option("--test", help="Measure them, best first.")] = False,
    steps: o.Steps = None,
    runtime_save: Annotated[
        bool,
        typer.Option("--runtime-save", help="With --test: write each result at once, and keep those there."),
    ] = False,
    save_plot: o.PlotDir = None,
    json: o.JsonFile = None,
    seed: o.Seed = None,
    dump_mode: o.DumpMode = "str",
    device: o.DeviceName = "auto",
    gpu: o.Gpu = None,
    overrides: o.Overrides = [],
    plugins: o.PluginFiles = [],
) -> None:
    """Take the final choice of a search.

    Example: awnas derive enas-digits --load runs/enas -o genotypes.yaml -n 8 --test
    """
    from awnas_core import api
    from awnas_core.cli.console import counted, perf_text, say, write_json
    from awnas_core.search.genotype_file import write_rollouts

    if runtime_save and not test:
        raise ConfigError("--runtime-save keeps measurements, which only --test makes; add --test")
    mode = o.dump_mode(dump_mode)
    session = o.session_of(
        cfg, "search", overrides=overrides, plugins=plugins, device=o.device_of(device, gpu), seed=seed
    )
    rollouts = api.derive(
        session,
        load,
        number,
        test=test,
        steps=steps,
        keep=out_file if runtime_save else None,
    )
    write_rollouts(out_file, rollouts, mode)  # type: ignore[arg-type]
    write_json(json, _records(rollouts))
    _plot(rollouts, save_plot)
    for index, rollout in enumerate(rollouts):
        perf = f"  [{perf_text(rollout.perf)}]" if rollout.perf else ""
        typer.echo(f"Arch {index}{perf}: {rollout.genotype}")
    say(f"{counted(len(rollouts), 'architecture')}: {out_file}")


@commands.command()
def show(
    cfg: o.Cfg,
    genotype: Annotated[
        str | None,
        typer.Argument(metavar="GENOTYPE|FILE", help="Genotype text, or a genotype list (its first)."),
    ] = None,
    plot: o.PlotDir = None,
    json: o.JsonOut = False,
    overrides: o.Overrides = [],
    plugins: o.PluginFiles = [],
) -> None:
    """Show an architecture: its size, layers, drawing.

    Works before any training, with configs of a search and of a final training.

    Example: awnas show enas-digits-final genotypes.yaml --save-plot plots
    """
    from awnas_core import api
    from awnas_core.cli.show import print_architecture

    session = o.open_any(cfg, genotype, overrides=overrides, plugins=plugins)
    shown = api.show(session, _first_genotype(genotype))
    files = _plot([shown.rollout], plot)
    print_architecture(shown, files, as_json=json)


def _first_genotype(text_or_file: str | None) -> Any:
    from awnas_core.search.genotype_file import first_genotype

    return None if text_or_file is None else first_genotype(text_or_file)


def _records(rollouts: list[Rollout]) -> list[dict[str, Any]]:
    return [{"genotype": str(rollout.genotype), **rollout.to_record()} for rollout in rollouts]


def _plot(rollouts: list[Rollout], folder: Path | None) -> list[Path]:
    from awnas_core.search.plots import plot_rollouts

    return [] if folder is None else plot_rollouts(rollouts, folder)
