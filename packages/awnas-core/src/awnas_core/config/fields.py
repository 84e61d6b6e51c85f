"""Checking named values against type annotations, by a pydantic model made for them.

YAML has types of its own, so scalars are strict (``'5'`` is no number, ``true`` no integer) while containers are not
(a list does for a tuple).
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union

from awnas_core.config.docstrings import argument_docs
from awnas_core.config.findings import Finding, findings
from awnas_core.config.plain import plain
from awnas_core.config.signature import REQUIRED
from awnas_core.errors import AwnasError, PluginError

if TYPE_CHECKING:
    from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class Field:
    """One named value: its type, its default (``REQUIRED`` for none) and what it means."""

    name: str
    annotation: Any
    default: Any = REQUIRED
    doc: str = ""


class FieldSet:
    """The fields of one constructor or dataclass.

    Args:
        owner: Whose fields they are, for messages about its author's mistakes.
        fields: Each of its own name.
    """

    def __init__(self, owner: str, fields: typing.Iterable[Field]) -> None:
        self.owner = owner
        self.fields = tuple(fields)

    @functools.cached_property
    def model(self) -> type[BaseModel]:
        """The pydantic model, built when first needed.

        Its own field names are safe ones (``json`` or ``copy`` would shadow its methods), the real ones are aliases.

        Raises: PluginError when an annotation is nothing that a config can hold.
        """
        from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError

        try:
            return _model(self.owner, self.fields)
        except (PydanticSchemaGenerationError, PydanticUserError, TypeError) as error:
            names = ", ".join(f"'{field.name}'" for field in self.fields if not _is_checkable(field))
            raise PluginError(
                f"{self.owner}: no config can hold the type or the default of option {names}"
            ) from error

    def check(self, data: Mapping[str, Any]) -> tuple[dict[str, Any], list[Finding]]:
        """Return the python values of ``data``, or what is wrong with them; missing optional fields stay missing."""
        from pydantic import ValidationError

        try:
            return given(self.model.model_validate(dict(data))), []
        except ValidationError as error:
            return {}, findings([dict(e) for e in error.errors(include_url=False)], data)

    def json_schema(self, ref_template: str = "#/$defs/{model}") -> dict[str, Any]:
        """Return the JSON Schema of the fields, as an object."""
        return self.model.model_json_schema(ref_template=ref_template)

    def names_inside(self, name: str) -> list[str]:
        """Return the field names of every dataclass that the field ``name`` may hold."""
        annotation = next((field.annotation for field in self.fields if field.name == name), None)
        return [field.name for cls in _dataclasses_in(annotation) for field in dataclasses.fields(cls)]


def given(model: BaseModel) -> dict[str, Any]:
    """Return what a checked model was given, under the real names, in the order of its fields."""
    fields = type(model).model_fields
    return {
        str(f.alias): getattr(model, safe) for safe, f in fields.items() if safe in model.model_fields_set
    }


def _model(owner: str, fields: typing.Iterable[Field]) -> type[BaseModel]:
    from pydantic import ConfigDict, Field as PydanticField, create_model

    definitions: dict[str, Any] = {}
    for number, field in enumerate(fields):
        default = ... if field.default is REQUIRED else plain(field.default)
        about = PydanticField(default, alias=field.name, title=field.name, description=field.doc or None)
        definitions[f"field_{number}"] = (_strict(field.annotation), about)
    return create_model(owner, __config__=ConfigDict(extra="forbid"), **definitions)


def _is_checkable(field: Field) -> bool:
    from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError

    try:
        _model("probe", [field])
    except (PydanticSchemaGenerationError, PydanticUserError, TypeError):
        return False
    return True


def _strict(annotation: Any) -> Any:
    """Return the annotation with strict scalars, and dataclasses as models that become the dataclass when valid."""
    from pydantic import Strict

    annotation = getattr(
        annotation, "__value__", getattr(annotation, "__supertype__", annotation)
    )  # named types
    if annotation in (bool, int, float, str):
        return Annotated[annotation, Strict()]
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
        return _dataclass_field(annotation)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return Annotated[_strict(arguments[0]), *annotation.__metadata__]
    if origin is Literal or not arguments:
        return annotation
    inner = tuple(part if part is ... else _strict(part) for part in arguments)
    return Union[inner] if origin in (Union, types.UnionType) else origin[inner]  # noqa: UP007 - not known before


def _dataclass_field(cls: type) -> Any:
    from pydantic import AfterValidator

    hints = typing.get_type_hints(cls, include_extras=True)
    docs = argument_docs(cls)
    fields = [
        Field(field.name, hints[field.name], _default_of(field), docs.get(field.name, ""))
        for field in dataclasses.fields(cls)
        if field.init
    ]
    return Annotated[_model(cls.__name__, fields), AfterValidator(functools.partial(_construct, cls))]


def _default_of(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return REQUIRED if field.default is dataclasses.MISSING else field.default


def _construct(cls: type, model: BaseModel) -> Any:
    try:
        return cls(**given(model))
    except AwnasError as error:
        raise ValueError(str(error)) from error


def _dataclasses_in(annotation: Any) -> typing.Iterator[type]:
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
        yield annotation
        for hint in typing.get_type_hints(annotation, include_extras=True).values():
            yield from _dataclasses_in(hint)
    for part in typing.get_args(annotation):
        yield from _dataclasses_in(part)
