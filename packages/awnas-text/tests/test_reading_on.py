"""While searching, the hidden state is carried from batch to batch, of each queue for itself."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch

from awnas_core.errors import ConfigError
from awnas_core.roles.controller import Controller
from awnas_core.rollout import Purpose, RelaxedRollout
from awnas_core.testing import EvaluatorContract, build, same
from awnas_torch.sequences import Chunk

OPTIONS = {
    "batch_size": 8,
    "bptt_steps": 6,
    "data_portion": [["train", [0.0, 0.01]], ["valid", [0.0, 0.05]]],
    "eval_optimizer": {"type": "SGD", "lr": 0.5},
    "eval_scheduler": None,
    "workers_per_queue": 0,
}


class Given(Controller):
    """Proposes what it was given."""

    def __init__(self, rollouts):
        self.rollouts = rollouts

    def sample(self, n, purpose=Purpose.PROPOSE):
        return self.rollouts[:n]

    def step(self, rollouts):
        return {}


def parts_of(name="rnn-supernet"):
    space = build("search_space", "rnn", {"num_steps": 2})
    dataset = build("dataset", "shakespeare")
    shared = {"search_space": space, "dataset": dataset}
    cfg = {"num_emb": 5, "num_hid": 5, "batchnorm_out": False}
    manager = build("weights_manager", name, cfg, shared, np.random.default_rng(4))
    with torch.no_grad():
        for weight in manager.parameters():
            weight.mul_(10)  # large enough that the state matters
    return {**shared, "weights_manager": manager, "objective": build("objective", "language")}


def evaluator_of(parts, name="discrete-shared-weights", **cfg):
    return build("evaluator", name, {**OPTIONS, **cfg}, parts)


def perplexity(outputs, targets):
    chosen = outputs.logits.log_softmax(-1).gather(-1, targets[..., None])
    return math.exp(-chosen.mean().item())


class TestReadingEvaluator(EvaluatorContract):
    component = "discrete-shared-weights"
    cfg = OPTIONS

    def space(self):
        return build("search_space", "rnn", {"num_steps": 2})

    def collaborators(self):
        return parts_of()


@torch.no_grad()
def by_hand(manager, rollout, columns, steps, state=None, first=0):
    """Perplexity of rows that are read in chunks, and the state afterwards."""
    candidate = manager.assemble_candidate(rollout).eval()
    outputs = candidate(Chunk(columns[first : first + steps], state=state))
    return perplexity(outputs, columns[first + 1 : first + steps + 1]), outputs.state


def test_proposals_of_one_call_start_alike_and_the_next_call_goes_on():
    parts = parts_of()
    evaluator, manager = evaluator_of(parts), parts["weights_manager"]
    columns = evaluator.queues["controller"].split.matrix
    a, b, c, d = parts["search_space"].random_samples(4, np.random.default_rng(0))
    evaluator.evaluate_rollouts([a, b])
    evaluator.evaluate_rollouts([c, d])
    expected_a, _ = by_hand(manager, a, columns, 6)
    expected_b, left = by_hand(manager, b, columns, 6)
    expected_c, _ = by_hand(manager, c, columns, 6, left, first=6)
    expected_d, _ = by_hand(manager, d, columns, 6, left, first=6)
    found = [rollout.perf["perp"] for rollout in (a, b, c, d)]
    assert found == pytest.approx([expected_a, expected_b, expected_c, expected_d], rel=1e-5)
    anew, _ = by_hand(manager, c, columns, 6, None, first=6)
    assert c.perf["perp"] != pytest.approx(anew, rel=1e-5), "the state must matter for this test to tell"


def test_the_final_choice_reads_the_whole_text_from_its_beginning_each_for_itself():
    parts = parts_of()
    evaluator, manager = evaluator_of(parts), parts["weights_manager"]
    a, b = parts["search_space"].random_samples(2, np.random.default_rng(0))
    evaluator.evaluate_rollouts([a])  # moves the controller's queue, not this one
    chosen = [parts["search_space"].rollout(rollout.arch) for rollout in (a, b)]
    evaluator.evaluate_rollouts(chosen, Purpose.DERIVE)
    columns = evaluator.queues["derive"].split.matrix
    for rollout in chosen:
        expected, _ = by_hand(manager, rollout, columns, len(columns) - 1)
        assert rollout.perf["perp"] == pytest.approx(expected, rel=1e-5)
        assert rollout.reward == pytest.approx(80 / rollout.perf["perp"])


def test_training_carries_the_state_until_the_text_begins_anew():
    parts = parts_of()
    evaluator = evaluator_of(parts, eval_optimizer={"type": "SGD", "lr": 1e-12})
    manager, (rollout,) = (
        parts["weights_manager"],
        parts["search_space"].random_samples(1, np.random.default_rng(0)),
    )
    columns = evaluator.queues["weights"].split.matrix
    state = None
    batches = len(evaluator.queues["weights"])
    for step in range(batches + 1):
        first = step % batches * 6
        rows = min(6, len(columns) - 1 - first)
        state = None if first == 0 else state
        expected, state = by_hand(manager, rollout, columns, rows, state, first)
        stats = evaluator.update_evaluator(Given([rollout]))
        assert float(stats["perp"]) == pytest.approx(expected, rel=1e-4)


def test_a_resumed_search_reads_on_with_the_same_state():
    parts = parts_of()
    evaluator = evaluator_of(parts)
    rollouts = parts["search_space"].random_samples(3, np.random.default_rng(0))
    evaluator.update_evaluator(Given(rollouts))
    evaluator.evaluate_rollouts(rollouts[:1])
    saved = copy.deepcopy((evaluator.state(), parts["weights_manager"].state()))
    assert set(saved[0]["memory"]) == {"weights", "controller"}
    again = parts_of()
    resumed = evaluator_of(again)
    again["weights_manager"].load_state(saved[1])
    resumed.load_state(saved[0])
    stats = [one.update_evaluator(Given(rollouts)) for one in (evaluator, resumed)]
    assert same(*stats)


@pytest.mark.parametrize("order", ["first", "second"])
def test_relaxed_cells_get_the_gradient_of_their_chunk_from_the_state_before(order):
    parts = parts_of("rnn-diff-supernet")
    evaluator = evaluator_of(parts, "differentiable-shared-weights")
    space, manager = parts["search_space"], parts["weights_manager"]
    weights = np.full(space.mixtures[0].shape, 0.25, dtype=np.float32)
    first, second = (RelaxedRollout(space, {"cell": weights}) for _ in range(2))
    evaluator.evaluate_rollouts([first])
    evaluator.evaluate_rollouts([second], gradient=order)
    assert torch.isfinite(torch.as_tensor(second.gradient["cell"])).all()
    if order == "first":
        columns = evaluator.queues["controller"].split.matrix
        _, left = by_hand(manager, first, columns, 6)
        leaf = torch.tensor(weights, requires_grad=True)
        candidate = manager.assemble_candidate(second).train()
        outputs = candidate(Chunk(columns[6:12], state=left), relaxed={"cell": leaf})
        loss = torch.nn.functional.cross_entropy(outputs.logits.flatten(0, 1), columns[7:13].flatten())
        (expected,) = torch.autograd.grad(loss, leaf)
        torch.testing.assert_close(torch.as_tensor(second.gradient["cell"]), expected, rtol=1e-4, atol=1e-7)


def test_a_text_is_not_shuffled():
    parts = parts_of()
    with pytest.raises(ConfigError, match="must stay in order"):
        evaluator_of(parts, shuffle_data_before_split=True, shuffle_data_before_split_seed=0)
    with pytest.raises(ConfigError, match="shuffle"):
        evaluator_of(parts, data_portion=[0.5, ["train", 0.5, {"shuffle": True}]])
