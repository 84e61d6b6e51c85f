"""The cost models there are: those of devices that others measured, which come with the package, and files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from awnas_core.errors import ConfigError, did_you_mean
from awnas_core.layers import LayerSpec
from awnas_core.paths import data_folder
from awnas_core.rollout import Rollout
from awnas_hardware.model_file import SUFFIX, DeviceModel, read_model
from awnas_hardware.primitive import PrimitiveCounts, primitives_of
from awnas_hardware.published import published_space

SHIPPED = Path(__file__).parent / "data"


def own_folder() -> Path:
    """Return the folder where cost models of your own are found by name: ``$AWNAS_DATA/devices``."""
    return data_folder("devices")


def model_paths() -> dict[str, Path]:
    """Return name → file of every cost model, such as ``fbnet/pixel2``; your own take the place of shipped ones."""
    return {
        path.relative_to(folder).as_posix().removesuffix(SUFFIX): path
        for folder in (SHIPPED, own_folder())
        for path in sorted(folder.rglob(f"*{SUFFIX}"))
    }


def open_model(name: str) -> DeviceModel:
    """Return a cost model by its name, or by its path.

    Raises: ConfigError when there is no such model; DataError when the file is damaged or something else.
    """
    paths = model_paths()
    if name in paths:
        return read_model(paths[name])
    if Path(name).is_file() or name.endswith(SUFFIX):
        return read_model(Path(name))
    hint = did_you_mean(name, paths) or "; awnas hw devices lists those there are"
    raise ConfigError(f"no cost model '{name}'{hint}. Files are given by their path")


def counted(
    model: DeviceModel, rollout: Rollout, layers: Callable[[Rollout], Iterable[LayerSpec]]
) -> PrimitiveCounts:
    """Return an architecture as what a model counts: primitives of its layers, or parts that its table names."""
    if model.published is None:
        return primitives_of(layers(rollout))
    return published_space(model.published).primitives(str(rollout.genotype))
