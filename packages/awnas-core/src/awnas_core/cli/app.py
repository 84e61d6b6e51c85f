"""The command ``awnas``: its commands, those of plugins, and how errors end it."""

from __future__ import annotations

import signal
import sys
import traceback
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from awnas_core.cli import architectures, config, final, inspect, search
from awnas_core.errors import AwnasError

if TYPE_CHECKING:
    from awnas_core.plugins.spec import CommandSpec


class AwnasGroup(TyperGroup):
    """Lists the commands of plugins without importing them, and turns errors into one short block."""

    @cached_property
    def plugin_commands(self) -> dict[str, CommandSpec]:
        """Commands that installed plugins add; local plugin files are not run for this."""
        from awnas_core.plugins.manager import discover

        return {
            spec.name: spec for spec in discover(local=False).commands() if spec.name not in self.commands
        }

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all commands: ours in their order, then those of plugins."""
        return [*super().list_commands(ctx), *sorted(self.plugin_commands)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return one command; of a plugin's, only the name and summary."""
        command = super().get_command(ctx, cmd_name)
        if command is None and (spec := self.plugin_commands.get(cmd_name)) is not None:
            return TyperCommand(spec.name, help=spec.summary)
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command to run; a plugin's module is imported here."""
        name, command, rest = super().resolve_command(ctx, args)
        spec = self.plugin_commands.get(name or "") if name not in self.commands else None
        return (name, _load_command(spec), rest) if spec else (name, command, rest)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; an error of ours or an interruption ends it with its exit code."""
        debug = bool(ctx.params.get("debug"))
        try:
            return super().invoke(ctx)
        except AwnasError as error:
            if debug:
                traceback.print_exc()
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(error.exit_code) from error
        except KeyboardInterrupt as error:
            typer.echo("\ninterrupted", err=True)
            raise typer.Exit(130) from error


app = typer.Typer(
    name="awnas",
    cls=AwnasGroup,
    help="Find neural network architectures: search, derive, train, test. Components come from plugins.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _module in (search, architectures, final, inspect, config):
    app.registered_commands += _module.commands.registered_commands


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"awnas-core {version('awnas-core')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    local_rank: Annotated[int, typer.Option("--local_rank", "--local-rank", hidden=True)] = -1,
) -> None:
    """Set up what every command shares."""
    from awnas_core.cli.console import start_logging

    start_logging()


def main() -> None:
    """Run the command line; SIGTERM ends it like Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(app())


def _load_command(spec: CommandSpec) -> Any:
    from awnas_core.plugins.registry import load_target

    target = load_target(spec.target, f"command '{spec.name}' of {spec.distribution}")
    if not isinstance(target, typer.Typer):
        wrapped = typer.Typer(add_completion=False, rich_markup_mode=None)
        wrapped.command(spec.name, help=spec.summary)(target)
        target = wrapped
    command = typer.main.get_command(target)
    command.name = spec.name
    return command
