"""The controller ``differentiable`` as a search sees it."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch

from awnas_controllers.differentiable.controller import DifferentiableController
from awnas_core import (
    CheckpointError,
    ConfigError,
    Decision,
    Decisions,
    Evaluation,
    Mixture,
    Purpose,
    RelaxedRollout,
    SearchSpace,
)
from awnas_core.run.state import load_state, save_state
from awnas_core.schedule import parse_schedule
from awnas_core.testing.toys import ToyEvaluator, ToySpace

TARGETS = (2, 2, 3, 3, 3)
"""Of the edges of a cell with two inputs and two inner nodes."""


class Cell(SearchSpace):
    """Two inner nodes, each with one operation on one earlier node."""

    def __init__(self, choices=("a", "b", "c")):
        self.choices = choices
        self._decisions = Decisions(
            [
                Decision("from 2", (0, 1)),
                Decision("op 2", choices),
                Decision("from 3", (0, 1, 2)),
                Decision("op 3", choices),
            ]
        )

    @property
    def decisions(self):
        return self._decisions

    @property
    def mixtures(self):
        return (Mixture("cell", self.choices, TARGETS),)

    def discretize(self, relaxed):
        weights = relaxed["cell"]
        if weights.ndim == 3:
            weights = weights.mean(1)
        weights = weights * relaxed.get("cell.edges", np.ones(5))[:, None]
        arch = []
        for into in self.mixtures[0].slices:
            edge = int(weights[into].max(1).argmax())
            arch += [edge, int(weights[into][edge].argmax())]
        return tuple(arch)

    def genotype(self, arch):
        return str(arch)

    def parse(self, text):
        raise NotImplementedError


def make(space=None, *, seed=0, lr=1.0, **options):
    """Return a controller that descends its gradient as it is."""
    options = {"entropy_coeff": None} | options
    controller = DifferentiableController(space or Cell(), np.random.default_rng(seed), **options)
    controller.configure_optimizer({"type": "SGD", "lr": lr})
    return controller


def logits_of(controller, key="cell"):
    return controller.state()["logits"][key].double().numpy()


def set_logits(controller, **logits):
    state = controller.state()
    for key, value in logits.items():
        state["logits"][key.replace("_edges", ".edges")] = torch.as_tensor(value, dtype=torch.float32)
    controller.load_state(state)


def evaluated(rollout, gradient, **evaluation):
    rollout.gradient = gradient
    return rollout.record(Evaluation(**({"perf": {"reward": 0.5}} | evaluation)))


def softmax(logits):
    exponentials = np.exp(logits - logits.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)


def through_softmax(weights, gradient, temperature=1.0):
    """Return the gradient of logits from that of their softmax ``weights``, by its Jacobian."""
    return weights * (gradient - (weights * gradient).sum(-1, keepdims=True)) / temperature


RANDOM = np.random.default_rng(1).standard_normal((5, 3))


def test_probabilities_are_the_softmax_of_the_logits():
    controller = make(use_prob=True, gumbel_temperature=2.0)
    set_logits(controller, cell=RANDOM)
    (rollout,) = controller.sample(1)
    np.testing.assert_allclose(rollout.relaxed["cell"], softmax(RANDOM / 2.0), rtol=1e-5)
    assert not rollout.relaxed["cell"].requires_grad


def test_the_largest_of_noisy_weights_is_distributed_as_the_softmax():
    controller = make(gumbel_temperature=0.7)
    set_logits(controller, cell=RANDOM)
    rollouts = controller.sample(4000)
    counts = sum(np.eye(3)[np.asarray(r.relaxed["cell"]).argmax(-1)] for r in rollouts)
    np.testing.assert_allclose(counts / 4000, softmax(RANDOM), atol=0.03)  # four standard deviations


@pytest.mark.parametrize("options", [{"use_prob": True}, {}, {"gumbel_temperature": 0.4}])
def test_a_step_descends_the_gradient_through_the_sample(options):
    controller = make(**options)
    before = logits_of(controller)
    (rollout,) = controller.sample(1)
    weights = rollout.relaxed["cell"].double().numpy()
    controller.step([evaluated(rollout, {"cell": torch.as_tensor(RANDOM)})])
    expected = before - through_softmax(weights, RANDOM, options.get("gumbel_temperature", 1.0))
    np.testing.assert_allclose(logits_of(controller), expected, atol=1e-6)


def test_hard_samples_choose_one_and_pass_the_gradient_of_soft_ones():
    hard, soft = make(gumbel_hard=True, seed=3), make(seed=3)
    before = logits_of(hard)
    (chosen,), (weights,) = hard.sample(1), soft.sample(1)
    weights = weights.relaxed["cell"].double().numpy()
    np.testing.assert_array_equal(chosen.relaxed["cell"], np.eye(3)[weights.argmax(-1)])
    hard.step([evaluated(chosen, {"cell": RANDOM})])
    np.testing.assert_allclose(logits_of(hard), before - through_softmax(weights, RANDOM), atol=1e-6)


def test_edge_weights_sum_to_one_over_the_edges_into_a_node():
    controller = make(use_prob=True, use_edge_normalization=True)
    betas = np.array([0.3, -1.0, 2.0, 0.5, 0.0])
    set_logits(controller, cell_edges=betas)
    (rollout,) = controller.sample(1)
    expected = np.concatenate([softmax(betas[:2]), softmax(betas[2:])])
    np.testing.assert_allclose(rollout.relaxed["cell.edges"], expected, rtol=1e-5)


def test_the_gradient_of_edge_weights_reaches_every_edge():
    controller = make(use_prob=True, use_edge_normalization=True)
    before = logits_of(controller, "cell.edges")
    (rollout,) = controller.sample(1)
    weights = rollout.relaxed["cell.edges"].double().numpy()
    slope = np.array([1.0, -1.0, 2.0, 0.0, -3.0])
    controller.step([evaluated(rollout, {"cell": np.zeros((5, 3)), "cell.edges": slope})])
    parts = [through_softmax(weights[into], slope[into]) for into in (slice(0, 2), slice(2, 5))]
    np.testing.assert_allclose(logits_of(controller, "cell.edges"), before - np.concatenate(parts), atol=1e-6)


def test_a_batch_of_samples_learns_from_all_of_them():
    controller = make(rollout_batch_size=4)
    before = logits_of(controller)
    (rollout,) = controller.sample(1)
    weights = rollout.relaxed["cell"].double().numpy()
    assert weights.shape == (5, 4, 3)
    assert len(np.unique(weights[0].round(4), axis=0)) == 4
    slope = np.random.default_rng(0).standard_normal((5, 4, 3))
    controller.step([evaluated(rollout, {"cell": slope})])
    np.testing.assert_allclose(
        logits_of(controller), before - through_softmax(weights, slope).sum(1), atol=1e-6
    )


def test_several_rollouts_teach_their_mean():
    controller = make()
    before = logits_of(controller)
    rollouts = controller.sample(3)
    slopes = [RANDOM * (i + 1) for i in range(3)]
    parts = [
        through_softmax(r.relaxed["cell"].double().numpy(), s) for r, s in zip(rollouts, slopes, strict=True)
    ]
    results = [evaluated(r, {"cell": s}) for r, s in zip(rollouts, slopes, strict=True)]
    controller.step(results[::-1])
    np.testing.assert_allclose(logits_of(controller), before - np.mean(parts, 0), atol=1e-6)


@pytest.mark.parametrize("coefficient", [0.3, -0.3])
def test_a_positive_entropy_coefficient_sharpens(coefficient):
    controller = make(use_prob=True, entropy_coeff=coefficient)
    set_logits(controller, cell=RANDOM)
    controller.step([evaluated(r, {"cell": np.zeros((5, 3))}) for r in controller.sample(2)])
    p = softmax(RANDOM)
    entropy = -(p * np.log(p)).sum(-1, keepdims=True)
    expected = RANDOM - coefficient * -p * (np.log(p) + entropy)  # dH/dα_i = −p_i (ln p_i + H)
    np.testing.assert_allclose(logits_of(controller), expected, atol=1e-6)


def test_the_entropy_of_certain_choices_is_zero_and_harmless():
    controller = make(use_prob=True, entropy_coeff=1.0)
    certain = np.zeros((5, 3))
    certain[:, 1] = 1e4
    set_logits(controller, cell=certain)
    controller.step([evaluated(*controller.sample(1), {"cell": RANDOM})])
    np.testing.assert_array_equal(logits_of(controller), certain)
    assert controller.summary(controller.sample(1)) == {"cell_entropy": 0.0}


def test_summary_gives_entropies_and_the_log_probability_of_hard_samples():
    controller = make(gumbel_hard=True, use_edge_normalization=True)
    set_logits(controller, cell=np.zeros((5, 3)), cell_edges=np.zeros(5))
    assert controller.summary(controller.sample(2)) == {
        "cell_entropy": pytest.approx(5 * math.log(3)),
        "cell.edges_entropy": pytest.approx(math.log(2) + math.log(3)),
        "cell_log_prob": pytest.approx(-5 * math.log(3)),
    }


def test_a_falling_temperature_makes_samples_sharper():
    controller = make()
    controller.schedules = {
        "gumbel_temperature": parse_schedule({"type": "mul", "start": 5.0, "every": 1, "step": 0.1})
    }
    sharpness = []
    for epoch in (1, 2, 3):
        controller.on_epoch_start(epoch)
        largest = [r.relaxed["cell"].max(-1).values.mean().item() for r in controller.sample(50)]
        sharpness.append(np.mean(largest))
    assert sharpness[0] < 0.5 < sharpness[1] < 0.97 < sharpness[2]


def test_while_uniform_all_choices_count_the_same_and_nothing_is_learnt():
    controller = make(use_prob=True, force_uniform=True, use_edge_normalization=True, entropy_coeff=1.0)
    before = controller.state()
    (early,) = controller.sample(1)
    np.testing.assert_allclose(early.relaxed["cell"], np.full((5, 3), 1 / 3), rtol=1e-6)
    np.testing.assert_allclose(early.relaxed["cell.edges"], [1 / 2] * 2 + [1 / 3] * 3, rtol=1e-6)
    gradient = {"cell": RANDOM, "cell.edges": np.ones(5)}
    assert controller.step([evaluated(*controller.sample(1), gradient)]) == {}
    controller.force_uniform, controller.entropy_coeff = False, None
    controller.step([evaluated(early, gradient)])  # it was uniform when it was drawn
    for key, value in before["logits"].items():
        assert torch.equal(controller.state()["logits"][key], value)


def test_gradients_are_clipped_to_the_norm():
    controller = make(use_prob=True, max_grad_norm=0.01)
    before = logits_of(controller)
    stats = controller.step([evaluated(*controller.sample(1), {"cell": 10 * RANDOM})])
    assert stats["gradient_norm"] > 0.1
    assert np.linalg.norm(logits_of(controller) - before) == pytest.approx(0.01, rel=1e-3)


@pytest.mark.parametrize(
    ("gradient", "evaluation"),
    [
        ({"cell": RANDOM}, {"status": "failed", "error": "out of memory"}),
        ({"cell": RANDOM}, {"status": "infeasible", "perf": {"flops": 3.0}}),
        ({"cell": np.full((5, 3), math.nan)}, {}),
    ],
)
def test_what_went_wrong_teaches_nothing(gradient, evaluation):
    controller = make(use_prob=True)
    before = logits_of(controller)
    assert controller.step([evaluated(*controller.sample(1), gradient, **evaluation)]) == {}
    np.testing.assert_array_equal(logits_of(controller), before)


def test_an_evaluator_without_gradients_is_named():
    controller = make()
    (rollout,) = controller.sample(1)
    with pytest.raises(ConfigError, match=r"left none.*differentiable_shared_weights"):
        controller.step([rollout.record(Evaluation(perf={"reward": 1.0}))])


def test_a_space_that_cannot_be_relaxed_is_refused():
    class Rigid(ToySpace):
        mixtures = ()

    with pytest.raises(ConfigError, match="Rigid cannot be relaxed"):
        make(Rigid())


def test_a_batch_of_equal_samples_is_refused():
    with pytest.raises(ConfigError, match="all samples are the same"):
        make(use_prob=True, rollout_batch_size=2)


def test_independent_decisions_are_derived_in_the_order_of_their_probability():
    space = ToySpace(num_decisions=3, num_choices=3)
    controller = make(space)
    rng = np.random.default_rng(5)
    logits = {mixture.name: rng.standard_normal((1, 3)) for mixture in space.mixtures}
    set_logits(controller, **logits)

    def probability(arch):
        return math.prod(softmax(logits[f"d{i}"])[0, code] for i, code in enumerate(arch))

    every = sorted((r.arch for r in space.enumerate()), key=probability, reverse=True)
    derived = controller.sample(27, Purpose.DERIVE)
    assert [r.arch for r in derived] == every
    assert not any(isinstance(r, RelaxedRollout) for r in derived)
    assert controller.sample(4, Purpose.DERIVE) == derived[:4]


def test_derived_cells_are_distinct_and_give_up_the_least_certain_choice_first():
    controller = make()
    logits = np.zeros((5, 3))
    logits[1] = [4.0, 0.0, 0.0]  # node 2 takes a of node 1, for certain
    logits[3] = [0.0, 1.0, 0.9]  # node 3 takes b of node 1, or nearly c
    set_logits(controller, cell=logits)
    derived = [r.arch for r in controller.sample(20, Purpose.DERIVE)]
    assert derived[:2] == [(1, 0, 1, 1), (1, 0, 1, 2)]
    assert len(set(derived)) == 20


def test_edge_weights_count_when_deriving():
    controller = make(use_edge_normalization=True)
    logits = np.zeros((5, 3))
    logits[:, 2] = 1.0
    set_logits(controller, cell=logits, cell_edges=[2.0, 0.0, 0.0, 0.0, 3.0])
    assert controller.sample(1, Purpose.DERIVE)[0].arch == (0, 2, 2, 2)


def test_more_architectures_than_there_are_cannot_be_derived():
    with pytest.raises(Exception, match="5 architectures were asked for, the space has 4"):
        make(ToySpace(num_decisions=2, num_choices=2)).sample(5, Purpose.DERIVE)


@pytest.mark.parametrize("options", [{"use_prob": True}, {}, {"gumbel_hard": True}])
def test_it_finds_the_architecture_of_the_least_loss(options):
    space = ToySpace(num_decisions=5)
    controller = make(space, lr=5.0, **options)
    evaluator = ToyEvaluator(space, np.random.default_rng(1))
    for _ in range(60):
        rollouts = controller.sample(2)
        evaluator.evaluate_rollouts(rollouts, gradient=controller.wants_gradient)
        controller.step(rollouts)
    (best,) = controller.sample(1, Purpose.DERIVE)
    assert best.arch == space.optimum


def test_the_order_of_the_gradient_is_what_the_config_says():
    assert make().wants_gradient == "first"
    assert make(gradient_order="second").wants_gradient == "second"


@pytest.mark.parametrize(
    "options",
    [{"use_prob": True, "use_edge_normalization": True}, {"gumbel_hard": True}, {"rollout_batch_size": 2}],
)
def test_a_resumed_controller_goes_on_as_if_never_stopped(options, tmp_path):
    def controller():
        made = make(entropy_coeff=0.1, **options)
        schedule = {"type": "StepLR", "step_size": 1, "gamma": 0.5}
        made.configure_optimizer({"type": "Adam", "lr": 0.01, "betas": (0.5, 0.999)}, schedule)
        return made

    def epoch(controller):
        rollouts = controller.sample(2)
        gradients = [{key: value + 1 for key, value in r.relaxed.items()} for r in rollouts]
        stats = controller.step([evaluated(r, g) for r, g in zip(rollouts, gradients, strict=True)])
        controller.on_epoch_end(1)
        return stats

    through, resumed = controller(), controller()
    epoch(through)
    save_state(tmp_path, through.state())
    generator = copy.deepcopy(through.rng.bit_generator.state)
    expected = [epoch(through) for _ in range(3)]
    resumed.load_state(load_state(tmp_path))
    resumed.rng.bit_generator.state = generator
    assert [epoch(resumed) for _ in range(3)] == expected
    np.testing.assert_array_equal(logits_of(resumed), logits_of(through))


def test_the_state_of_another_controller_is_refused():
    with pytest.raises(CheckpointError, match="another controller 'differentiable'"):
        make(use_edge_normalization=True).load_state(make().state())
    with pytest.raises(CheckpointError, match="another controller 'differentiable'"):
        make(Cell(("a", "b"))).load_state(make().state())
