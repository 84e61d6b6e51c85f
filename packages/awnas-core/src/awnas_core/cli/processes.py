"""Joining the processes that torchrun started."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from awnas_core.device import Device
from awnas_core.errors import ConfigError, PluginError
from awnas_core.plugins.registry import load_target
from awnas_core.world import World


@contextmanager
def process_group(wanted: Device) -> Iterator[tuple[World, Device]]:
    """Join the process group and yield this process's place in it, and its own device of those ``wanted``.

    Raises: ConfigError when torchrun did not start this process, or awnas-torch is not installed.
    """
    world = World.from_environment()
    try:
        join = load_target("awnas_torch.distributed:process_group", "the process group")
    except PluginError as error:
        raise ConfigError(
            f"several processes need awnas-torch ({error}); try: pip install awnas-torch"
        ) from error
    with join(world, wanted.name) as own_device:
        yield world, replace(wanted, name=own_device.name)
