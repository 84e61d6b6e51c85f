"""Our schedulers follow their formulas, agree with torch where torch has the same, and resume."""

import math

import pytest
import torch
from torch.optim import SGD
from torch.optim.lr_scheduler import CosineAnnealingLR, CosineAnnealingWarmRestarts, LambdaLR, StepLR

from awnas_core.errors import ConfigError
from awnas_torch.lr_schedulers import (
    CosineWithRestarts,
    ExpDecay,
    WarmupCosineAnnealingLR,
    WarmupCosineWithRestarts,
)

BASE = 0.1


def optimizer(base=BASE):
    return SGD([torch.zeros(1, requires_grad=True)], lr=base)


def rates(make, steps=40, base=BASE):
    """Return the rate of each step 0, 1, … under the scheduler that ``make`` builds."""
    opt = optimizer(base)
    scheduler = make(opt)
    found = []
    for _ in range(steps):
        found.append(opt.param_groups[0]["lr"])
        opt.step()
        scheduler.step()
    return found


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_restarts_at_whole_factors_are_those_of_torch(factor):
    ours = rates(lambda opt: CosineWithRestarts(opt, 4, 0.01, factor))
    theirs = rates(lambda opt: CosineAnnealingWarmRestarts(opt, 4, factor, 0.01))
    assert ours == pytest.approx(theirs)


def test_cycles_grow_by_fractions_too_and_peaks_shrink():
    found = rates(lambda opt: CosineWithRestarts(opt, 4, factor=1.5, base_lr_factor=0.5), 4 + 6 + 9 + 1)
    starts = [0, 4, 10, 19]  # after cycles of 4, 6 and 9 steps
    assert [found[e] for e in starts] == pytest.approx([BASE * 0.5**k for k in range(4)])
    assert all(found[e] < found[e - 1] for e in range(1, 19) if e not in starts)


def test_every_cycle_begins_with_a_ramp():
    found = rates(lambda opt: WarmupCosineWithRestarts(opt, 8, warmup_epochs=4), 16)
    assert found[:4] == found[8:12] == pytest.approx([BASE * k / 4 for k in (1, 2, 3, 4)])
    assert found[4] == pytest.approx(BASE / 2 * (1 + math.cos(math.pi / 2)))


def test_decay_by_steps_is_that_of_torch_from_its_first_epoch_on():
    ours = rates(lambda opt: ExpDecay(opt, 0.5, every=3))
    assert ours == pytest.approx(rates(lambda opt: StepLR(opt, 3, 0.5)))
    late = rates(lambda opt: ExpDecay(opt, 0.5, every=3, start_epoch=5, eta_min=0.02))
    assert late == pytest.approx([BASE] * 5 + [max(0.02, rate) for rate in ours[:35]])


def test_a_warm_up_leads_to_the_half_cosine_of_torch_and_stays_at_its_end():
    found = rates(lambda opt: WarmupCosineAnnealingLR(opt, 10, 5, eta_min=0.01), 30)
    assert found[:5] == pytest.approx([BASE * e / 5 for e in range(5)])
    cosine = rates(lambda opt: CosineAnnealingLR(opt, 10, 0.01), 10)
    assert found[5:15] == pytest.approx(cosine)
    assert found[15:] == pytest.approx([0.01] * 15)


def test_a_warm_up_may_rise_in_stairs():
    found = rates(lambda opt: WarmupCosineAnnealingLR(opt, 10, 6, every=2), 7)
    assert found == pytest.approx([0, 0, BASE / 3, BASE / 3, 2 * BASE / 3, 2 * BASE / 3, BASE])


def test_each_group_keeps_its_own_base():
    opt = optimizer()
    opt.add_param_group({"params": [torch.zeros(1, requires_grad=True)], "lr": 1.0})
    scheduler = ExpDecay(opt, 0.5)
    opt.step()
    scheduler.step()
    assert [group["lr"] for group in opt.param_groups] == [0.05, 0.5]


def test_the_rate_is_a_function_of_the_step_alone():
    """Whoever else sets the rate, warm-up for one, does not shift what follows."""
    opt = optimizer()
    scheduler = CosineWithRestarts(opt, 10)
    for step in range(8):
        opt.param_groups[0]["lr"] = 7.0
        opt.step()
        scheduler.step()
        assert opt.param_groups[0]["lr"] == pytest.approx(
            BASE / 2 * (1 + math.cos(math.pi * (step + 1) / 10))
        )


@pytest.mark.parametrize(
    "make",
    [
        lambda opt: CosineWithRestarts(opt, 4, 0.01, 1.5, 0.9),
        lambda opt: WarmupCosineWithRestarts(opt, 6, 2),
        lambda opt: ExpDecay(opt, 0.9, 2, 3),
        lambda opt: WarmupCosineAnnealingLR(opt, 20, 5),
        lambda opt: LambdaLR(opt, lambda e: 1 / (1 + e)),
    ],
)
def test_a_resumed_scheduler_goes_on_where_it_was(make):
    expected = rates(make, 20)
    opt = optimizer()
    scheduler = make(opt)
    for _ in range(9):
        opt.step()
        scheduler.step()
    resumed_opt = optimizer()
    resumed = make(resumed_opt)
    resumed_opt.load_state_dict(opt.state_dict())
    resumed.load_state_dict(scheduler.state_dict())
    for step in range(9, 20):
        assert resumed_opt.param_groups[0]["lr"] == expected[step]
        resumed_opt.step()
        resumed.step()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda opt: CosineWithRestarts(opt), "t_0"),
        (lambda opt: CosineWithRestarts(opt, 3, T_0=3), "t_0"),
        (lambda opt: CosineWithRestarts(opt, 0), "got 0"),
        (lambda opt: CosineWithRestarts(opt, 3, factor=0.5), "0.5"),
        (lambda opt: ExpDecay(opt, 0.5, every=0), "every must be at least 1, got 0"),
        (lambda opt: WarmupCosineAnnealingLR(opt, 0, 3), "T_max"),
    ],
)
def test_impossible_settings_are_refused(make, message):
    with pytest.raises(ConfigError, match=message):
        make(optimizer())
