"""A fitted cost model as a file: numbers and a description, nothing that runs.

The file has the layout of safetensors. Its header holds one text under ``awnas.cost-model``: JSON with the version of
the format, the kind of model, the primitives, the device, how the model was fitted and how far it is off.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from awnas_core.errors import ConfigError, DataError
from awnas_core.run.files import write_atomically
from awnas_hardware.models.base import CostModel
from awnas_hardware.models.catalogue import model_class
from awnas_hardware.primitive import PrimitiveCounts
from awnas_hardware.vocabulary import Vocabulary

SUFFIX = ".safetensors"
HEADER = "awnas.cost-model"
VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceModel:
    """A cost model and what it is about.

    Args:
        model: Predicts from counts.
        vocabulary: The primitives that are counted.
        metric: What is predicted: ``"latency_ms"``, ``"energy_mj"``, ….
        unit: ``"ms"``, ``"mJ"``, ….
        device: What is known of the device: its name, the software, threads, batch size, number format, ….
        training: How many networks it was fitted on and how they were chosen; source and licence of the measurements.
        errors: Figures on networks that were held out, of this model and of those to compare with.
    """

    model: CostModel
    vocabulary: Vocabulary
    metric: str = "latency_ms"
    unit: str = "ms"
    device: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, dict[str, float]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the device."""
        return str(self.device.get("name", "a device"))

    @property
    def published(self) -> str | None:
        """The published space whose parts are counted; None where primitives are."""
        return self.training.get("published")

    def cost(self, network: PrimitiveCounts) -> float:
        """Return what one network costs.

        Raises: MissingPrimitiveError when it has a primitive that the model does not know.
        """
        return float(self.model.predict(self.vocabulary.matrix([network]))[0])

    def header(self) -> dict[str, Any]:
        """Return everything but the parameters, as JSON data."""
        return {
            "version": VERSION,
            "kind": self.model.kind,
            "primitives": list(self.vocabulary.names),
            "metric": self.metric,
            "unit": self.unit,
            "device": self.device,
            "training": self.training,
            "errors": self.errors,
        }

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        arrays = {name: np.ascontiguousarray(array) for name, array in self.model.arrays().items()}
        write_atomically(path, save(arrays, {HEADER: json.dumps(self.header())}))


def read_model(path: Path) -> DeviceModel:
    """Return the model in a file.

    Raises: DataError when the file is missing, cut, damaged, of a newer version, or something else.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get(HEADER)
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (OSError, SafetensorError) as error:
        raise DataError(f"cannot read the cost model '{path}': {error}") from error
    if text is None:
        raise DataError(f"'{path}' is no cost model; awnas hw genmodel writes them")
    try:
        return _made_of(json.loads(text), arrays)
    except (ConfigError, AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"the cost model '{path}' is damaged: {error}") from error


def _made_of(header: dict[str, Any], arrays: dict[str, Any]) -> DeviceModel:
    if header["version"] != VERSION:
        raise ValueError(f"it has version {header['version']}, this awnas-hardware reads version {VERSION}")
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise ValueError("some of its numbers are not finite")
    vocabulary = Vocabulary(tuple(map(str, header["primitives"])))
    model = model_class(header["kind"]).from_arrays(arrays)
    model.predict(np.zeros((1, len(vocabulary))))  # parameters of another number of primitives fail here
    return DeviceModel(
        model=model,
        vocabulary=vocabulary,
        metric=str(header["metric"]),
        unit=str(header["unit"]),
        device=dict(header["device"]),
        training=dict(header["training"]),
        errors=dict(header["errors"]),
    )
