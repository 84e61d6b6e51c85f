"""The baselines of examples/ are the published networks: in size, in cost, and in what they compute."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torchvision
import yaml

from awnas_core import total_cost
from awnas_core.testing import build
from awnas_networks.primitives.table import PrimitiveTable

FOLDER = Path(__file__).parent.parent / "examples" / "baselines"
FACTS = {"cifar10": (10, (3, 32, 32)), "imagenet": (1000, (3, 224, 224))}

PUBLISHED = {
    "resnet20": 269_722,  # 0.27 M in He et al. 2016; in full by Y. Idelbayev, "Proper ResNet for CIFAR10"
    "resnet18": 11_173_962,  # "Train CIFAR10 with PyTorch" by Liu Kuang, as are the next two
    "vgg16": 14_728_266,
    "mobilenet-v2": 2_296_922,
    "densenet-bc": 769_162,  # 0.8 M in Huang et al. 2017; in full by A. Veit's "A PyTorch Implementation for Densenet"
    "wide-resnet": 36_479_194,  # 36.5 M in Zagoruyko and Komodakis 2016; in full by X. Gao's "Wide Residual Networks"
}
TORCHVISION = {
    "imagenet-resnet50": "resnet50",
    "imagenet-densenet121": "densenet121",
    "imagenet-mobilenet-v2": "mobilenet_v2",
}


def model(config, **changes):
    cfg = yaml.safe_load((FOLDER / f"{config}.yaml").read_text())
    space = build("search_space", cfg["search_space_type"], cfg.get("search_space_cfg", {}))
    num_classes, input_shape = FACTS[cfg["dataset_type"]]
    parts = {"search_space": space, "num_classes": num_classes, "input_shape": input_shape}
    return build("final_model", cfg["final_model_type"], cfg["final_model_cfg"] | changes, parts)


def params(network):
    return sum(parameter.numel() for parameter in network.parameters())


def test_every_baseline_is_looked_at():
    assert {path.stem for path in FOLDER.glob("*.yaml")} == {*PUBLISHED, *TORCHVISION}


@pytest.mark.parametrize(("config", "published"), PUBLISHED.items())
def test_a_network_for_small_images_has_the_published_size_and_runs(config, published):
    network = model(config)
    assert params(network) == total_cost(network.layers()).params == published
    text = (FOLDER / f"{config}.yaml").read_text()
    assert f"{published:,} parameters" in text
    if config != "wide-resnet":  # seconds
        assert network.eval()(torch.zeros(1, 3, 32, 32)).shape == (1, 10)


@pytest.mark.parametrize(("config", "name"), TORCHVISION.items())
def test_a_network_for_imagenet_has_the_size_and_the_cost_that_torchvision_states(config, name):
    meta = torchvision.models.get_model_weights(name).DEFAULT.meta
    cost = total_cost(model(config).layers())
    assert cost.params == meta["num_params"]
    assert cost.macs / 1e9 == pytest.approx(meta["_ops"], abs=6e-4)


def twins(own, other):
    """Give ``own`` the weights and statistics of ``other``, which has them in the same order."""
    torch.manual_seed(0)
    for module in other.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.running_mean, std=0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    for mine, theirs in ((own.parameters(), other.parameters()), (own.buffers(), other.buffers())):
        for target, source in zip(mine, theirs, strict=True):
            with torch.no_grad():
                target.copy_(source.view(target.shape))
    return own.eval(), other.eval()


@pytest.mark.parametrize(
    ("config", "name"), [("imagenet-resnet50", "resnet50"), ("imagenet-mobilenet-v2", "mobilenet_v2")]
)
def test_with_the_weights_of_torchvision_it_computes_the_same(config, name):
    own, other = twins(model(config), torchvision.models.get_model(name))
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(own(images), other(images), rtol=1e-4, atol=1e-4)


def test_vgg_computes_what_the_features_of_torchvision_do():
    own, other = twins(model("vgg16", no_fc=True), torchvision.models.vgg16_bn().features)
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(own(images), other(images).flatten(1), rtol=1e-4, atol=1e-4)


LARGE = [
    (3, 1, False, "relu"),
    (3, 4, False, "relu"),
    (3, 3, False, "relu"),
    (5, 3, True, "relu"),
    (5, 3, True, "relu"),
]
LARGE += [
    (5, 3, True, "relu"),
    (3, 6, False, "h_swish"),
    (3, 2.5, False, "h_swish"),
    (3, 2.3, False, "h_swish"),
]
LARGE += [
    (3, 2.3, False, "h_swish"),
    (3, 6, True, "h_swish"),
    (3, 6, True, "h_swish"),
    *[(5, 6, True, "h_swish")] * 3,
]
"""Kernel, expansion, excitation and activation of the blocks of MobileNetV3-Large: Howard et al. 2019, table 1."""


def test_blocks_of_mobilenet_v3_compute_what_those_of_torchvision_do():
    others = torchvision.models.mobilenet_v3_large().features[1:-1]
    for other, (kernel_size, expansion, use_se, activation) in zip(others, LARGE, strict=True):
        convolutions = [part for part in other.modules() if isinstance(part, torch.nn.Conv2d)]
        before, after = convolutions[0].in_channels, convolutions[-1].out_channels
        stride = max(part.stride[0] for part in convolutions)
        options = {
            "kernel_size": kernel_size,
            "expansion": expansion,
            "activation": activation,
            "use_se": use_se,
        }
        own = PrimitiveTable().build("mobilenet_v3_block", before, after, stride, True, **options)
        for part in own.modules():
            if isinstance(part, torch.nn.BatchNorm2d):
                part.eps = 1e-3  # as in that network
        twins(own, other)
        images = torch.randn(2, before, 9, 9)
        with torch.no_grad():
            torch.testing.assert_close(own(images), other(images), rtol=1e-4, atol=1e-4)
