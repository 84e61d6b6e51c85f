"""Writing a sample config: every option with its value, its default and what it means, all behind ``# ``."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from awnas_core.config.checked import CheckedComponent
from awnas_core.config.docstrings import argument_docs
from awnas_core.config.plain import plain
from awnas_core.config.sample_set import fitting_config
from awnas_core.config.signature import REQUIRED
from awnas_core.plugins.registry import Registry
from awnas_core.plugins.spec import ComponentSpec

WIDTH = 100

_HEADER = """\
A sample config of awnas: {purpose}.
Take the first "# " off the lines you want; a line that still begins with # stays a comment.
Options you leave out keep their defaults. Check the result: awnas check FILE"""

_GOALS = """\
# What to improve, and bounds to keep; without goals, the first metric of the objective.
# goals: [{metric: acc, direction: max, coefficient: 1.0}]
# constraints: [{metric: macs, bound: 1.0e+8, kind: max}]"""


def gen_sample(registry: Registry, rollout_type: str, data_type: str, final: bool = False) -> str:
    """Return a config with every option of components that fit together, commented out line by line.

    Uncommented it passes the check; the other components of each kind are listed by name.

    Args:
        registry: Where components are looked up.
        rollout_type: Rollout type of the search.
        data_type: Type of the data, ``"image"`` for example.
        final: For training one architecture, instead of for a search.

    Raises: AwnasError when no installed components fit together.
    """
    config = fitting_config(registry, "final" if final else "search", rollout_type, data_type)
    task = "training one architecture" if final else f"a search over {config.rollout_type} rollouts"
    purpose = f"{task} on {data_type} data"
    lines = [*(f"# {line}" for line in _HEADER.format(purpose=purpose).splitlines()), ""]
    if not final:
        lines += [f"rollout_type: {config.rollout_type}", "", *_GOALS.splitlines(), ""]
    for kind in registry.kinds:  # declared in the order in which they read best
        if kind in config.components:
            component, summary = config.components[kind], registry.kind(kind).summary
            lines += [f"# ---- {kind}{f': {summary}' if summary else ''}", *_typed(kind, component)]
            lines += [*_others(registry, component.spec, config.rollout_type, data_type), ""]
    return "".join(f"# {line}".rstrip() + "\n" for line in lines)


def _others(registry: Registry, chosen: ComponentSpec, rollout_type: str, data_type: str) -> Iterator[str]:
    others = [
        spec
        for spec in registry.specs(chosen.kind)
        if spec.name != chosen.name
        and registry.takes(spec, rollout_type)
        and (not spec.data_types or data_type in spec.data_types)
    ]
    if others:
        yield f"# Instead of {chosen.name}:"
    for spec in others:
        yield f"#   {spec.name}: {spec.summary}"


def _typed(name: str, component: CheckedComponent) -> Iterator[str]:
    """Yield ``<name>_type`` and ``<name>_cfg`` with everything inside."""
    yield from _comment(component.spec.summary)
    yield f"{name}_type: {component.spec.name}"
    inside = list(_options(component))
    has_values = any(not line.startswith("#") for line in inside)
    yield f"{name}_cfg:" if has_values else f"{name}_cfg: {{}}"
    yield from (f"  {line}" for line in inside)


def _listed(name: str, components: tuple[CheckedComponent, ...]) -> Iterator[str]:
    yield f"{name}:"
    for component in components:
        first, *rest = (line for line in _typed(component.spec.kind, component) if not line.startswith("#"))
        yield f"  - {first}"
        yield from (f"    {line}" for line in rest)


def _options(component: CheckedComponent) -> Iterator[str]:
    schema = component.schema
    if schema.schedulable:
        yield from _comment(f"schedule_cfg can change from epoch to epoch: {', '.join(schema.schedulable)}")
    for name, option in schema.options.items():
        yield from _option(name, component.options[name], option.default, option.doc)
    for name, child in component.children.items():
        yield from _comment(schema.children[name].doc)
        yield from _listed(name, child) if isinstance(child, tuple) else _typed(name, child)
    if component.schedule_cfg:
        yield f"schedule_cfg: {_flow(component.schedule_cfg)}"


def _option(name: str, value: Any, default: Any, doc: str) -> Iterator[str]:
    yield from _comment(doc)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        yield f"{name}:{_remark(value, default) if default is REQUIRED else ''}"
        for line in _fields(value, default if type(default) is type(value) else None):
            yield f"  {line}"
    else:
        yield f"{name}: {_flow(value)}{_remark(value, default)}"


def _fields(value: Any, default: Any) -> Iterator[str]:
    docs = argument_docs(type(value))
    for field in dataclasses.fields(value):
        if field.init:
            own = getattr(value, field.name)
            usual = getattr(default, field.name) if default is not None else own
            yield from _option(field.name, own, usual, docs.get(field.name, ""))


def _remark(value: Any, default: Any) -> str:
    if default is REQUIRED:
        return "  # required"
    return "" if value == default else f"  # default: {_flow(default)}"


def _flow(value: Any) -> str:
    """Return a value as YAML on one line."""
    data = plain(dict(value)) if isinstance(value, Mapping) else plain(value)
    text = yaml.safe_dump(
        data, default_flow_style=True, sort_keys=False, width=float("inf"), allow_unicode=True
    )
    return text.removesuffix("\n").removesuffix("...").rstrip("\n")


def _comment(text: str) -> Iterator[str]:
    yield from (f"# {line}" for line in textwrap.wrap(text, WIDTH))
