"""Estimating the running statistics of batch normalisation anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

BatchNorm = nn.modules.batchnorm._BatchNorm


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
def modes_kept(network: nn.Module) -> Iterator[None]:
    """Put every module back into its mode (training or evaluation) afterwards."""
    modes = [(module, module.training) for module in network.modules()]
    try:
        yield
    finally:
        for module, training in modes:
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
    norms = [module for module in network.modules() if isinstance(module, BatchNorm)]
    tracking = [norm.track_running_stats for norm in norms]
    running = [(norm.running_mean, norm.running_var, norm.num_batches_tracked) for norm in norms]
    with modes_kept(network):
        network.train(training)
        for norm in norms:
            norm.running_mean = norm.running_var = norm.num_batches_tracked = None
            norm.track_running_stats = False
        try:
            yield
        finally:
            for norm, tracks, kept in zip(norms, tracking, running, strict=True):
                norm.track_running_stats = tracks
                norm.running_mean, norm.running_var, norm.num_batches_tracked = kept
