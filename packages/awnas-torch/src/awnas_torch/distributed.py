"""Several processes on one run: joining, agreeing, averaging; the result is that of one process with all the data."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from awnas_core.device import Device
from awnas_core.errors import ConfigError
from awnas_core.metrics import Accumulator
from awnas_core.world import World

BatchNorm = nn.modules.batchnorm._BatchNorm
TIMEOUT = datetime.timedelta(minutes=30)


@contextmanager
def process_group(world: World, device: str = "auto") -> Iterator[Device]:
    """Join the process group of torchrun and yield this process's device; nccl on GPUs, gloo on CPUs.

    Raises: ConfigError when a device number is given: each process takes the GPU of its local rank.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise ConfigError(f"--device {device}: with several processes give auto, cpu or cuda")
    on_cuda = device == "cuda" or (device == "auto" and torch.cuda.is_available())
    if on_cuda:
        torch.cuda.set_device(world.local_rank)
    dist.init_process_group(
        "nccl" if on_cuda else "gloo", rank=world.rank, world_size=world.size, timeout=TIMEOUT
    )
    try:
        yield Device(f"cuda:{world.local_rank}" if on_cuda else "cpu")
        dist.barrier()
    finally:
        dist.destroy_process_group()


def is_joined(world: World) -> bool:
    """Tell whether there is anybody to agree with."""
    return world.size > 1


def average_gradients(parameters: Iterable[nn.Parameter], world: World) -> None:
    """Replace every gradient by its mean over the processes, in one message; all have the same ones set."""
    average_tensors([parameter.grad for parameter in parameters if parameter.grad is not None], world)


def average_tensors(tensors: Sequence[Tensor], world: World) -> None:
    """Replace every tensor by its mean over the processes, in one message."""
    if not is_joined(world) or not tensors:
        return
    flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
    dist.all_reduce(flat)
    flat /= world.size
    start = 0
    for tensor in tensors:
        tensor.copy_(flat[start : start + tensor.numel()].view(tensor.shape))
        start += tensor.numel()


def average_values(values: Mapping[str, Any], world: World) -> dict[str, Any]:
    """Return the mean of every value over the processes, in one message; nothing waits for the device.

    Args:
        values: Numbers and scalar tensors, the same names in all processes; at least one tensor.
        world: The processes.
    """
    if not is_joined(world):
        return dict(values)
    device = next(value.device for value in values.values() if isinstance(value, Tensor))
    flat = torch.stack(
        [torch.as_tensor(value, dtype=torch.float64, device=device) for value in values.values()]
    )
    dist.all_reduce(flat)
    return dict(zip(values, (flat / world.size).unbind(), strict=True))


def broadcast_data(data: Any, world: World) -> Any:
    """Return what rank 0 holds, everywhere: JSON data."""
    if not is_joined(world):
        return data
    box = [json.dumps(data) if world.is_main else None]
    dist.broadcast_object_list(box, src=0)
    return json.loads(str(box[0]))


def merge_accumulators(accumulators: Mapping[str, Accumulator], world: World) -> None:
    """Make every accumulator hold what all processes gathered; in rank order, so that all compute the same."""
    if not is_joined(world):
        return
    states: list[Any] = [None] * world.size
    dist.all_gather_object(states, json.dumps({name: a.state() for name, a in accumulators.items()}))
    for rank, text in enumerate(states):
        if rank == world.rank:
            continue
        for name, state in json.loads(text).items():
            accumulators[name].merge(state)


@contextmanager
def synchronised_batch_norm(network: nn.Module, world: World) -> Iterator[None]:
    """Within the block, batch normalisation in training mode uses the statistics of all processes' batches.

    Works on CPUs too, and copies no module: only ``forward`` of the modules in use is replaced for the time.
    """
    if not is_joined(world):
        yield
        return
    norms = [module for module in network.modules() if isinstance(module, BatchNorm)]
    norms = [norm for norm in norms if "forward" not in vars(norm)]  # those of an enclosing block are done
    for norm in norms:
        norm.forward = _SynchronisedForward(norm)  # type: ignore[assignment, method-assign]
    try:
        yield
    finally:
        for norm in norms:
            del norm.forward


class _SynchronisedForward:
    def __init__(self, norm: BatchNorm) -> None:
        self.norm = norm

    def __call__(self, inputs: Tensor) -> Tensor:
        norm = self.norm
        if not norm.training and norm.running_mean is not None:
            return type(norm).forward(norm, inputs)
        axes = [0, *range(2, inputs.dim())]
        count = inputs.numel() / inputs.shape[1]
        sums = torch.cat([inputs.sum(axes), (inputs * inputs).sum(axes), inputs.new_tensor([count])])
        sums = _SumOverRanks.apply(sums)  # type: ignore[no-untyped-call]
        channels, total = inputs.shape[1], sums[-1].detach()
        mean = sums[:channels] / total
        variance = sums[channels:-1] / total - mean * mean
        self._track(mean.detach(), variance.detach(), float(total))
        shape = [1, -1, *[1] * (inputs.dim() - 2)]
        outputs = (inputs - mean.view(shape)) * torch.rsqrt(variance.view(shape) + norm.eps)
        if norm.weight is not None:
            outputs = outputs * norm.weight.view(shape)
        return outputs if norm.bias is None else outputs + norm.bias.view(shape)

    def _track(self, mean: Tensor, variance: Tensor, total: float) -> None:
        norm = self.norm
        if (
            not norm.training
            or not norm.track_running_stats
            or norm.running_mean is None
            or norm.running_var is None
        ):
            return
        assert norm.num_batches_tracked is not None, "tracked together with the running statistics"
        norm.num_batches_tracked += 1
        momentum = norm.momentum if norm.momentum is not None else 1 / float(norm.num_batches_tracked)
        norm.running_mean.lerp_(mean, momentum)
        norm.running_var.lerp_(variance * total / max(total - 1, 1), momentum)


class _SumOverRanks(torch.autograd.Function):
    """Sum over processes; its gradient is the sum of the gradients over processes."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        summed = values.clone()
        dist.all_reduce(summed)
        return summed

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        summed = gradient.clone()
        dist.all_reduce(summed)
        return summed


def agree_on_codes(archs: Sequence[Sequence[int]], world: World) -> list[tuple[int, ...]]:
    """Return the architectures of rank 0, everywhere."""
    return [tuple(arch) for arch in broadcast_data([list(arch) for arch in archs], world)]
