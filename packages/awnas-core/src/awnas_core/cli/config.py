"""Commands about configs: ``check``, ``schema`` and the sample configs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from awnas_core.cli import options as o
from awnas_core.errors import ConfigError

commands = typer.Typer()
Out = Annotated[Path, typer.Argument(metavar="OUT", help="File to write.")]
DataType = Annotated[
    str, typer.Option("-d", "--data-type", metavar="NAME", help="Type of data, image for example.")
]


@commands.command()
def check(
    cfg: o.Cfg,
    keys: Annotated[
        bool, typer.Option("--keys", help="Tell of every key whether it is used, renamed or dropped.")
    ] = False,
    overrides: o.Overrides = [],
    plugins: o.PluginFiles = [],
) -> None:
    """Check a config without running it.

    Example: awnas check my.yaml
    """
    from awnas_core.cli.console import print_table

    session = o.open_any(cfg, None, overrides=overrides, plugins=plugins)
    if keys:
        print_table(("key", "fate", "about"), [(k.key, k.fate, k.about) for k in session.config.keys])
        return
    kinds = ", ".join(f"{kind} {part.spec.name}" for kind, part in session.config.components.items())
    typer.echo(f"{cfg}: ok ({kinds})")


@commands.command()
def schema(plugins: o.PluginFiles = []) -> None:
    """Print a JSON Schema of configs, for editors.

    Example: awnas schema > awnas.schema.json
    """
    from awnas_core.cli.console import print_json
    from awnas_core.config.json_schema import config_schema

    print_json(config_schema(o.registry_of(plugins)))


@commands.command("gen-sample-config")
def gen_sample_config(
    out: Out,
    data_type: DataType = "image",
    rollout_type: Annotated[
        str, typer.Option("-r", "--rollout-type", metavar="NAME", help="Rollout type of the search.")
    ] = "discrete",
    plugins: o.PluginFiles = [],
) -> None:
    """Write a search config with every option.

    Example: awnas gen-sample-config my.yaml
    """
    _write_sample(out, plugins, rollout_type, data_type, final=False)


@commands.command("gen-final-sample-config")
def gen_final_sample_config(out: Out, data_type: DataType = "image", plugins: o.PluginFiles = []) -> None:
    """Write a final-training config with every option.

    Example: awnas gen-final-sample-config my.yaml
    """
    _write_sample(out, plugins, "discrete", data_type, final=True)


def _write_sample(out: Path, plugins: list[Path], rollout_type: str, data_type: str, *, final: bool) -> None:
    from awnas_core.cli.console import say
    from awnas_core.config.sample import gen_sample
    from awnas_core.run.files import write_atomically

    if out.exists():
        raise ConfigError(f"'{out}' exists already; choose another name or remove it")
    write_atomically(out, gen_sample(o.registry_of(plugins), rollout_type, data_type, final=final).encode())
    say(f"sample config: {out} (uncomment what you want, then: awnas check {out})")
