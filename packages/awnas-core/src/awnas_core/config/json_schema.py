"""The JSON Schema of configs over everything installed: what editors complete and check."""

from __future__ import annotations

import contextlib
from typing import Any

from awnas_core.config.check import ROOTS, wishes
from awnas_core.config.schema import OptionsSchema, options_of
from awnas_core.errors import AwnasError
from awnas_core.plugins.registry import Registry
from awnas_core.plugins.spec import ComponentSpec
from awnas_core.schedule import TYPES

Schema = dict[str, Any]


def config_schema(registry: Registry) -> Schema:
    """Return a JSON Schema (draft 2020-12) of a whole config.

    All components are imported; one that cannot be stays without its options.
    """
    definitions: dict[str, Schema] = {"schedule": _schedule()}
    top_kinds, nested_kinds = _kinds(registry)
    for spec in registry.specs():
        if spec.kind in {*top_kinds, *nested_kinds}:
            definitions |= _component(registry, spec)
    top = options_of(wishes).json_schema()
    definitions |= top.pop("$defs", {})
    properties: Schema = {"rollout_type": _name(registry, "rollout"), **top["properties"]}
    conditions: list[Schema] = []
    for kind in top_kinds:
        properties |= _pair(registry, kind, kind)
        conditions += _choices(registry, kind, kind, None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A config of awnas",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "allOf": conditions,
        "$defs": definitions,
    }


def _kinds(registry: Registry) -> tuple[list[str], set[str]]:
    """The kinds at the top of a config (the roots, and what any component asks for), and those nested in components."""
    asked = {kind for roots in ROOTS.values() for kind in roots}
    nested: set[str] = set()
    for spec in registry.specs():
        with contextlib.suppress(AwnasError):  # told in its definition
            options = options_of(registry.load(spec))
            asked |= {parameter.name for parameter in options.injected}
            nested |= {child.kind for child in options.children.values()}
    return [kind for kind in registry.kinds if kind in asked], nested


def _component(registry: Registry, spec: ComponentSpec) -> dict[str, Schema]:
    """The definition of one component's cfg, and of the dataclasses in it."""
    key = _key(spec)
    try:
        options = options_of(registry.load(spec))
        schema = options.json_schema(ref_template=f"#/$defs/{key}.{{model}}")
    except AwnasError as error:
        return {key: {"type": "object", "description": str(error)}}
    inner = {f"{key}.{name}": definition for name, definition in schema.pop("$defs", {}).items()}
    properties = schema.setdefault("properties", {})
    properties["rollout_type"] = _name(registry, "rollout")
    if options.schedulable:
        properties["schedule_cfg"] = _schedules(options)
    conditions: list[Schema] = []
    for child in options.children.values():
        if child.many:
            properties[child.name] = _list_of(registry, child.kind)
            schema.setdefault("required", []).append(child.name)
            continue
        pair = _pair(registry, child.name, child.kind)
        if child.default is not None:
            pair[f"{child.name}_type"]["default"] = child.default
        properties |= pair
        conditions += _choices(registry, child.name, child.kind, child.default)
    if conditions:
        schema["allOf"] = conditions
    schema["title"] = spec.name
    if spec.summary:
        schema["description"] = spec.summary
    return {key: schema, **inner}


def _pair(registry: Registry, name: str, kind: str) -> Schema:
    return {f"{name}_type": _name(registry, kind), f"{name}_cfg": {"type": ["object", "null"]}}


def _list_of(registry: Registry, kind: str) -> Schema:
    item: Schema = {
        "type": "object",
        "properties": _pair(registry, kind, kind),
        "required": [f"{kind}_type"],
        "additionalProperties": False,
        "allOf": _choices(registry, kind, kind, None),
    }
    return {"type": "array", "minItems": 1, "items": item}


def _name(registry: Registry, kind: str) -> Schema:
    """What names a component of ``kind``; empty when no plugin declares that kind."""
    if kind not in registry.kinds:
        return {"type": "string"}
    schema: Schema = {"enum": [name for spec in registry.specs(kind) for name in _spellings(spec)]}
    if summary := registry.kind(kind).summary:
        schema["description"] = summary
    return schema


def _choices(registry: Registry, name: str, kind: str, default: str | None) -> list[Schema]:
    """For each component: when the type names it, the cfg holds its options."""
    if kind not in registry.kinds:
        return []
    choices = []
    for spec in registry.specs(kind):
        is_named: Schema = {"properties": {f"{name}_type": {"enum": _spellings(spec)}}}
        if default not in _spellings(spec):
            is_named["required"] = [f"{name}_type"]
        cfg = {"anyOf": [{"$ref": f"#/$defs/{_key(spec)}"}, {"type": "null"}]}
        choices.append({"if": is_named, "then": {"properties": {f"{name}_cfg": cfg}}})
    return choices


def _spellings(spec: ComponentSpec) -> list[str]:
    names = [spec.name, *spec.aliases]
    return list(dict.fromkeys([*names, *(name.replace("-", "_") for name in names)]))


def _key(spec: ComponentSpec) -> str:
    return f"{spec.kind}.{spec.name}"


def _schedules(options: OptionsSchema) -> Schema:
    return {
        "type": ["object", "null"],
        "description": "How attributes change from epoch to epoch.",
        "properties": {name: {"$ref": "#/$defs/schedule"} for name in options.schedulable},
        "additionalProperties": False,
    }


def _schedule() -> Schema:
    numbers = {name: {"type": "number"} for name in ("start", "step", "min", "max")}
    epochs = {"every": {"type": "integer", "minimum": 1}, "start_epoch": {"type": "integer", "minimum": 0}}
    boundary = {"type": "array", "items": {"type": "integer", "minimum": 1}}
    return {
        "type": "object",
        "properties": {
            "type": {"enum": list(TYPES)},
            "boundary": boundary,
            "value": {"type": "array"},
            **numbers,
            **epochs,
        },
        "required": ["type"],
        "additionalProperties": False,
    }
