"""Plain sequences of primitives, written down rather than sampled: nets to measure hardware with."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, cast

from awnas_core.decisions import Codes, Decisions
from awnas_core.errors import ConfigError, GenotypeError, did_you_mean
from awnas_core.roles.search_space import SearchSpace
from awnas_core.rollout import Arch, Rollout

_SIZES = ("spatial_size", "C", "C_out", "stride")
_FIELDS = ("prim_type", *_SIZES, "affine")


@dataclass(frozen=True, slots=True)
class PrimitiveCall:
    """One layer: a primitive, what it is applied to, and its own options.

    Args:
        prim_type: Registry name of the primitive.
        spatial_size: Height and width of its input.
        channels: Channels of its input.
        channels_out: Channels of its output.
        stride: Its stride.
        affine: Whether its batch normalisations have weights.
        options: Further arguments of the primitive, as (name, JSON text of the value), sorted.
    """

    prim_type: str
    spatial_size: int
    channels: int
    channels_out: int
    stride: int = 1
    affine: bool = True
    options: tuple[tuple[str, str], ...] = ()

    def to_record(self) -> dict[str, Any]:
        """Return ``{prim_type, spatial_size, C, C_out, stride, affine, …options}``."""
        values = (
            self.prim_type,
            self.spatial_size,
            self.channels,
            self.channels_out,
            self.stride,
            self.affine,
        )
        return {
            **dict(zip(_FIELDS, values, strict=True)),
            **self.arguments,
        }

    @property
    def arguments(self) -> dict[str, Any]:
        """The further arguments of the primitive."""
        return {name: json.loads(value) for name, value in self.options}

    @classmethod
    def from_record(cls, record: Any) -> PrimitiveCall:
        """Read what :meth:`to_record` wrote; stride and affine may be missing.

        Raises: GenotypeError naming the key that is missing or wrong.
        """
        if not isinstance(record, Mapping) or not all(isinstance(key, str) for key in record):
            raise GenotypeError(f"a primitive is a mapping with {', '.join(_FIELDS)}; got {record!r}")
        given = {"stride": 1, "affine": True, **record}
        if missing := [name for name in _FIELDS if name not in given]:
            raise GenotypeError(f"the primitive {dict(record)!r} lacks {', '.join(missing)}")
        if not isinstance(given["prim_type"], str) or not isinstance(given["affine"], bool):
            raise GenotypeError(f"prim_type is a name and affine true or false, got {dict(record)!r}")
        for name in _SIZES:
            if type(given[name]) is not int or given[name] < 1:
                raise GenotypeError(
                    f"{given['prim_type']}: {name} is a positive integer, got {given[name]!r}"
                )
        try:
            options = {key: json.dumps(value) for key, value in given.items() if key not in _FIELDS}
        except (TypeError, ValueError) as error:
            raise GenotypeError(f"{given['prim_type']}: options are plain data: {error}") from error
        return cls(
            prim_type=given["prim_type"],
            spatial_size=given["spatial_size"],
            channels=given["C"],
            channels_out=given["C_out"],
            stride=given["stride"],
            affine=given["affine"],
            options=tuple(sorted(options.items())),
        )


@dataclass(frozen=True, slots=True)
class SequenceGenotype:
    """Layers in order; ``str()`` is their list in JSON."""

    primitives: tuple[PrimitiveCall, ...]

    def __str__(self) -> str:
        return json.dumps([primitive.to_record() for primitive in self.primitives])


class GeneralSpace(SearchSpace):
    """Every sequence of primitives. Nothing can be sampled here: architectures come as genotypes.

    It has no decisions, so an architecture is no tuple of codes but one of the JSON texts of its layers.

    Args:
        primitives: Primitives that a network may use; empty for any.
    """

    def __init__(self, *, primitives: tuple[str, ...] = ()) -> None:
        self.primitives = tuple(primitives)

    @property
    def decisions(self) -> Decisions:
        """None.

        Raises: ConfigError always.
        """
        self._refuse()

    @property
    def fingerprint(self) -> str:  # type: ignore[override]
        """The same for all: an architecture says everything about itself."""
        return "general"

    def arch_of(self, primitives: Sequence[Any]) -> Arch:
        """Return the architecture of a list of mappings ``{prim_type, spatial_size, C, C_out, stride, affine, …}``.

        Raises: GenotypeError naming the layer that is wrong.
        """
        if not primitives:
            raise GenotypeError("a network has at least one primitive")
        texts = []
        for index, record in enumerate(primitives):
            try:
                call = PrimitiveCall.from_record(record)
                self._check_name(call.prim_type)
            except GenotypeError as error:
                raise GenotypeError(f"layer {index}: {error}") from error
            texts.append(json.dumps(call.to_record()))
        return cast("Arch", tuple(texts))

    def check_arch(self, arch: Sequence[Any]) -> Arch:
        """Return ``arch`` as a tuple, each layer checked.

        Raises: GenotypeError when it is not an architecture of this space.
        """
        return self.arch_of([_read(text) if isinstance(text, str) else text for text in arch])

    def genotype(self, arch: Arch) -> SequenceGenotype:
        """Return the layers of ``arch``."""
        texts = cast("tuple[str, ...]", arch)
        return SequenceGenotype(tuple(PrimitiveCall.from_record(json.loads(text)) for text in texts))

    def parse(self, text: str) -> Arch:
        """Read a list of mappings, in JSON or as Python writes it.

        Raises: GenotypeError naming the layer that is wrong.
        """
        primitives = _read(text)
        if not isinstance(primitives, list | tuple):
            raise GenotypeError(f"expected a list of primitives, got {text[:40]!r}")
        return self.arch_of(primitives)

    def encode_codes(self, rollouts: Sequence[Rollout]) -> Codes:
        """There are no codes.

        Raises: ConfigError always.
        """
        self._refuse()

    def _check_name(self, name: str) -> None:
        if self.primitives and name not in self.primitives:
            hint = did_you_mean(name, self.primitives)
            raise GenotypeError(f"no primitive '{name}'{hint}; there are {', '.join(self.primitives)}")

    def _refuse(self) -> NoReturn:
        raise ConfigError(
            "the space 'general' holds any sequence of primitives: it can be neither sampled nor searched; "
            "give it genotypes"
        )


def _read(text: str) -> Any:
    """Read plain data, in JSON or as Python writes it."""
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise GenotypeError(f"expected a list of primitives in JSON, got {text[:40]!r}") from error
