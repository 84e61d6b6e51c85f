"""Zero-cost proxies equal their formulas, written out for a network of one hidden layer."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.functional import one_hot, softmax

from awnas_core.errors import ConfigError
from awnas_torch.proxies import PROXIES, score

N, PIXELS, HIDDEN, CLASSES = 5, 6, 16, 3


@pytest.fixture
def case():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Flatten(), nn.Linear(PIXELS, HIDDEN, bias=False), nn.ReLU(inplace=True), nn.Linear(HIDDEN, CLASSES)
    ).double()
    images = torch.randn(N, 1, 2, 3, dtype=torch.double)
    return network, images, torch.tensor([0, 2, 1, 1, 0])


def by_hand(network, images, targets):
    """Return weights, hidden values, and the loss's derivatives by hidden value before ReLU, logit and weight."""
    first, second = network[1].weight.detach(), network[3].weight.detach()
    x = images.flatten(1)
    before = x @ first.T
    logits = before.relu() @ second.T + network[3].bias.detach()
    d_logits = (softmax(logits, 1) - one_hot(targets, CLASSES)) / N
    d_before = (d_logits @ second) * (before > 0)
    gradients = (d_before.T @ x, d_logits.T @ before.relu())
    return (first, second), before, logits, d_before, d_logits, gradients


def test_params_l2_norm_grad_norm_plain_and_snip(case):
    weights, _, _, _, _, gradients = by_hand(*case)
    products = [(w * g).flatten() for w, g in zip(weights, gradients, strict=True)]
    assert score(*case, ["params", "l2_norm", "grad_norm", "plain", "snip"]) == pytest.approx(
        {
            "params": PIXELS * HIDDEN + HIDDEN * CLASSES + CLASSES,
            "l2_norm": sum(w.square().sum().sqrt() for w in weights).item(),
            "grad_norm": sum(g.square().sum().sqrt() for g in gradients).item(),
            "plain": torch.cat(products).sum().item(),
            "snip": torch.cat(products).abs().sum().item(),
        }
    )


def test_grasp_is_minus_weights_times_the_change_of_the_gradient_along_itself(case):
    network, images, targets = case
    weights, *_, gradients = by_hand(*case)
    step = 1e-6

    def moved(sign):
        other = copy.deepcopy(network)
        with torch.no_grad():
            for layer, gradient in zip((other[1], other[3]), gradients, strict=True):
                layer.weight += sign * step * gradient
        return by_hand(other, images, targets)[-1]

    changes = [(up - down) / (2 * step) for up, down in zip(moved(1), moved(-1), strict=True)]
    expected = -sum((w * change).sum() for w, change in zip(weights, changes, strict=True))
    assert score(*case, ["grasp"])["grasp"] == pytest.approx(expected.item(), rel=1e-5)


def test_synflow_is_the_sum_of_all_paths_once_for_each_layer(case):
    network, images, targets = case
    first, second = network[1].weight.detach().abs(), network[3].weight.detach().abs()
    expected = 2 * (second @ first).sum().item()  # biases flow to the output past the weights before them
    hidden = nn.Sequential(*network[:2], nn.BatchNorm1d(HIDDEN).double(), *network[2:])
    hidden[2].weight.data.fill_(7.0)  # normalisations are passed by
    assert score(network, images, targets, ["synflow"])["synflow"] == pytest.approx(expected)
    assert score(hidden, images, targets, ["synflow"])["synflow"] == pytest.approx(expected)


def test_nwot_is_the_log_determinant_of_the_agreements_of_open_relus(case):
    before = by_hand(*case)[1]
    pattern = (before > 0).tolist()
    agree = [[float(sum(a == b for a, b in zip(p, q, strict=True))) for q in pattern] for p in pattern]
    assert len({tuple(row) for row in pattern}) == N, "two equal rows would make the determinant zero"
    expected = torch.tensor(agree).det().abs().log().item()
    assert score(*case, ["nwot"])["nwot"] == pytest.approx(expected, rel=1e-4)


def test_jacob_cov_comes_of_the_correlations_of_the_jacobians(case):
    (first, second), before, *_ = by_hand(*case)
    jacobian = ((before > 0) * second.sum(0)) @ first
    centred = jacobian - jacobian.mean(1, keepdim=True)
    centred /= centred.norm(dim=1, keepdim=True)
    values = torch.linalg.eigvalsh(centred @ centred.T) + 1e-5
    expected = -(values.log() + 1 / values).sum().item()
    assert score(*case, ["jacob_cov"])["jacob_cov"] == pytest.approx(expected, rel=1e-5)


def test_fisher_counts_each_channel_as_often_as_it_has_weights(case):
    _, before, logits, d_before, d_logits, _ = by_hand(*case)
    of_first = 0.5 * (before * d_before).square().mean(0).sum() * PIXELS
    of_second = 0.5 * (logits * d_logits).square().mean(0).sum() * HIDDEN
    assert score(*case, ["fisher"])["fisher"] == pytest.approx((of_first + of_second).item())


def test_fisher_sums_over_pixels_before_it_squares():
    torch.manual_seed(1)
    network = nn.Sequential(nn.Conv2d(1, 2, 1, bias=False), nn.Flatten(), nn.Linear(8, 3, bias=False))
    images, targets = torch.randn(4, 1, 2, 2), torch.tensor([0, 1, 2, 0])
    outputs = network[0](images)
    logits = network[2](outputs.flatten(1))
    d_logits = (softmax(logits, 1) - one_hot(targets, 3)) / 4
    d_outputs = (d_logits @ network[2].weight).reshape(4, 2, 2, 2)
    of_convolution = 0.5 * (outputs * d_outputs).sum((2, 3)).square().mean(0).sum() * 1
    of_linear = 0.5 * (logits * d_logits).square().mean(0).sum() * 8
    found = score(network, images, targets, ["fisher"])["fisher"]
    assert found == pytest.approx((of_convolution + of_linear).item(), rel=1e-4)


def test_the_network_is_left_as_it_was():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3))
    before = copy.deepcopy(network.state_dict())
    score(network.eval(), torch.randn(4, 1, 4, 4), torch.tensor([0, 1, 2, 0]))
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not network.training
    assert all(parameter.grad is None for parameter in network.parameters())
    assert not any(module._forward_hooks for module in network.modules())


def test_an_unknown_proxy_is_refused_with_the_nearest(case):
    with pytest.raises(ConfigError, match="synflow"):
        score(*case, ["synflo"])
    assert set(score(*case)) == set(PROXIES)
