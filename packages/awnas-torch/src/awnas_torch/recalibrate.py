"""Estimating the running statistics of batch normalisation anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

BatchNorm = nn.modules.batchnorm._BatchNorm
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


def recalibrate(network: nn.Module, batches: Iterable[Any]) -> None:
    """Set the running statistics of every batch normalisation to the mean over ``batches``, equally weighted.

    The mode of every module is as before afterwards.

    Args:
        network: Called with each of ``batches``.
        batches: Inputs, on the device of the network.
    """
    norms = [module for module in network.modules() if isinstance(module, BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    with modes_kept(network), torch.no_grad():
        network.eval()
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # a cumulative average
            norm.train()
        try:
            for batch in batches:
                network(batch)
        finally:
            for norm, momentum in zip(norms, momenta, strict=True):
                norm.momentum = momentum


@contextmanager
def modes_kept(network: nn.Module) -> Iterator[list[nn.Module]]:
    """Put every module back into its mode (training or evaluation) afterwards; gives the modules."""
    modules = list(network.modules())
    modes = [module.training for module in modules]
    try:
        yield modules
    finally:
        for module, training in zip(modules, modes, strict=True):
            if module.training is not training:
                module.training = training


@contextmanager
def evaluation_mode(network: nn.Module) -> Iterator[None]:
    """Evaluate with the running statistics; modes are as before afterwards."""
    with modes_kept(network):
        network.eval()
        yield


@contextmanager
def batch_statistics(network: nn.Module, *, training: bool = False) -> Iterator[None]:
    """Normalise with the statistics of each batch, leaving the running ones alone; modes are as before afterwards.

    Args:
        network: Its batch normalisations.
        training: Everything else, dropout above all, acts as in training.
    """
    with modes_kept(network) as modules:
        if any(module.training is not training for module in modules):
            network.train(training)
        norms = [module for module in modules if isinstance(module, BatchNorm)]
        # The dictionaries themselves: to set attributes of thousands of modules takes as long as a small step.
        kept = [(n, n.track_running_stats, {name: n._buffers[name] for name in STATISTICS}) for n in norms]
        try:
            for norm in norms:
                norm._buffers.update(dict.fromkeys(STATISTICS))
                vars(norm)["track_running_stats"] = False
            yield
        finally:
            for norm, tracks, statistics in kept:
                norm._buffers.update(statistics)
                vars(norm)["track_running_stats"] = tracks
