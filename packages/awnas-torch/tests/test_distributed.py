"""Two gloo processes agree, average and normalise as one process with all the data would."""

import multiprocessing
import socket

import pytest
import torch
from torch import nn

from awnas_core import Mean
from awnas_core.errors import ConfigError
from awnas_core.world import World
from awnas_torch.distributed import (
    agree_on_codes,
    average_gradients,
    broadcast_data,
    merge_accumulators,
    process_group,
    synchronised_batch_norm,
)

RANKS = 2
ALONE = World()


def on_every_rank(work):
    """Return what ``work(world)`` returns on each of two processes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    ranks = [context.Process(target=_join, args=(work, rank, port, results)) for rank in range(RANKS)]
    for process in ranks:
        process.start()
    found = dict(results.get(timeout=60) for _ in ranks)
    for process in ranks:
        process.join(timeout=60)
    return [found[rank] for rank in range(RANKS)]


def _join(work, rank, port, results):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MASTER_ADDR", "127.0.0.1")
        patch.setenv("MASTER_PORT", port)
        try:
            with process_group(World(rank, RANKS), "cpu"):
                results.put((rank, work(World(rank, RANKS))))
        except Exception as error:  # noqa: BLE001 - told to the test
            results.put((rank, repr(error)))


def test_gradients_become_their_mean_and_missing_ones_stay_missing():
    def work(world):
        used, unused = nn.Parameter(torch.zeros(2, 3)), nn.Parameter(torch.zeros(2))
        used.grad = torch.full((2, 3), float(world.rank))
        average_gradients([used, unused], world)
        return used.grad.tolist(), unused.grad is None

    assert on_every_rank(work) == [([[0.5] * 3] * 2, True)] * 2


def test_everybody_gets_what_the_first_rank_holds():
    def work(world):
        codes = [(1, 2), (3, 4)] if world.is_main else [(9, 9)]
        return broadcast_data({"from": world.rank}, world), agree_on_codes(codes, world)

    assert on_every_rank(work) == [({"from": 0}, [(1, 2), (3, 4)])] * 2


def test_metrics_are_those_over_all_data():
    def work(world):
        mean = Mean()
        mean.update((1.0, 1) if world.is_main else (8.0, 2))
        merge_accumulators({"acc": mean}, world)
        return mean.compute()

    assert on_every_rank(work) == [3.0, 3.0]


def halves_of_a_batch():
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.BatchNorm2d(4, affine=False)
    ).double()
    return net, torch.randn(8, 3, 6, 6, dtype=torch.float64), torch.randn(8, 4, 4, 4, dtype=torch.float64)


def after_a_step(world):
    """Outputs, gradients and running statistics after one pass over this rank's half of the batch."""
    net, inputs, direction = halves_of_a_batch()
    part = slice(world.rank * 8 // world.size, (world.rank + 1) * 8 // world.size)
    with synchronised_batch_norm(net, world):
        outputs = net(inputs[part])
        (outputs * direction[part]).sum().div(8 / world.size).backward()
    average_gradients(net.parameters(), world)
    gradients = torch.cat([parameter.grad.flatten() for parameter in net.parameters()])
    running = torch.cat([buffer.double().flatten() for buffer in net.buffers()])
    return outputs.flatten().tolist(), gradients.tolist(), running.tolist()


def test_batch_normalisation_over_two_halves_is_that_over_the_whole():
    (first, *one), (second, *two) = on_every_rank(after_a_step)
    outputs, *whole = after_a_step(ALONE)
    assert first + second == pytest.approx(outputs, rel=1e-9, abs=1e-12)
    for rank in (one, two):
        for found, expected in zip(rank, whole, strict=True):
            assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_in_evaluation_mode_nothing_is_exchanged():
    net, inputs, _ = halves_of_a_batch()
    net.eval()
    with synchronised_batch_norm(net, World(0, RANKS)):  # there is no process group to exchange with
        inside = net(inputs)
    assert torch.equal(net(inputs), inside)
    assert not any("forward" in vars(module) for module in net.modules())


def test_alone_nothing_happens():
    parameter = nn.Parameter(torch.zeros(2))
    parameter.grad = torch.ones(2)
    average_gradients([parameter], ALONE)
    assert parameter.grad.tolist() == [1, 1]
    assert broadcast_data((1, 2), ALONE) == (1, 2)


def test_a_numbered_device_is_refused_for_several_processes():
    with pytest.raises(ConfigError, match="give auto, cpu or cuda"), process_group(World(0, RANKS), "cuda:1"):
        pass
