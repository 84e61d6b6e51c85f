"""Optimizers and schedulers come from configs; what is wrong in one is named, what they remember is plain data."""

import json

import pytest
import torch
from torch.optim import SGD, AdamW
from torch.optim.lr_scheduler import ReduceLROnPlateau

from awnas_core.errors import ConfigError
from awnas_torch.lr_schedulers import ExpDecay
from awnas_torch.optim import build_optimizer, build_scheduler, scheduler_state, step_scheduler


def parameters():
    return [torch.ones(3, requires_grad=True)]


def sgd(lr=0.1):
    return build_optimizer({"type": "SGD", "lr": lr}, parameters())


def test_an_optimizer_of_torch_gets_its_options():
    optimizer = build_optimizer({"type": "AdamW", "lr": 0.5, "betas": [0.5, 0.9]}, parameters())
    assert isinstance(optimizer, AdamW)
    assert (optimizer.defaults["lr"], tuple(optimizer.defaults["betas"])) == (0.5, (0.5, 0.9))


def test_groups_keep_options_of_their_own():
    groups = [{"params": parameters(), "weight_decay": 0.0}, {"params": parameters()}]
    optimizer = build_optimizer({"type": "SGD", "lr": 0.1, "weight_decay": 1e-4}, groups)
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.0, 1e-4]


def test_no_config_gives_none():
    assert build_optimizer(None, parameters()) is None
    assert build_scheduler(None, sgd()) is None
    assert build_scheduler({"type": "ExpDecay", "gamma": 0.9}, None) is None
    assert scheduler_state(None) is None
    step_scheduler(None)


def test_our_schedulers_and_those_of_torch_are_found_by_name():
    assert isinstance(build_scheduler({"type": "ExpDecay", "gamma": 0.9}, sgd()), ExpDecay)
    assert isinstance(build_scheduler({"type": "ReduceLROnPlateau"}, sgd()), ReduceLROnPlateau)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: build_optimizer({"lr": 0.1}, parameters()), "the optimizer needs a 'type'"),
        (lambda: build_optimizer({"type": "SDG"}, parameters()), "no optimizer 'SDG'.*'SGD'"),
        (
            lambda: build_optimizer({"type": "SGD", "momentun": 0.9}, parameters()),
            "optimizer SGD: momentun: .*'momentum'",
        ),
        (lambda: build_optimizer({"type": "SGD", "lr": -1.0}, parameters()), "SGD: .*-1.0"),
        (
            lambda: build_scheduler({"type": "CosineAnealingLR"}, sgd()),
            "no LR scheduler.*'CosineAnnealingLR'",
        ),
        (lambda: build_scheduler({"type": "CosineAnnealingLR"}, sgd()), "CosineAnnealingLR: .*T_max"),
    ],
)
def test_what_is_wrong_is_named_with_the_nearest_name(build, message):
    with pytest.raises(ConfigError, match=message):
        build()


def test_a_plateau_scheduler_waits_until_there_is_something_to_compare():
    optimizer = sgd()
    scheduler = build_scheduler({"type": "ReduceLROnPlateau", "patience": 0, "factor": 0.5}, optimizer)
    for metric in (None, None, 1.0, None, 2.0):
        step_scheduler(scheduler, metric)
    assert optimizer.param_groups[0]["lr"] == 0.05  # once, when 2 was worse than 1


SCHEDULERS = [
    {"type": "MultiStepLR", "milestones": [3, 6, 6]},
    {"type": "CosineAnnealingLR", "T_max": 10},
    {"type": "OneCycleLR", "max_lr": 1.0, "total_steps": 20},
    {"type": "CyclicLR", "base_lr": 0.1, "max_lr": 1.0, "step_size_up": 3},
    {"type": "ReduceLROnPlateau", "patience": 1},
    {"type": "CosineWithRestarts", "t_0": 3, "factor": 1.5},
]


@pytest.mark.parametrize("cfg", SCHEDULERS, ids=[cfg["type"] for cfg in SCHEDULERS])
def test_a_scheduler_goes_on_from_its_state_as_plain_data(cfg):
    def steps(optimizer, scheduler, epochs):
        rates = []
        for epoch in epochs:
            optimizer.step()
            step_scheduler(scheduler, float(epoch % 4))
            rates.append(optimizer.param_groups[0]["lr"])
        return rates

    def built():
        optimizer = SGD(parameters(), lr=0.1, momentum=0.9)
        return optimizer, build_scheduler(cfg, optimizer)

    optimizer, scheduler = built()
    steps(optimizer, scheduler, range(5))
    state = scheduler_state(scheduler)
    resumed_optimizer, resumed = built()
    resumed_optimizer.load_state_dict(optimizer.state_dict())
    resumed.load_state_dict(state)
    assert json.loads(json.dumps(state)).keys() == state.keys()
    assert steps(resumed_optimizer, resumed, range(5, 15)) == steps(optimizer, scheduler, range(5, 15))
