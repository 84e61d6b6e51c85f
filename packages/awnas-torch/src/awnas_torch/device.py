"""The device of a run, as torch knows it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch

from awnas_core.device import Device
from awnas_core.errors import ConfigError

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
FORMATS = {"channels_last": torch.channels_last, "contiguous": torch.contiguous_format}


@dataclass(frozen=True, slots=True)
class ResolvedDevice:
    """Where tensors live, in which format, and in which layout images lie.

    Args:
        torch_device: The device.
        dtype: Format of autocast; float32 for none.
        memory_format: Layout of image batches and convolution weights.
    """

    torch_device: torch.device
    dtype: torch.dtype
    memory_format: torch.memory_format

    def autocast(self) -> AbstractContextManager[Any]:
        """Return the context of a forward pass."""
        if self.dtype is torch.float32:
            return nullcontext()
        return torch.autocast(self.torch_device.type, self.dtype)

    def to(self, batch: Any) -> Any:
        """Move a batch (tensors in lists, tuples and dicts) at once; images take the memory format."""
        if isinstance(batch, torch.Tensor):
            layout = self.memory_format if batch.dim() == 4 else torch.preserve_format
            return batch.to(self.torch_device, non_blocking=True, memory_format=layout)
        if isinstance(batch, Mapping):
            return {key: self.to(value) for key, value in batch.items()}
        if hasattr(batch, "_make"):  # a named tuple
            return batch._make(self.to(value) for value in batch)
        if isinstance(batch, (list, tuple)):
            return type(batch)(self.to(value) for value in batch)
        return batch


def resolve(device: Device) -> ResolvedDevice:
    """Return what ``device`` asks for.

    On a CPU torch is set to one thread, unless ``OMP_NUM_THREADS`` says otherwise.

    Raises: ConfigError when this machine does not have it.
    """
    name = device.name
    if name == "auto":
        name = "cuda:0" if torch.cuda.is_available() else "cpu"
    try:
        torch_device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"no device '{name}'; give cpu, cuda:N or auto") from error
    if torch_device.type == "cuda":
        _check_cuda(torch_device)
        _set_determinism()
    elif "OMP_NUM_THREADS" not in os.environ:
        # Several threads on a core that is busy with anything else wait for each other: tens of times slower. And
        # the number of threads changes the order of sums, so that one seed would give different results.
        torch.set_num_threads(1)
    return ResolvedDevice(torch_device, DTYPES[device.dtype], FORMATS[device.memory_format])


def _check_cuda(device: torch.device) -> None:
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if (device.index or 0) >= count:
        raise ConfigError(
            f"device '{device}' was asked for, this machine has {count} CUDA devices; try --device auto"
        )


def _set_determinism() -> None:
    """``AWNAS_REPRODUCIBLE`` (not 0) asks for deterministic kernels; else the fastest are picked."""
    deterministic = os.environ.get("AWNAS_REPRODUCIBLE", "0") not in ("", "0")
    torch.backends.cudnn.deterministic = deterministic
    torch.backends.cudnn.benchmark = not deterministic
