"""Final training: averaging begins when the paper says, chunks have random lengths, a resumed run ends the same."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch

from awnas_core.errors import ConfigError
from awnas_core.run.random_streams import RandomStreams
from awnas_core.run.run import Run
from awnas_core.testing import build, same
from awnas_core.world import World
from awnas_text.averaging import RunningMean, has_stopped_improving

SMALL = {"num_emb": 5, "num_hid": 5, "batchnorm_out": False, "dropout_hid": 0.2, "dropout_emb": 0.1}
TEXT = "the cat sat on the mat and the dog lay on the rug\nthe end of it\n" * 12


@pytest.fixture
def parts(tmp_path, monkeypatch):
    monkeypatch.setenv("AWNAS_DATA", str(tmp_path))
    (tmp_path / "own.txt").write_text(TEXT)
    cfg = {"file": "own.txt", "valid_portion": 0.2, "test_portion": 0.1}
    space = build("search_space", "rnn", {"num_steps": 2})
    shared = {
        "search_space": space,
        "dataset": build("dataset", "text-file", cfg),
        "objective": build("objective", "language"),
    }
    genotype = "RNNGenotype(cell=(('tanh', 0, 1), ('relu', 1, 2)))"
    return {
        **shared,
        "final_model": build("final_model", "rnn-model", {**SMALL, "genotypes": genotype}, shared),
    }


def trainer_of(parts, rng=None, **cfg):
    options = {"batch_size": 4, "eval_batch_size": 2, "learning_rate": 1.0, "bptt_steps": 10, **cfg}
    return build("final_trainer", "rnn-trainer", options, parts, rng)


def reference_trigger(losses, window):
    """The epoch whose validation averages, as algorithm 1 of the paper has it; None for never."""
    logs = []
    for t, v in enumerate(losses):
        if t > window and v > min(logs[: t - window]):
            return t
        logs.append(v)
    return None


def test_averaging_begins_where_the_algorithm_of_the_paper_does():
    rng = np.random.default_rng(0)
    for _ in range(200):
        losses, window = rng.random(12).tolist(), int(rng.integers(1, 5))
        found = [t for t, v in enumerate(losses) if has_stopped_improving(v, losses[:t], window)]
        assert (found[0] if found else None) == reference_trigger(losses, window)
    assert not has_stopped_improving(2.0, [1.0, 1.5], 2)
    assert has_stopped_improving(2.0, [1.0, 3.0, 3.0], 2)


def test_the_running_mean_is_the_mean():
    weight = torch.nn.Parameter(torch.zeros(3, dtype=torch.double))
    mean, seen = RunningMean([weight]), []
    for step in range(5):
        with torch.no_grad():
            weight.add_(torch.randn(3, generator=torch.Generator().manual_seed(step), dtype=torch.double))
        mean.update()
        seen.append(weight.detach().clone())
    torch.testing.assert_close(mean.means[0], torch.stack(seen).mean(0))


def test_averages_are_measured_and_the_weights_go_on(parts):
    trainer, model = trainer_of(parts), parts["final_model"]
    before = trainer.evaluate_split("valid")
    weights = copy.deepcopy(model.state_dict())
    trainer._mean = RunningMean(model.parameters())
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(1.0)
    assert trainer.evaluate_split("valid") == before
    assert not same(model.state_dict(), weights)


def test_the_perplexity_of_a_split_is_that_of_columns_read_from_end_to_end(parts):
    trainer, model = trainer_of(parts, bptt_steps=7), parts["final_model"]
    tokens = parts["dataset"].splits()["valid"].tokens
    length = len(tokens) // 2
    columns = tokens[: 2 * length].view(2, length).t()
    from awnas_torch.sequences import Chunk

    with torch.no_grad():
        logits = model.eval()(Chunk(columns[:-1])).logits
    chosen = logits.log_softmax(-1).gather(-1, columns[1:, :, None])
    measured = trainer.evaluate_split("valid")
    assert measured["loss"] == pytest.approx(-chosen.mean().item(), rel=1e-5)
    assert measured["perp"] == pytest.approx(math.exp(-chosen.mean().item()), rel=1e-5)
    assert measured["bpc"] == pytest.approx(-chosen.mean().item() / math.log(2), rel=1e-5)


def test_lengths_are_those_of_the_recipe(parts):
    trainer = trainer_of(parts, bptt_steps=70)
    drawn = np.array([trainer._length(10**6) for _ in range(4000)])
    assert drawn.min() >= 5
    assert drawn.max() <= 90
    usual = drawn[drawn > 52]
    assert usual.mean() == pytest.approx(69.5, abs=0.5)  # of a normal variable that is rounded down
    assert usual.std() == pytest.approx(5, abs=0.3)
    assert 1 - len(usual) / len(drawn) == pytest.approx(0.05, abs=0.015)
    assert drawn[drawn <= 52].mean() == pytest.approx(34.5, abs=1.5)
    plain = trainer_of(parts, random_bptt=False)
    assert [plain._length(rest) for rest in (100, 14, 10, 3)] == [10, 14, 10, 3]


def test_the_rate_of_a_step_is_in_proportion_to_the_length_of_its_chunk(parts):
    trainer, model = trainer_of(parts, weight_decay=0.0, learning_rate=2.0), parts["final_model"]
    model.max_grad_norm = None
    before = [weight.detach().clone() for weight in model.parameters()]
    inputs, targets = trainer._chunk(trainer._text, 0, 5, None)
    trainer._step(inputs, targets)
    moved = [old - new.detach() for old, new in zip(before, model.parameters(), strict=True)]
    slopes = [weight.grad for weight in model.parameters()]
    for by, slope in zip(moved, slopes, strict=True):
        torch.testing.assert_close(by, 2.0 * 5 / 10 * slope, rtol=1e-3, atol=1e-6)


def states_of(trainer, parts):
    return {"trainer": trainer.state(), "model": parts["final_model"].state()}


def test_averaging_goes_on_after_a_resumption_as_without(parts):
    def run(trainer, epochs, start=0):
        with Run({}, RandomStreams(0)) as whole:
            whole.epoch = start
            trainer.epochs = epochs
            trainer.train(whole)

    first = trainer_of(parts, valid_decay_window=1, learning_rate=30.0)
    run(first, 5)
    assert first._mean is not None, "at such a rate the loss rises at some time"
    saved = copy.deepcopy(states_of(first, parts))
    draws = copy.deepcopy(first.rng.bit_generator.state)
    run(first, 7, start=5)

    expected = copy.deepcopy(states_of(first, parts))
    second = trainer_of(parts, np.random.default_rng(9), valid_decay_window=1, learning_rate=30.0)
    parts["final_model"].load_state(saved["model"])
    second.load_state(saved["trainer"])
    second.rng.bit_generator.state = draws
    run(second, 7, start=5)
    assert same(states_of(second, parts), expected)


def test_what_cannot_be_trained_or_measured_is_refused(parts):
    with pytest.raises(ConfigError, match="lower batch_size"):
        trainer_of(parts, batch_size=10_000)
    with pytest.raises(ConfigError, match="lower eval_batch_size"):
        trainer_of(parts, eval_batch_size=10_000).evaluate_split("valid")
    with pytest.raises(ConfigError, match="train, valid, test"):
        trainer_of(parts).evaluate_split("dev")
    with pytest.raises(ConfigError, match="one process"):
        trainer_of({**parts, "world": World(rank=0, size=2)})
