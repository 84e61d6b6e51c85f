"""Component states on disk: a JSON skeleton, and arrays and tensors in safetensors. Loading runs no code."""

from __future__ import annotations

import base64
import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from awnas_core.errors import CheckpointError

SKELETON, ARRAYS, TENSORS = "state.json", "arrays.safetensors", "tensors.safetensors"
TAG = "$"
"""The key that marks a node which JSON cannot say by itself."""


def save_state(folder: Path, state: Any) -> None:
    """Write a state into an existing folder.

    Args:
        folder: Gets ``state.json`` and, where there are any, ``arrays.safetensors`` and ``tensors.safetensors``.
        state: Dicts (of any plain keys), lists, tuples, numbers, strings, bytes, None, numpy arrays and scalars,
            torch tensors. Tensors that are one object stay one object.

    Raises: CheckpointError naming the first part that is anything else; OSError when the disk is full.
    """
    writer = _Writer()
    skeleton = writer.encode(state, "state")
    (folder / SKELETON).write_text(json.dumps(skeleton), encoding="utf-8")
    try:
        if writer.arrays:
            safetensors.numpy.save_file(writer.arrays, folder / ARRAYS)
        if writer.tensors:
            sys.modules["safetensors.torch"].save_file(writer.tensors, folder / TENSORS)
    except safetensors.SafetensorError as error:  # how a full disk is told here
        raise OSError(str(error)) from error


def load_state(folder: Path) -> Any:
    """Return the state that :func:`save_state` wrote; tensors are on the CPU.

    Raises: CheckpointError when the folder holds anything else.
    """
    try:
        skeleton = json.loads((folder / SKELETON).read_text(encoding="utf-8"))
        arrays = safetensors.numpy.load_file(folder / ARRAYS) if (folder / ARRAYS).exists() else {}
        tensors = _load_tensors(folder / TENSORS) if (folder / TENSORS).exists() else {}
        return _Reader(arrays, tensors).decode(skeleton)
    except (OSError, ValueError, KeyError, TypeError, safetensors.SafetensorError) as error:
        raise CheckpointError(f"'{folder}' does not hold a state: {type(error).__name__}: {error}") from error


class _Writer:
    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray[Any, Any]] = {}
        self.tensors: dict[str, Any] = {}
        self._names: dict[Any, str] = {}
        self._alive: list[Any] = []  # ids are names only while their objects live

    def encode(self, value: Any, where: str) -> Any:
        if value is None or isinstance(value, (bool, str)):
            return value
        if isinstance(value, np.generic):
            return {TAG: "scalar", "name": self._array(np.asarray(value))}
        if isinstance(value, int):
            return int(value)
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else {TAG: "float", "value": repr(float(value))}
        if isinstance(value, bytes):
            return {TAG: "bytes", "value": base64.b64encode(value).decode()}
        if isinstance(value, np.ndarray):
            return {TAG: "array", "name": self._array(value)}
        if isinstance(value, Mapping):
            return self._mapping(value, where)
        if isinstance(value, (list, tuple)):
            items = [self.encode(item, f"{where}[{index}]") for index, item in enumerate(value)]
            return items if isinstance(value, list) else {TAG: "tuple", "items": items}
        torch = sys.modules.get("torch")
        if torch is not None and isinstance(value, torch.Tensor):
            return self._tensor(value, torch)
        raise CheckpointError(
            f"{where} is a {type(value).__name__}; a state holds plain data, arrays and tensors only"
        )

    def _mapping(self, value: Mapping[Any, Any], where: str) -> Any:
        if all(isinstance(key, str) for key in value) and TAG not in value:
            return {key: self.encode(item, f"{where}.{key}") for key, item in value.items()}
        pairs = [
            [self.encode(key, where), self.encode(item, f"{where}.{key}")] for key, item in value.items()
        ]
        return {TAG: "dict", "items": pairs}

    def _array(self, value: np.ndarray[Any, Any]) -> str:
        if value.dtype.hasobject or value.dtype.kind in "SUVMmc":
            raise CheckpointError(f"arrays of {value.dtype} cannot be saved; use numbers or booleans")
        name = str(len(self.arrays))
        shaped = np.asarray(value, order="C")
        self.arrays[name] = np.ascontiguousarray(shaped).reshape(shaped.shape)
        return name

    def _tensor(self, value: Any, torch: Any) -> dict[str, Any]:
        import safetensors.torch  # noqa: F401 - torch is loaded already

        value = value.detach()
        name = self._names.get(_identity(value))
        if name is None:
            name = self._names[_identity(value)] = str(len(self.tensors))
            self._alive.append(value)
            self.tensors[name] = value.cpu().contiguous().clone()
        channels_last = value.dim() == 4 and not value.is_contiguous()
        channels_last = channels_last and value.is_contiguous(memory_format=torch.channels_last)
        return {TAG: "tensor", "name": name, **({"channels_last": True} if channels_last else {})}


class _Reader:
    def __init__(self, arrays: Mapping[str, Any], tensors: Mapping[str, Any]) -> None:
        self.arrays = arrays
        self.tensors = dict(tensors)

    def decode(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self.decode(item) for item in node]
        if not isinstance(node, dict):
            return node
        if TAG not in node:
            return {key: self.decode(item) for key, item in node.items()}
        return self._tagged(node)

    def _tagged(self, node: Mapping[str, Any]) -> Any:
        match node[TAG]:
            case "float":
                return float(node["value"])
            case "bytes":
                return base64.b64decode(node["value"])
            case "scalar":
                return self.arrays[node["name"]][()]
            case "array":
                return self.arrays[node["name"]]
            case "tuple":
                return tuple(self.decode(item) for item in node["items"])
            case "dict":
                return {self.decode(key): self.decode(item) for key, item in node["items"]}
            case "tensor":
                return self._tensor(node)
            case other:
                raise CheckpointError(f"unknown kind of node '{other}'; it was written by a newer awnas-core")

    def _tensor(self, node: Mapping[str, Any]) -> Any:
        tensor = self.tensors[node["name"]]
        if node.get("channels_last"):
            tensor = tensor.contiguous(memory_format=sys.modules["torch"].channels_last)
            self.tensors[node["name"]] = tensor
        return tensor


def _identity(tensor: Any) -> Any:
    return (
        (tensor.data_ptr(), tuple(tensor.shape), tuple(tensor.stride()), str(tensor.dtype))
        if tensor.numel()
        else id(tensor)
    )


def _load_tensors(path: Path) -> Mapping[str, Any]:
    try:
        import safetensors.torch
    except ImportError as error:
        raise CheckpointError(f"'{path}' holds torch tensors, but torch is not installed") from error
    tensors: Mapping[str, Any] = safetensors.torch.load_file(path)
    return tensors
