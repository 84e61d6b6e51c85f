"""Options that several commands share, and what they become."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from awnas_core.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from awnas_core.device import Device
    from awnas_core.plugins.registry import Registry
    from awnas_core.session import Family, Session
    from awnas_core.world import World

Name = TypeVar("Name", bound=str)

Cfg = Annotated[str, typer.Argument(metavar="CFG", help="Path of a config, or name of a preset.")]
Overrides = Annotated[
    list[str],
    typer.Option("--set", metavar="KEY=VALUE", help="Override one value: --set trainer_cfg.epochs=3."),
]
PluginFiles = Annotated[
    list[Path], typer.Option("--plugin", metavar="FILE", help="Use a plugin file for this call.")
]
DeviceName = Annotated[str, typer.Option("--device", metavar="NAME", help="cpu, cuda:N, or auto.")]
Gpu = Annotated[int | None, typer.Option("--gpu", min=0, metavar="N", help="Same as --device cuda:N.")]
DtypeName = Annotated[
    str,
    typer.Option("--dtype", metavar="NAME", help="Format of forward passes: float32, bfloat16 or float16."),
]
MemoryFormatName = Annotated[
    str,
    typer.Option("--memory-format", metavar="NAME", help="Layout of images: channels_last or contiguous."),
]
Seed = Annotated[
    int | None,
    typer.Option(
        "--seed", min=0, metavar="N", help="Seed of everything random; drawn and noted when left out."
    ),
]
TrainDir = Annotated[Path | None, typer.Option("--train-dir", metavar="DIR", help="Directory of the run.")]
Resume = Annotated[bool, typer.Option("--resume", help="Continue the run in --train-dir.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the run in --train-dir.")]
SaveEvery = Annotated[
    int | None,
    typer.Option("--save-every", min=1, metavar="N", help="Keep the checkpoint of every N-th epoch."),
]
JsonFile = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", help="Also write the results as JSON.")
]
JsonOut = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Tensorboard = Annotated[
    Path | None, typer.Option("--vis-dir", metavar="DIR", help="Also write TensorBoard files there.")
]
Number = Annotated[int, typer.Option("-n", "--number", min=1, metavar="N", help="How many architectures.")]
OutFile = Annotated[Path, typer.Option("-o", "--out-file", metavar="FILE", help="Genotype list to write.")]
DumpMode = Annotated[
    str, typer.Option("--dump-mode", metavar="MODE", help="str (genotype text) or list (codes).")
]
Steps = Annotated[
    int | None,
    typer.Option("--steps", min=1, metavar="N", help="Batches for each architecture; all when left out."),
]
PlotDir = Annotated[
    Path | None, typer.Option("--save-plot", metavar="DIR", help="Also draw each architecture there.")
]


def device_of(
    name: str, gpu: int | None = None, dtype: str = "float32", memory_format: str = "channels_last"
) -> Device:
    """Return the device that ``--device``, ``--gpu``, ``--dtype`` and ``--memory-format`` ask for."""
    from awnas_core.device import DTYPES, MEMORY_FORMATS, Device

    if gpu is not None and name not in ("auto", f"cuda:{gpu}"):
        raise ConfigError(f"--gpu {gpu} contradicts --device {name}; give one of them")
    return Device(
        name if gpu is None else f"cuda:{gpu}",
        _one_of(DTYPES, "--dtype", dtype),
        _one_of(MEMORY_FORMATS, "--memory-format", memory_format),
    )


def _one_of(known: tuple[Name, ...], option: str, given: str) -> Name:
    for name in known:
        if given == name:
            return name
    raise ConfigError(f"{option} {given}: expected one of {', '.join(known)}{did_you_mean(given, known)}")


def registry_of(plugins: list[Path]) -> Registry:
    """Return the registry with the plugin files of this call; warn of plugins that failed."""
    from awnas_core.cli.console import warn_of_failed_plugins
    from awnas_core.session import installed_registry

    registry = installed_registry(plugin_files=plugins)
    warn_of_failed_plugins(registry)
    return registry


def session_of(
    cfg: str,
    family: Family,
    *,
    overrides: list[str],
    plugins: list[Path],
    device: Device | None = None,
    seed: int | None = None,
    world: World | None = None,
    registry: Registry | None = None,
) -> Session:
    """Open a session for a command, and tell what became of an older config's keys."""
    from awnas_core.device import Device
    from awnas_core.session import open_session
    from awnas_core.world import World

    session = open_session(
        cfg,
        family,
        overrides=overrides,
        registry=registry or registry_of(plugins),
        device=device or Device("auto"),
        seed=seed,
        world=world or World(),
    )
    for note in session.config.notes:
        typer.echo(f"note: {note}", err=True)
    return session


def dump_mode(text: str) -> str:
    """Return a checked ``--dump-mode``."""
    if text not in ("str", "list"):
        raise ConfigError(f"--dump-mode must be str or list, got '{text}'")
    return text


def genotype_override(text_or_file: str | None) -> list[str]:
    """Return what ``--genotype`` changes in a final-training config."""
    import json

    from awnas_core.search.genotype_file import first_genotype

    if text_or_file is None:
        return []
    return [f"final_model_cfg.genotypes={json.dumps(first_genotype(text_or_file))}"]


def genotype_of_run(run: Path | None) -> list[str]:
    """Return the genotype that a training run was given, so that ``test`` need not be told again."""
    from awnas_core.run.directory import config_of_run, read_config

    file = None if run is None else config_of_run(run)
    cfg = read_config(file).get("final_model_cfg", {}) if file is not None else {}
    return genotype_override(cfg["genotypes"]) if "genotypes" in cfg else []


def open_any(
    cfg: str, genotype: str | None, *, overrides: list[str], plugins: list[Path], seed: int = 0
) -> Session:
    """Open a config that may be of a search or of a final training."""
    from awnas_core.device import Device
    from awnas_core.session import family_of, find_config

    registry = registry_of(plugins)
    family = family_of(find_config(cfg, registry))
    texts = genotype_override(genotype) if family == "final" else []
    return session_of(
        cfg,
        family,
        overrides=[*texts, *overrides],
        plugins=plugins,
        device=Device("cpu"),
        seed=seed,
        registry=registry,
    )
