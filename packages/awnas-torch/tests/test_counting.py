"""Counts follow the closed forms, agree with torch's own counter, and cost no memory."""

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from awnas_core import total_cost
from awnas_torch.counting import count_layers, count_module


@settings(max_examples=30, deadline=None)
@given(
    kernel=st.sampled_from([1, 3, 5]),
    stride=st.integers(1, 3),
    dilation=st.integers(1, 2),
    groups=st.sampled_from([1, 2, 4]),
    width=st.integers(1, 3),
    bias=st.booleans(),
    size=st.integers(9, 12),
)
def test_a_convolution_counts_as_its_formula_and_as_torch_counts(
    kernel, stride, dilation, groups, width, bias, size
):
    conv = nn.Conv2d(4, 4 * width, kernel, stride, kernel // 2, dilation, groups, bias)
    cost = total_cost(count_module(conv, (4, size, size)))
    output = conv(torch.zeros(1, 4, size, size))
    pixels = output.shape[2] * output.shape[3]
    assert cost.macs == kernel**2 * 4 // groups * 4 * width * pixels
    assert cost.params == kernel**2 * 4 // groups * 4 * width + (4 * width if bias else 0)
    with FlopCounterMode(display=False) as counter:
        conv(torch.zeros(1, 4, size, size))
    assert cost.flops == counter.get_total_flops()


def test_only_convolutions_and_linear_layers_have_multiply_adds():
    net = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(4 * 9, 5)
    )
    layers = count_module(net, (3, 8, 8))
    assert [layer.macs for layer in layers] == [27 * 4 * 36, 0, 0, 0, 0, 36 * 5]
    assert [layer.op for layer in layers] == ["conv2d", "norm", "relu", "pool", "flatten", "linear"]
    assert [layer.output_shape for layer in layers[:4]] == [(4, 6, 6)] * 3 + [(4, 3, 3)]
    assert total_cost(layers).params == sum(parameter.numel() for parameter in net.parameters())


def test_a_layer_that_runs_twice_has_its_parameters_once():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(6, 6)

        def forward(self, inputs):
            return self.inner(self.inner(inputs))

    (layer,) = count_layers(Twice, (6,))
    assert (layer.params, layer.macs, layer.calls) == (42, 72, 2)


def test_auxiliary_parts_do_not_count():
    class WithHead(nn.Module):
        def __init__(self):
            super().__init__()
            self.main, self.auxiliary_head = nn.Linear(4, 2), nn.Sequential(nn.Linear(4, 1000))

        def forward(self, inputs):
            self.auxiliary_head(inputs)
            return self.main(inputs)

    assert [layer.name for layer in count_layers(WithHead, (4,))] == ["main"]


def test_a_network_larger_than_memory_can_be_counted():
    (layer,) = count_layers(lambda: nn.Linear(10**6, 10**6), (10**6,))
    assert layer.params == 10**12 + 10**6


def test_counting_an_existing_network_leaves_it_as_it_is():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)).train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    count_module(net, (1, 8, 8))
    images = torch.randn(4, 1, 8, 8)
    assert torch.allclose(net(images).mean(), torch.tensor(0.0), atol=1e-5)  # normalised as ever
    assert net.training
    assert not any(module._forward_hooks for module in net.modules())
    assert torch.equal(net[0].weight, before["0.weight"])
    assert net[0].weight.device.type == "cpu"


def test_a_network_that_is_counted_twice_is_counted_alike():
    with torch.device("meta"):
        net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(72, 3))
    assert count_layers(lambda: net, (1, 8, 8)) == count_layers(lambda: net, (1, 8, 8))


def test_a_network_with_other_inputs_is_run_as_the_caller_says():
    layers = count_layers(lambda: nn.Embedding(10, 4), (7,), lambda net, inputs: net(inputs.long()))
    assert layers[0].output_shape == (7, 4)


def test_an_input_of_the_wrong_shape_fails_loudly():
    with pytest.raises(RuntimeError):
        count_module(nn.Conv2d(3, 4, 3), (5, 8, 8))
