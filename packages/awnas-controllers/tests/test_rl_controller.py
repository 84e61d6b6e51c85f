"""The controller ``rl`` as a search sees it."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch

from awnas_controllers.reinforcement.agents import PpoAgent
from awnas_controllers.reinforcement.networks import EmbedLstm
from awnas_core import CheckpointError, ConfigError, Decisions, Evaluation, Purpose
from awnas_core.run.state import load_state, save_state
from awnas_core.testing.toys import ToySpace


def count_of(primitive):
    def worth(rollout):
        space = rollout.space
        return float(
            sum(
                space.primitives_of(group)[op] == primitive
                for group, (_, ops) in enumerate(space.cells(rollout.arch))
                for op in ops
            )
        )

    return worth


def parameters_of(controller):
    return torch.cat(
        [p.detach().flatten().clone() for policy in controller.policies for p in policy.parameters()]
    )


OPTIONS = [{}, {"independent_cell_group": True}, {"condition_hidden_cell_groups": True}]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("network", ["anchor", "embed"])
@pytest.mark.parametrize(
    "make_agent", [lambda: None, lambda: PpoAgent(np.random.default_rng(0))], ids=["pg", "ppo"]
)
def test_the_rewarded_primitive_takes_over(network, make_agent, options, rl, cells, rewarded):
    space = cells((("a", "b"), ("b", "c")), num_node_inputs=1)
    controller = rl(space, network=network, agent=make_agent(), **options)
    controller.configure_optimizer({"type": "Adam", "lr": 0.05})
    worth = count_of("b")
    before = np.mean([worth(rollout) for rollout in controller.sample(200)])
    for _ in range(30):
        controller.step(rewarded(controller.sample(8), worth))
    after = np.mean([worth(rollout) for rollout in controller.sample(200, Purpose.DERIVE)])
    assert before < 2.3
    assert after > 2.6  # the bounded logits allow 2.83


def test_samples_are_architectures_and_every_choice_turns_up(rl, cells):
    space = cells((("a", "b"), ("c", "b", "d")), steps=(2, 2))
    codes = space.encode_codes(rl(space).sample(300))
    space.decisions.check_codes(codes)
    assert (codes.max(0) == space.decisions.cardinalities - 1).all()
    assert (codes.min(0) == 0).all()


def test_none_can_be_asked_for(rl, cells):
    assert rl(cells()).sample(0) == []


def test_the_same_generator_gives_the_same_architectures(rl, cells):
    space = cells()
    assert rl(space, seed=4).sample(20) == rl(space, seed=4).sample(20)
    assert rl(space, seed=4).sample(20) != rl(space, seed=5).sample(20)


def test_failed_and_infeasible_rollouts_teach_nothing(rl, cells, rewarded):
    space = cells()
    with_failures, without = rl(space), rl(space)
    lessons = rewarded(with_failures.sample(4), count_of("a"))
    failures = [
        rollout.record(evaluation)
        for rollout, evaluation in zip(
            with_failures.sample(3),
            [
                Evaluation(status="failed", error="out of memory"),
                Evaluation(status="infeasible", perf={"latency": 3.0}),
                Evaluation(perf={"reward": math.nan}),
            ],
            strict=True,
        )
    ]
    with_failures.step([failures[0], *lessons, *failures[1:]])
    without.step(lessons)
    assert torch.equal(parameters_of(with_failures), parameters_of(without))
    before = parameters_of(without)
    assert without.step(failures) == {}
    assert torch.equal(parameters_of(without), before)


def test_the_order_of_results_does_not_matter(rl, cells, rewarded):
    space = cells()
    forth, back = rl(space), rl(space)
    lessons = rewarded(forth.sample(5), count_of("a"))
    forth.step(lessons)
    back.step(lessons[::-1])
    torch.testing.assert_close(parameters_of(forth), parameters_of(back))


def test_it_learns_from_the_perf_it_was_told(rl, cells):
    space = cells()
    by_reward, by_accuracy = rl(space), rl(space)
    by_accuracy.configure_optimizer({"type": "Adam", "lr": 0.001}, perf_name="accuracy")
    worth = count_of("a")
    for controller, name in ((by_reward, "reward"), (by_accuracy, "accuracy")):
        lessons = controller.sample(4)
        for rollout in lessons:
            rollout.record(Evaluation(perf={"reward": 0.0, "accuracy": 0.0} | {name: worth(rollout)}))
        controller.step(lessons)
    assert torch.equal(parameters_of(by_reward), parameters_of(by_accuracy))


def test_a_missing_perf_is_named(rl, cells):
    controller = rl(cells())
    (rollout,) = controller.sample(1)
    with pytest.raises(ConfigError, match="'reward', but only accuracy was measured"):
        controller.step([rollout.record(Evaluation(perf={"accuracy": 1.0}))])


def test_results_that_are_still_out_are_refused(rl, cells):
    controller = rl(cells())
    with pytest.raises(ValueError, match="not evaluated yet"):
        controller.step(controller.sample(1))


@pytest.mark.parametrize("options", OPTIONS)
def test_summary_gives_the_entropy_of_each_cell_group(options, rl, cells):
    network = EmbedLstm(np.random.default_rng(0), force_uniform=True)
    controller = rl(cells((("a", "b", "c"), ("a", "b", "c"))), network=network, **options)
    summary = controller.summary(controller.sample(3))
    entropy = 2 * math.log(2) + 6 * math.log(3)
    assert summary == {
        "group_0_log_prob": pytest.approx(-entropy, rel=1e-5),
        "group_0_entropy": pytest.approx(entropy, rel=1e-5),
        "group_1_log_prob": pytest.approx(-entropy, rel=1e-5),
        "group_1_entropy": pytest.approx(entropy, rel=1e-5),
    }


def test_a_policy_forced_uniform_keeps_its_parameters(rl, cells, rewarded):
    network = EmbedLstm(np.random.default_rng(0), force_uniform=True)
    controller = rl(cells(), network=network)
    before = parameters_of(controller)
    for _ in range(2):
        controller.step(rewarded(controller.sample(4), count_of("a")))
    assert torch.equal(parameters_of(controller), before)
    network.force_uniform = False
    controller.step(rewarded(controller.sample(4), count_of("a")))
    assert not torch.equal(parameters_of(controller), before)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize(
    "make_agent", [lambda: None, lambda: PpoAgent(np.random.default_rng(0), minibatch_size=2)]
)
def test_a_resumed_controller_goes_on_as_if_never_stopped(make_agent, options, tmp_path, rl, cells, rewarded):
    space = cells()

    def controller():
        made = rl(space, agent=make_agent(), seed=3, **options)
        made.configure_optimizer(
            {"type": "Adam", "lr": 0.01}, {"type": "StepLR", "step_size": 1, "gamma": 0.5}
        )
        return made

    def epoch(controller):
        controller.on_epoch_start(1)
        stats = controller.step(rewarded(controller.sample(4), count_of("a")))
        controller.on_epoch_end(1)
        return stats

    def generators(controller):
        return [part.rng.bit_generator for part in (controller, controller.agent) if hasattr(part, "rng")]

    through, resumed = controller(), controller()
    epoch(through)
    save_state(tmp_path, through.state())
    states = copy.deepcopy([generator.state for generator in generators(through)])
    expected = [epoch(through) for _ in range(3)]
    resumed.load_state(load_state(tmp_path))
    for generator, state in zip(generators(resumed), states, strict=True):
        generator.state = state
    assert [epoch(resumed) for _ in range(3)] == expected
    assert torch.equal(parameters_of(resumed), parameters_of(through))
    assert resumed.optimizer.param_groups[0]["lr"] == pytest.approx(0.01 / 16)


def test_the_state_of_another_controller_is_refused(rl, cells):
    space = cells()
    with pytest.raises(CheckpointError, match="another controller 'rl'"):
        rl(space, network="anchor").load_state(rl(space, network="embed").state())
    with pytest.raises(CheckpointError, match="another controller 'rl'"):
        rl(space).load_state(rl(space, independent_cell_group=True).state())


def test_a_plateau_scheduler_sees_the_mean_reward_of_an_epoch(rl, cells, rewarded):
    controller = rl(cells())
    plateau = {"type": "ReduceLROnPlateau", "mode": "max", "patience": 0, "factor": 0.1}
    controller.configure_optimizer({"type": "SGD", "lr": 1.0}, plateau)
    rates = []
    for epoch, reward in enumerate([1.0, 2.0, 1.0], start=1):
        controller.step(rewarded(controller.sample(2), lambda rollout, reward=reward: reward))
        controller.on_epoch_end(epoch)
        rates.append(controller.optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([1.0, 1.0, 0.1])


def test_a_space_without_cells_is_refused(rl):
    with pytest.raises(ConfigError, match="ToySpace has none"):
        rl(ToySpace())


def test_cells_with_decisions_of_another_kind_are_refused(rl, cells):
    class PairsOfNodes(cells):
        decisions = property(lambda self: Decisions(super().decisions[1:]))

    with pytest.raises(ConfigError, match="for each of 8 inputs; PairsOfNodes decides them otherwise"):
        rl(PairsOfNodes())


def test_cell_groups_of_several_sizes_need_independent_policies(rl, cells):
    space = cells((("a", "b"), ("a", "b", "c")), steps=(2, 3))
    with pytest.raises(ConfigError, match=r"num_step.* \[2, 3\].*independent_cell_group: true"):
        rl(space)
    space.decisions.check_codes(space.encode_codes(rl(space, independent_cell_group=True).sample(20)))


def test_independent_policies_cannot_be_conditioned(rl, cells):
    with pytest.raises(ConfigError, match="exclude each other"):
        rl(cells(), independent_cell_group=True, condition_hidden_cell_groups=True)


def test_without_an_optimizer_only_the_baseline_moves(rl, cells, rewarded):
    controller = rl(cells())
    controller.configure_optimizer(None)
    before = parameters_of(controller)
    stats = controller.step(rewarded(controller.sample(4), count_of("a")))
    assert math.isfinite(stats["loss"])
    assert torch.equal(parameters_of(controller), before)
    assert len(controller.agent.state()["baselines"]) == 1
