"""Where and how tensors live, as a request that the torch packages turn into the real thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Dtype = Literal["float32", "bfloat16", "float16"]
DTYPES: tuple[Dtype, ...] = get_args(Dtype)
MemoryFormat = Literal["channels_last", "contiguous"]
MEMORY_FORMATS: tuple[MemoryFormat, ...] = get_args(MemoryFormat)


@dataclass(frozen=True, slots=True)
class Device:
    """Device, number format and memory layout, injected into whatever holds tensors.

    Args:
        name: ``"cpu"``, ``"cuda:N"`` or ``"auto"`` (the first CUDA device, else the CPU).
        dtype: Autocast format of the forward passes; ``"float32"`` means no autocast.
        memory_format: ``"channels_last"`` is several times faster on CPUs for the convolutions of cells.
    """

    name: str = "cpu"
    dtype: Dtype = "float32"
    memory_format: MemoryFormat = "channels_last"
