"""Zero-cost proxies equal their formulas, written out for a network of one hidden layer."""

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.autograd import grad
from torch.nn.functional import conv2d, one_hot, softmax

from awnas_core.errors import ConfigError
from awnas_torch.proxies import PROXIES, rank_sum, score, vote

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
    d_logits = (softmax(logits, 1) - one_hot(targets, CLASSES)) / len(images)
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
    jacobian = torch.as_tensor(jacobian_by_hand(case))
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


def test_flops_are_two_for_each_multiply_add_and_relu_counts_calls(case):
    expected = 2 * (PIXELS * HIDDEN + HIDDEN * CLASSES)
    twice = nn.Sequential(*case[0][:3], case[0][2], case[0][3])  # one module that is called two times
    assert score(*case, ["flops", "relu"]) == {"flops": expected, "relu": 1}
    assert score(twice, *case[1:], ["relu"]) == {"relu": 2}


def test_synflow_bn_keeps_normalisations():
    torch.manual_seed(2)
    network = nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1, bias=False),
        nn.BatchNorm2d(3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(48, 2),
    ).double()
    with torch.no_grad():
        network[1].weight.copy_(torch.tensor([-1.0, 2.0, 0.5]))
    images, targets = torch.randn(4, 1, 4, 4, dtype=torch.double), torch.tensor([0, 1, 1, 0])
    first = network[0].weight.detach().abs().requires_grad_()
    second = network[4].weight.detach().abs().requires_grad_()
    hidden = conv2d(torch.ones(1, 1, 4, 4, dtype=torch.double), first, padding=1)
    normal = (hidden - hidden.mean((0, 2, 3), keepdim=True)) / (
        hidden.var((0, 2, 3), keepdim=True, unbiased=False) + 1e-5
    ).sqrt()
    scaled = normal * torch.tensor([1.0, 2.0, 0.5]).view(1, 3, 1, 1)
    flow = (scaled.relu().flatten(1) @ second.T).sum()
    products = [
        (w * g).abs().sum() for w, g in zip((first, second), grad(flow, (first, second)), strict=True)
    ]
    found = score(network, images, targets, ["synflow_bn", "synflow"])
    assert found["synflow_bn"] == pytest.approx(sum(products).item())
    assert found["synflow"] != pytest.approx(found["synflow_bn"], rel=0.01)


def test_zico_is_the_log_of_means_over_deviations_of_the_gradients_of_two_halves(case):
    network, images, targets = case
    halves = [by_hand(network, images[part], targets[part])[-1] for part in (slice(3), slice(3, None))]
    expected = 0.0
    for of_one_layer in zip(*halves, strict=True):
        sizes = np.stack([gradient.abs().numpy() for gradient in of_one_layer])
        deviation = sizes.std(0)
        expected += np.log((sizes.mean(0)[deviation > 0] / deviation[deviation > 0]).sum())
    assert score(*case, ["zico"])["zico"] == pytest.approx(expected, rel=1e-4)
    with pytest.raises(ConfigError, match="two images"):
        score(network, images[:1], targets[:1], ["zico"])


def jacobian_by_hand(case):
    (first, second), before, *_ = by_hand(*case)
    return (((before > 0) * second.sum(0)) @ first).numpy()


def within_classes(jacobian, targets):
    """Return for each class Σ log(|r| + 1e-5) and its number of images."""
    found = []
    for label in sorted(set(targets.tolist())):
        own = jacobian[targets.numpy() == label]
        found.append((np.log(np.abs(np.corrcoef(own)) + 1e-5).sum(), len(own)))
    return found


def test_epe_nas_sums_the_logs_of_correlations_within_each_class(case):
    expected = sum(abs(total) for total, _ in within_classes(jacobian_by_hand(case), case[2]))
    assert score(*case, ["epe_nas"])["epe_nas"] == pytest.approx(expected, rel=1e-4)


def test_epe_nas_compares_classes_with_each_other_where_there_are_more_than_a_hundred():
    torch.manual_seed(3)
    network = nn.Sequential(nn.Flatten(), nn.Linear(PIXELS, 101, bias=False), nn.Softplus()).double()
    images, targets = torch.randn(6, 1, 2, 3, dtype=torch.double), torch.tensor([100, 7, 7, 100, 7, 2])
    x = images.flatten(1)
    weight = network[1].weight.detach()
    jacobian = ((x @ weight.T).sigmoid() @ weight).numpy()
    means = [total / count for total, count in within_classes(jacobian, targets)]
    expected = sum(abs(a - b) for a in means for b in means) / len(means)
    assert score(network, images, targets, ["epe_nas"])["epe_nas"] == pytest.approx(expected, rel=1e-4)


def test_zen_is_the_log_of_how_far_a_gaussian_network_moves():
    # Of a linear map of c channels ‖α·W·ε‖² is about α²·c_in·c_out·pixels, whatever the image and the weights it had.
    network = nn.Sequential(nn.Conv2d(64, 64, 1, bias=False), nn.Conv2d(64, 32, 1, bias=False))
    network.append(nn.Flatten())
    images, targets = torch.full((4, 64, 4, 4), 7.0), torch.tensor([0, 1, 2, 3])
    expected = math.log(0.01 * math.sqrt(64 * 64 * 32 * 16))
    assert score(network, images, targets, ["zen"])["zen"] == pytest.approx(expected, abs=0.1)
    assert score(network, images, targets, ["zen"], seed=1) != score(network, images, targets, ["zen"])


def test_zen_puts_back_what_normalisations_divided_by():
    plain = nn.Sequential(nn.Conv2d(64, 64, 1, bias=False))
    normal = nn.Sequential(*plain, nn.BatchNorm2d(64))
    images, targets = torch.zeros(8, 64, 4, 4), torch.zeros(8, dtype=torch.long)
    expected = score(plain, images, targets, ["zen"])["zen"]
    assert score(normal, images, targets, ["zen"])["zen"] == pytest.approx(expected, abs=0.1)


def test_a_vote_counts_those_that_a_majority_of_the_proxies_puts_below():
    rng = np.random.default_rng(0)
    scores, others = rng.integers(0, 4, (5, 3)).astype(float), rng.integers(0, 4, (7, 3)).astype(float)
    for row, found, mean in zip(scores, vote(scores, others), rank_sum(scores, others), strict=True):
        wins = [(sum(row > other), sum(row < other)) for other in others]
        shares = [
            [(own > o) + 0.5 * (own == o) for own, o in zip(row, other, strict=True)] for other in others
        ]
        assert found == pytest.approx(np.mean([(w > b) + 0.5 * (w == b) for w, b in wins]))
        assert mean == pytest.approx(np.mean(shares))


def test_a_proxy_that_is_far_ahead_is_outvoted():
    scores = np.array([[1e9, 0.0, 0.0], [0.0, 1.0, 1.0]])
    assert vote(scores, scores).tolist() == [0.25, 0.75]


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
    assert score(*case, ["relu_logdet"])["relu_logdet"] == score(*case, ["nwot"])["nwot"]
