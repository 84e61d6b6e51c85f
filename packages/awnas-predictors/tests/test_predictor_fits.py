"""Losses, features of graphs, and what is fitted with them."""

from __future__ import annotations

import itertools
from typing import Literal

import numpy as np
import pytest
import torch

from awnas_core.roles.search_space import SearchSpace
from awnas_predictors.encoding import encode
from awnas_predictors.forest import BoostingPredictor, ForestPredictor
from awnas_predictors.gates import Gates
from awnas_predictors.graph_features import graph_features
from awnas_predictors.losses import hinge_loss, listwise_loss
from awnas_predictors.pointwise import PointwisePredictor
from awnas_spaces.enas import EnasSpace
from awnas_spaces.nasbench101 import NasBench101Space
from awnas_spaces.nasbench201 import NasBench201Space

CODES = np.random.default_rng(1).integers(5, size=(120, 6))
GRAPHS = encode(NasBench201Space(), CODES)
TARGETS = graph_features(GRAPHS)[:, 2].astype(float)  # 3×3 convolutions that count


def agreement(a: np.ndarray, b: np.ndarray) -> float:
    """Return the share of pairs in the same order."""
    pairs = [(i, j) for i, j in itertools.combinations(range(len(b)), 2) if b[i] != b[j]]
    return float(np.mean([(a[i] > a[j]) == (b[i] > b[j]) for i, j in pairs]))


def test_the_hinge_loss_is_zero_exactly_when_all_margins_hold() -> None:
    targets = torch.tensor([0.3, 0.1, 0.2])
    assert hinge_loss(torch.tensor([0.41, 0.2, 0.305]), targets) == 0
    assert hinge_loss(torch.tensor([0.40, 0.2, 0.25]), targets).item() == pytest.approx(0.05 / 3)


def test_the_listwise_loss_is_least_for_the_true_order() -> None:
    targets = torch.arange(4.0)
    losses = {
        order: listwise_loss(torch.tensor(order), targets)
        for order in itertools.permutations([0.0, 1.0, 2.0, 3.0])
    }
    assert min(losses, key=lambda order: losses[order].item()) == (0.0, 1.0, 2.0, 3.0)


def test_paths_are_those_of_the_full_cell() -> None:
    graphs = encode(NasBench201Space(), np.full((1, 6), 3))
    assert graph_features(graphs)[0, -6:].tolist() == [4, 1, 3, 3, 3, 2]


def ways(cell: np.ndarray, inputs: int, to: int) -> list[int]:
    """Return the length of every path from an input node to ``to``, walked one by one."""
    if to < inputs:
        return [0]
    return [
        length + 1
        for slot, source in itertools.product(range(len(cell)), range(to))
        if cell[slot, to, source]
        for length in ways(cell, inputs, source)
    ]


@pytest.mark.parametrize("space", [NasBench201Space(), NasBench101Space(), EnasSpace()])
def test_paths_of_all_operations_are_those_found_by_walking(space: SearchSpace) -> None:
    graphs = encode(space, space.sample_codes(20, np.random.default_rng(3)))
    found = graph_features(graphs).reshape(len(graphs), -1)
    groups = graphs.edges.shape[1]
    for arch, cells in enumerate(graphs.edges):
        expected = []
        for cell in cells:
            lengths = ways(cell, graphs.num_inputs, cell.shape[-1] - 1)
            nodes = {to for _, to, _ in np.argwhere(cell)} - {cell.shape[-1] - 1}
            degrees = [(cell[:, :, : graphs.num_inputs] > 0).sum(), (cell[:, -1] > 0).sum(), len(nodes)]
            shortest, longest = min(lengths, default=cell.shape[-1]), max(lengths, default=0)
            expected += [len(lengths), shortest, longest, *degrees]
        assert found[arch, -6 * groups :].tolist() == expected


@pytest.mark.parametrize("kind", [ForestPredictor, BoostingPredictor])
def test_trees_order_cells_they_have_not_seen(kind: type[ForestPredictor | BoostingPredictor]) -> None:
    predictor = kind(0)
    predictor.fit(GRAPHS[:90], TARGETS[:90])
    assert agreement(predictor.predict(GRAPHS[90:]), TARGETS[90:]) > 0.8


def fitted(loss: Literal["hinge", "listwise", "mse"]) -> np.ndarray:
    """Return what GATES, trained on the first cells, predicts for the others."""
    rng = np.random.default_rng(0)
    embedder = Gates(GRAPHS, rng, dims=(32, 32, 32))
    predictor = PointwisePredictor(embedder, rng, loss=loss, hiddens=(32,), epochs=150)
    predictor.fit(GRAPHS[:90], TARGETS[:90])
    return predictor.predict(GRAPHS[90:])


@pytest.mark.parametrize("loss", ["hinge", "listwise", "mse"])
def test_gates_orders_cells_it_has_not_seen(loss: Literal["hinge", "listwise", "mse"]) -> None:
    assert agreement(fitted(loss), TARGETS[90:]) > 0.8


def test_the_generator_alone_decides_what_is_predicted() -> None:
    torch.manual_seed(1)
    first = fitted("hinge")
    torch.manual_seed(2)
    assert np.array_equal(fitted("hinge"), first)
