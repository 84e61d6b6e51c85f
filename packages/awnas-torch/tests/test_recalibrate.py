"""Statistics of batch normalisation can be estimated anew, or left out, without a trace."""

import pytest
import torch
from torch import nn

from awnas_torch.recalibrate import batch_statistics, evaluation_mode, modes_kept, recalibrate


def network():
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.BatchNorm2d(3), nn.Conv2d(3, 2, 1), nn.Dropout(0.5), nn.BatchNorm2d(2, affine=False)
    )
    net[0].eval()  # modes that differ
    return net


def batches():
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(n, 3, 4, 4, generator=generator) * 2 + 1 for n in (8, 8, 2)]


def snapshot(net):
    return {name: value.clone() for name, value in net.state_dict().items()}, [
        m.training for m in net.modules()
    ]


def assert_same(net, before):
    state, modes = before
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
    assert [module.training for module in net.modules()] == modes


def test_statistics_are_the_mean_over_batches():
    net, data = network(), batches()
    modes = [module.training for module in net.modules()]
    recalibrate(net, data)
    means = torch.stack([batch.mean((0, 2, 3)) for batch in data]).mean(0)
    variances = torch.stack([batch.var((0, 2, 3)) for batch in data]).mean(0)
    assert torch.allclose(net[0].running_mean, means, atol=1e-6)
    assert torch.allclose(net[0].running_var, variances, atol=1e-5)
    assert net[0].momentum == 0.1
    assert [module.training for module in net.modules()] == modes


def test_measuring_with_the_statistics_of_a_batch_leaves_the_running_ones_alone():
    net, (data, *_) = network(), batches()
    before = snapshot(net)
    with batch_statistics(net), torch.no_grad():
        output = net(data)
        hidden = net[0](data)
    assert torch.allclose(output.mean((0, 2, 3)), torch.zeros(2), atol=1e-5)
    assert torch.allclose(hidden.mean((0, 2, 3)), torch.zeros(3), atol=1e-5)
    assert_same(net, before)


def test_measuring_in_evaluation_mode_uses_the_running_statistics_and_no_dropout():
    net, (data, *_) = network(), batches()
    before = snapshot(net)
    with evaluation_mode(net), torch.no_grad():
        assert torch.equal(net(data), net(data))
        assert torch.allclose(net[0](data), data, atol=1e-4)  # they are still 0 and 1
    assert_same(net, before)


@pytest.mark.parametrize("scope", [batch_statistics, evaluation_mode, modes_kept])
def test_modes_and_statistics_return_after_an_error(scope):
    net = network()
    before = snapshot(net)
    with pytest.raises(RuntimeError), scope(net):
        net.eval()(torch.zeros(1, 5, 4, 4))
    assert_same(net, before)


def test_a_failing_batch_leaves_momentum_and_modes_as_they_were():
    net = network()
    _, modes = snapshot(net)
    with pytest.raises(RuntimeError):
        recalibrate(net, [torch.zeros(1, 5, 4, 4)])
    assert net[0].momentum == 0.1
    assert [module.training for module in net.modules()] == modes
