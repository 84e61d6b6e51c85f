"""Devices are resolved once, a batch moves as a whole, and an absent device is named."""

import os

import pytest
import torch

from awnas_core import Device
from awnas_core.errors import ConfigError
from awnas_torch.device import resolve


def test_without_a_gpu_auto_is_the_cpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve(Device("auto")).torch_device == torch.device("cpu")


def test_a_batch_moves_as_a_whole_and_only_images_take_the_memory_format():
    batch = {
        "images": torch.rand(2, 3, 4, 4),
        "labels": [torch.tensor([1, 2])],
        "pair": (torch.rand(2, 3), "name"),
    }
    moved = resolve(Device("cpu", memory_format="channels_last")).to(batch)
    assert moved["images"].is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(moved["images"], batch["images"])
    assert torch.equal(moved["labels"][0], torch.tensor([1, 2]))
    assert moved["pair"][1] == "name"
    assert type(moved["pair"]) is tuple


def test_images_can_stay_as_they_are():
    moved = resolve(Device("cpu", memory_format="contiguous")).to(torch.rand(2, 3, 4, 4))
    assert moved.is_contiguous()


def test_autocast_is_on_only_for_narrower_numbers():
    for dtype, expected in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        with resolve(Device("cpu", dtype=dtype)).autocast():
            assert (torch.rand(2, 2) @ torch.rand(2, 2)).dtype is expected


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "tpu7"])
def test_an_unknown_device_is_refused_with_what_there_is(name):
    with pytest.raises(ConfigError, match=f"no device '{name}'; give cpu, cuda:N or auto"):
        resolve(Device(name))


def test_a_gpu_that_is_not_there_is_refused_with_how_many_there_are(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ConfigError, match="'cuda:2' was asked for, this machine has 2 CUDA devices"):
        resolve(Device("cuda:2"))


@pytest.mark.parametrize(("environment", "threads"), [({}, [1]), ({"OMP_NUM_THREADS": "4"}, [])])
def test_a_cpu_gets_one_thread_unless_the_environment_says_otherwise(monkeypatch, environment, threads):
    asked = []
    monkeypatch.setattr(torch, "set_num_threads", asked.append)
    monkeypatch.setattr(os, "environ", environment)
    resolve(Device("cpu"))
    assert asked == threads
