"""Measuring networks on this machine: warmed up, in turns, until the median is known well enough."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from awnas_core.errors import ConfigError
from awnas_hardware.primitive import FREE, Primitive
from awnas_torch.counting import count_module

CHECK_EVERY = 10
PART_PASSES = 7
_Z = 1.96  # of a 95 % interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """How networks are measured.

    Args:
        device: ``"cpu"`` or ``"cuda:N"``.
        batch_size: Examples in a batch.
        threads: Threads of a CPU.
        dtype: Format of weights and inputs.
        channels_last: Layout of images and convolutions.
        clock: ``"wall"`` is what a stopwatch says. ``"cpu"`` is the time of this thread alone, which other processes
            on the machine hardly disturb; for one thread on a CPU.
        warm_up: Passes before any counts.
        passes: Most passes that count.
        precision: Enough passes are made when the 95 % interval of the median is this fraction of it on either side.
        group: Networks that take turns.
    """

    device: str = "cpu"
    batch_size: int = 1
    threads: int = 1
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    channels_last: bool = True
    clock: Literal["wall", "cpu"] = "wall"
    warm_up: int = 10
    passes: int = 100
    precision: float = 0.01
    group: int = 8

    def __post_init__(self) -> None:
        for name in ("batch_size", "threads", "passes", "group"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.clock == "cpu" and (self.threads > 1 or self.device != "cpu"):
            raise ConfigError("clock 'cpu' counts the time of one thread on a CPU; take clock 'wall'")
        if self.device.startswith("cuda") and not torch.cuda.is_available():
            raise ConfigError(f"device '{self.device}' was asked for, this machine has no CUDA device")

    def to_record(self) -> dict[str, Any]:
        """Return the conditions as JSON data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Summary:
    """Times of one thing, in milliseconds: the median, its 95 % interval, and the number of passes."""

    median: float
    low: float
    high: float
    passes: int

    @classmethod
    def of(cls, times: Sequence[float]) -> Summary:
        """Summarise at least one time; the interval is that of order statistics."""
        ordered = sorted(times)
        n = len(ordered)
        low = max(0, int(n / 2 - _Z * n**0.5 / 2))
        return cls(float(np.median(ordered)), ordered[low], ordered[n - 1 - low], n)

    @property
    def spread(self) -> float:
        """The larger half of the interval, as a fraction of the median."""
        return max(self.high - self.median, self.median - self.low) / self.median


@dataclass(frozen=True, slots=True)
class Timing:
    """What one network takes.

    Args:
        whole: The forward pass.
        parts: (primitive, runs in one pass, milliseconds of all these runs together), in order of execution.
    """

    whole: Summary
    parts: tuple[tuple[str, int, float], ...]


class Stopwatch:
    """Measures networks under fixed conditions.

    Args:
        input_shape: Shape of one example.
        conditions: How.
        rng: Shuffles the turns, and fills the inputs.
    """

    def __init__(self, input_shape: Sequence[int], conditions: Conditions, rng: np.random.Generator) -> None:
        self.conditions, self._rng = conditions, rng
        self._is_cuda = conditions.device.startswith("cuda")
        self._dtype = getattr(torch, conditions.dtype)
        numbers = rng.standard_normal((conditions.batch_size, *input_shape), dtype=np.float32)
        self._inputs = self._laid_out(torch.from_numpy(numbers))
        self._input_shape = tuple(input_shape)

    def measure(self, networks: Sequence[nn.Module]) -> list[Timing]:
        """Return what networks take that are measured in turns."""
        with torch.inference_mode(), _threads(self.conditions.threads):
            ready = [self._laid_out(network.eval()) for network in networks]
            for network in ready:
                for _ in range(self.conditions.warm_up):
                    network(self._inputs)
            times = self._take_turns(ready)
            return [
                Timing(Summary.of(own), self._parts(network))
                for network, own in zip(ready, times, strict=True)
            ]

    def _take_turns(self, networks: Sequence[nn.Module]) -> list[list[float]]:
        times: list[list[float]] = [[] for _ in networks]
        open_ones = np.arange(len(networks))
        for number in range(1, self.conditions.passes + 1):
            for index in self._rng.permutation(open_ones):
                times[index].append(self._pass(networks[index]))
            if number % CHECK_EVERY == 0:
                limit = self.conditions.precision
                open_ones = np.array([i for i in open_ones if Summary.of(times[i]).spread > limit], dtype=int)
        return times

    def _pass(self, network: nn.Module) -> float:
        begin = self._now()
        network(self._inputs)
        return (self._now() - begin) / 1e6

    def _parts(self, network: nn.Module) -> tuple[tuple[str, int, float], ...]:
        """Time every layer inside the network, where its inputs are as warm as they will be."""
        layers = [layer for layer in count_module(network, self._input_shape) if layer.op not in FREE]
        modules = dict(network.named_modules())
        spent: dict[str, list[float]] = {layer.name: [] for layer in layers}
        for _ in range(PART_PASSES):
            with self._hooked({layer.name: modules[layer.name] for layer in layers}) as taken:
                network(self._inputs)
            for name, own in spent.items():
                own.append(taken[name])
        parts: dict[str, tuple[int, float]] = {}
        for layer in layers:
            runs, before = parts.get(text := str(Primitive.of(layer)), (0, 0.0))
            parts[text] = runs + layer.calls, before + float(np.median(spent[layer.name]))
        return tuple((text, runs, spent_on) for text, (runs, spent_on) in parts.items())

    @contextmanager
    def _hooked(self, modules: dict[str, nn.Module]) -> Iterator[dict[str, float]]:
        taken = dict.fromkeys(modules, 0.0)
        begun: dict[str, int] = {}

        def before(name: str) -> Callable[..., None]:
            def note(module: nn.Module, inputs: Any) -> None:
                begun[name] = self._now()

            return note

        def after(name: str) -> Callable[..., None]:
            def note(module: nn.Module, inputs: Any, output: Any) -> None:
                taken[name] += (self._now() - begun[name]) / 1e6

            return note

        with ExitStack() as hooks:
            for name, module in modules.items():
                hooks.callback(module.register_forward_pre_hook(before(name)).remove)
                hooks.callback(module.register_forward_hook(after(name)).remove)
            yield taken

    def _now(self) -> int:
        """Return a time in nanoseconds, once the device has done what it was asked to."""
        if self._is_cuda:
            torch.cuda.synchronize()
        return time.thread_time_ns() if self.conditions.clock == "cpu" else time.perf_counter_ns()

    def _laid_out(self, what: Any) -> Any:
        moved = what.to(self.conditions.device, self._dtype)
        is_image = not isinstance(moved, Tensor) or moved.dim() == 4
        return (
            moved.to(memory_format=torch.channels_last)
            if self.conditions.channels_last and is_image
            else moved
        )


@contextmanager
def _threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
