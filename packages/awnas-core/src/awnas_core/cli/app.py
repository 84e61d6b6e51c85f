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


class Terminated(KeyboardInterrupt):
    """SIGTERM, which ends a command as Ctrl-C does: a run stays at its last whole checkpoint."""


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
        except BrokenPipeError:  # the reader of our output has gone: Typer ends quietly
            raise
        except (AwnasError, OSError) as error:
            if debug:
                traceback.print_exc()
            typer.echo(f"error: {_told(error)}", err=True)
            raise typer.Exit(getattr(error, "exit_code", 1)) from error
        except KeyboardInterrupt as error:
            terminated = isinstance(error, Terminated)
            typer.echo("terminated" if terminated else "interrupted", err=True)
            raise typer.Exit(128 + (signal.SIGTERM if terminated else signal.SIGINT)) from error


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
    """Run the command line.

    Exits with 0; 2 after bad input; 1 after a failure; 130 after Ctrl-C and 143 after SIGTERM.
    """
    signal.signal(signal.SIGTERM, _terminate)
    try:
        sys.exit(app())
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        sys.exit(
            f"error: {type(error).__name__}: {error}\n"
            "This is a defect of awnas or of a plugin; 'awnas --debug ...' shows where"
        )


def _told(error: AwnasError | OSError) -> str:
    if isinstance(error, AwnasError):
        return str(error)
    return f"{error.strerror or error}" + (f": '{error.filename}'" if error.filename else "")


def _terminate(number: int, frame: object) -> None:
    raise Terminated


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
