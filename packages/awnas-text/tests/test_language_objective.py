"""Perplexity is exp of the mean cross-entropy over all tokens, worked out by hand."""

import math

import pytest
import torch

from awnas_core.metrics import Goal
from awnas_core.roles.objective import Batch
from awnas_core.testing import ObjectiveContract, build
from awnas_text.network import Outputs
from awnas_torch.sequences import Chunk


def outputs(probabilities, raw=None):
    """A model that is sure of what is given: probabilities of every next token, (T, B, V)."""
    logits = torch.tensor(probabilities).log()
    raw = torch.zeros(*logits.shape[:2], 2) if raw is None else torch.tensor(raw)
    return Outputs(logits, raw, 2 * raw, ())


TWO = [[[0.5, 0.25, 0.25]], [[0.25, 0.5, 0.25]]]  # T = 2, B = 1
ONE = [[[0.125, 0.5, 0.375]]]


def batches():
    first = Batch(Chunk(torch.tensor([[0], [1]])), outputs(TWO), torch.tensor([[0], [2]]), size=2)
    return [first, Batch(Chunk(torch.tensor([[2]])), outputs(ONE), torch.tensor([[0]]), size=1)]


class TestLanguage(ObjectiveContract):
    component = "language"
    cfg = {"act_reg": 0.1, "slowness_reg": 0.1}

    def batches(self):
        return batches()


def test_the_perplexity_counts_every_token_once():
    accumulators = build("objective", "language").accumulators()
    for batch in batches():
        for accumulator in accumulators.values():
            accumulator.update(batch)
    # The targets have the probabilities 1/2, 1/4 and 1/8: 2^((1 + 2 + 3) / 3)
    assert accumulators["perp"].compute() == pytest.approx(4)
    assert float(accumulators["perp"].mean) == pytest.approx(4)
    assert accumulators["loss"].compute() == pytest.approx(2 * math.log(2))


def test_the_reward_is_a_constant_over_the_perplexity_unless_goals_say_otherwise():
    objective = build("objective", "language", {"reward_c": 80})
    assert objective.reward({"perp": 4.0, "loss": 1.0}) == 20
    assert objective.reward({"perp": 4.0, "loss": 1.0}, objective.goals()) == 20
    assert objective.reward({"perp": 4.0, "loss": 1.0}, (Goal(metric="loss", direction="min"),)) == -1


def test_hidden_states_are_kept_small_and_slow():
    raw = [[[1.0, 2.0]], [[2.0, 0.0]]]
    seen, targets = outputs(TWO, raw), torch.tensor([[0], [2]])
    plain, both = build("objective", "language"), build("objective", "language", TestLanguage.cfg)
    extra = both.get_loss(None, seen, targets) - plain.get_loss(None, seen, targets)
    # What is decoded is twice as large: squares 4, 16, 16, 0; the changes are 1 and -2.
    assert float(extra) == pytest.approx(0.1 * 9 + 0.1 * 2.5)
    searching = both.get_loss(None, seen, targets, purpose="propose")
    assert float(searching) == pytest.approx(float(plain.get_loss(None, seen, targets)))


def test_a_single_step_has_no_change_to_regularise():
    loss = build("objective", "language", TestLanguage.cfg).get_loss(None, outputs(ONE), torch.tensor([[0]]))
    assert float(loss) == pytest.approx(math.log(8))


def test_a_perplexity_beyond_all_numbers_is_infinite():
    accumulator = build("objective", "language").accumulators()["perp"]
    hopeless = Outputs(torch.tensor([[[0.0, 1e9]]]), *2 * [torch.zeros(1, 1, 1)], ())
    accumulator.update(Batch(None, hopeless, torch.tensor([[0]])))
    assert accumulator.compute() == math.inf
