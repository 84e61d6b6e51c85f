"""``awnas registry``, ``plugins`` and ``presets``: what is there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from awnas_core.cli import options as o
from awnas_core.errors import ConfigError, RegistryError, did_you_mean

if TYPE_CHECKING:
    from awnas_core.plugins.registry import Registry
    from awnas_core.plugins.spec import ComponentSpec

commands = typer.Typer()


@commands.command()
def registry(
    table: Annotated[
        list[str], typer.Option("-t", "--table", metavar="KIND", help="Only this kind; repeatable.")
    ] = [],
    name: Annotated[
        list[str], typer.Option("-n", "--name", metavar="NAME", help="Only this name; repeatable.")
    ] = [],
    regex: Annotated[bool, typer.Option("-r", "--regex", help="Names are regular expressions.")] = False,
    json: o.JsonOut = False,
    plugins: o.PluginFiles = [],
) -> None:
    """List every component of every plugin.

    Example: awnas registry -t controller
    """
    from awnas_core.cli.console import print_json, print_table

    found = o.registry_of(plugins)
    kinds = {found.kind(kind).name for kind in table}
    specs = [
        spec
        for spec in found.specs()
        if (not kinds or spec.kind in kinds) and (not name or _matches(spec, name, regex))
    ]
    if name and not specs:
        known = [spec.name for spec in found.specs() if not kinds or spec.kind in kinds]
        raise RegistryError(f"no component is called {' or '.join(name)}{did_you_mean(name[0], known)}")
    if json:
        print_json({"components": [_component_row(spec) for spec in specs], "failed": _failures(found)})
        return
    print_table(
        ("kind", "name", "rollouts", "summary", "package"),
        [
            (
                spec.kind,
                spec.name,
                ", ".join(spec.rollouts) or "any",
                spec.summary,
                f"{spec.distribution} {spec.version}".strip(),
            )
            for spec in specs
        ],
    )


@commands.command()
def plugins(json: o.JsonOut = False, plugin_files: o.PluginFiles = []) -> None:
    """List plugins, also those that are blocked or failed.

    Example: awnas plugins --json
    """
    from dataclasses import asdict

    from awnas_core.cli.console import print_json, print_table
    from awnas_core.session import installed_registry

    found = installed_registry(plugin_files=plugin_files)
    if json:
        print_json({"plugins": [asdict(record) for record in found.plugins], "refused": _refused(found)})
        return
    print_table(
        ("plugin", "status", "version", "origin", "note"),
        [(r.name, r.status, r.version, r.origin, r.error) for r in found.plugins],
    )
    for refused in found.refused:
        typer.echo(f"left out: {refused.what}: {refused.reason}")


@commands.command()
def presets(json: o.JsonOut = False, plugins: o.PluginFiles = []) -> None:
    """List the ready configurations.

    Example: awnas search NAME runs one
    """
    from dataclasses import asdict

    from awnas_core.cli.console import print_json, print_table

    found = o.registry_of(plugins).presets().values()
    if json:
        print_json([asdict(preset) for preset in found])
        return
    print_table(
        ("preset", "for", "summary", "package"), [(p.name, p.kind, p.summary, p.distribution) for p in found]
    )


def _matches(spec: ComponentSpec, wanted: list[str], regex: bool) -> bool:
    from awnas_core.plugins.spec import fold

    if not regex:
        return any(fold(name) in spec.names for name in wanted)
    try:
        return any(re.match(pattern, name) for pattern in wanted for name in (spec.name, *spec.aliases))
    except re.error as error:
        raise ConfigError(f"-n is not a regular expression: {error}") from error


def _component_row(spec: ComponentSpec) -> dict[str, object]:
    fields = ("kind", "name", "aliases", "rollouts", "data_types", "summary", "distribution", "version")
    return {field: getattr(spec, field) for field in fields} | {"status": "ok"}


def _failures(found: Registry) -> list[dict[str, str]]:
    failed = [
        {"plugin": r.name, "origin": r.origin, "status": r.status, "error": r.error}
        for r in found.plugins
        if r.status != "loaded"
    ]
    return [*failed, *({**row, "status": "refused"} for row in _refused(found))]


def _refused(found: Registry) -> list[dict[str, str]]:
    return [
        {
            "kind": getattr(r.spec, "kind", "kind"),
            "name": r.spec.name,
            "distribution": r.spec.distribution,
            "reason": r.reason,
        }
        for r in found.refused
    ]
