"""Supernets of recurrent cells: candidates borrow weights, mixtures contain discrete cells, chunks follow chunks."""

import math

import numpy as np
import pytest
import torch

from awnas_core.errors import ConfigError
from awnas_core.layers import total_cost
from awnas_core.rollout import RelaxedRollout
from awnas_core.testing import WeightsManagerContract, build
from awnas_torch.sequences import Chunk

TOKENS = 11
SMALL = {"num_emb": 6, "num_hid": 5, "batchnorm_out": False}
DARTS = (
    "Genotype(recurrent=[('sigmoid', 0), ('relu', 1), ('relu', 1), ('identity', 1), ('tanh', 2), ('sigmoid', 5), "
    "('tanh', 3), ('relu', 5)], concat=range(1, 9))"
)
ENAS = (
    "Genotype(recurrent=[('tanh', 0), ('tanh', 1), ('relu', 1), ('tanh', 3), ('tanh', 3), ('relu', 3), ('relu', 4), "
    "('relu', 7), ('relu', 8), ('relu', 8), ('relu', 8)], concat=[2, 5, 6, 9, 10, 11])"
)


def space_of(**cfg):
    return build("search_space", "rnn", {"num_steps": 3, "num_layers": 2, **cfg})


def supernet(space, name="rnn-supernet", **cfg):
    parts = {"search_space": space, "num_tokens": TOKENS}
    return build("weights_manager", name, {**SMALL, **cfg}, parts)


def tokens(steps=4, texts=6, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(TOKENS, (steps, texts), generator=generator)


def samples(space, n, seed=0):
    return space.random_samples(n, np.random.default_rng(seed))


class TestRnnSupernet(WeightsManagerContract):
    component = "rnn-supernet"
    cfg = {"num_emb": 6, "num_hid": 5, "dropout_hid": 0.2}

    def space(self):
        return space_of()

    def collaborators(self):
        return {"search_space": self.space(), "num_tokens": TOKENS}

    def inputs(self):
        return Chunk(tokens())


class TestRnnDiffSupernet(TestRnnSupernet):
    component = "rnn-diff-supernet"


@torch.no_grad()
def test_two_chunks_are_as_good_as_one():
    space = space_of()
    candidate = supernet(space).assemble_candidate(*samples(space, 1)).eval()
    text = tokens(steps=7)
    whole = candidate(Chunk(text))
    first = candidate(Chunk(text[:3]))
    second = candidate(Chunk(text[3:], is_first=False).after(first.state))
    torch.testing.assert_close(torch.cat([first.logits, second.logits]), whole.logits)
    torch.testing.assert_close(second.state, whole.state)
    assert not torch.allclose(candidate(Chunk(text[3:])).logits, second.logits)


def test_no_gradient_flows_into_the_chunk_before():
    space = space_of()
    candidate = supernet(space).assemble_candidate(*samples(space, 1))
    assert not any(state.requires_grad for state in candidate(Chunk(tokens())).state)


def test_tied_weights_decode_with_the_embedding():
    space = space_of()
    tied, loose = supernet(space), supernet(space, tie_weight=False, decoder_bias=False)
    assert tied.network.decoder.weight is tied.network.encoder.weight
    assert [cell.features for cell in tied.network.cells] == [5, 6]
    assert loose.network.decoder.weight.shape == (TOKENS, 5)
    assert loose.network.decoder.bias is None


@pytest.mark.parametrize("sharing", ["", "share_primitive_weights", "share_from_weights"])
@pytest.mark.parametrize("norms", [(), ("batchnorm_step", "batchnorm_edge", "batchnorm_out")])
@torch.no_grad()
def test_a_one_hot_mixture_is_the_discrete_cell(sharing, norms):
    space = space_of()
    options = dict.fromkeys([*norms, *filter(None, [sharing])], True)
    manager = supernet(space, "rnn-diff-supernet", **options)
    for rollout in samples(space, 10):
        relaxed = RelaxedRollout(space, space.relax(rollout.arch))
        discrete = manager.assemble_candidate(rollout).train()(Chunk(tokens()))
        mixed = manager.assemble_candidate(relaxed).train()(Chunk(tokens()))
        torch.testing.assert_close(mixed.logits, discrete.logits)


def relaxed_of(space, shape=(), seed=0):
    (mixture,) = space.mixtures
    edges, choices = mixture.shape
    weights = np.random.default_rng(seed).dirichlet(np.ones(choices), size=(edges, *shape))
    return RelaxedRollout(space, {mixture.name: weights.astype(np.float32)})


def test_leaves_get_the_gradient_that_differences_give():
    space = space_of(num_layers=1)
    manager = supernet(space, "rnn-diff-supernet").double()
    candidate = manager.assemble_candidate(relaxed_of(space)).eval()
    with torch.no_grad():
        for weight in manager.parameters():
            weight.mul_(20)
    leaf = torch.tensor(relaxed_of(space).relaxed["cell"], dtype=torch.double, requires_grad=True)

    def loss(leaf):
        return candidate(Chunk(tokens()), relaxed={"cell": leaf}).logits.sin().sum()

    assert torch.autograd.gradcheck(loss, leaf)


@torch.no_grad()
def test_samples_take_turns_over_the_texts():
    space = space_of()
    manager = supernet(space, "rnn-diff-supernet")
    both = relaxed_of(space, shape=(2,))
    mixed = manager.assemble_candidate(both).eval()(Chunk(tokens()))
    for sample in range(2):
        alone = RelaxedRollout(space, {"cell": both.relaxed["cell"][:, sample]})
        expected = manager.assemble_candidate(alone).eval()(Chunk(tokens()[:, sample::2]))
        torch.testing.assert_close(mixed.logits[:, sample::2], expected.logits)
    with pytest.raises(ConfigError, match="multiple of 2"):
        manager.assemble_candidate(both)(Chunk(tokens(texts=3)))


def test_weights_of_edges_multiply_all_choices():
    space = space_of()
    manager, (mixture,) = supernet(space, "rnn-diff-supernet"), space.mixtures
    weights = relaxed_of(space).relaxed["cell"]
    edges = np.linspace(0.1, 1, len(weights), dtype=np.float32)
    weighted = RelaxedRollout(space, {"cell": weights, mixture.edges_key: edges})
    plain = RelaxedRollout(space, {"cell": weights * edges[:, None]})
    outputs = [manager.assemble_candidate(one).eval()(Chunk(tokens())).logits for one in (weighted, plain)]
    torch.testing.assert_close(*outputs)


def test_loose_ends_cannot_be_relaxed():
    for cfg in ({"loose_end": True}, {"num_node_inputs": 2}):
        with pytest.raises(ConfigError, match="cannot be relaxed"):
            supernet(space_of(**cfg), "rnn-diff-supernet")


@pytest.mark.parametrize(("name", "text", "cfg"), [
    ("darts", DARTS, {}),
    ("enas", ENAS, {"num_steps": 11, "loose_end": True}),
])  # fmt: skip
def test_the_published_cells_build_train_and_have_the_size_that_is_counted(name, text, cfg):
    space = build("search_space", "rnn", cfg)
    parts = {"search_space": space, "num_tokens": TOKENS}
    model = build("final_model", "rnn-model", {**SMALL, "num_hid": 6, "genotypes": text}, parts)
    steps = space.steps_of(0)
    by_hand = TOKENS * 6 + TOKENS + 12 * 12 + steps * 6 * 12  # embedding, bias, [x; h] and one matrix a node
    assert sum(weight.numel() for weight in model.parameters()) == by_hand
    assert total_cost(model.layers()).params == by_hand
    assert total_cost(model.layers()).macs == TOKENS * 6 + 12 * 12 + steps * 6 * 12

    with torch.no_grad():  # so that a few steps are enough
        for weight in model.parameters():
            weight.mul_(10)
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    pattern = torch.arange(24).remainder(5).view(24, 1).repeat(1, 4)
    losses = []
    for _ in range(40):
        loss = torch.nn.functional.cross_entropy(
            model(Chunk(pattern[:-1])).logits.flatten(0, 1), pattern[1:].flatten()
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.9 * math.log(5), "that is what one can know without the token before"


def test_the_final_model_computes_what_the_supernet_does():
    space = space_of()
    manager = supernet(space)
    for rollout in samples(space, 5):
        parts = {"search_space": space, "num_tokens": TOKENS}
        cfg = {**SMALL, "genotypes": str(rollout.genotype)}
        model = build("final_model", "rnn-model", cfg, parts)
        model.load_state_dict(
            {name: weight for name, weight in manager.state_dict().items() if name in model.state_dict()}
        )
        expected = manager.assemble_candidate(rollout).eval()(Chunk(tokens())).logits
        torch.testing.assert_close(model.eval()(Chunk(tokens())).logits, expected)


def test_impossible_options_are_refused():
    with pytest.raises(ConfigError, match="dropout_hid"):
        supernet(space_of(), dropout_hid=1.0)
    with pytest.raises(ConfigError, match="share_primitive_weights"):
        supernet(space_of(), share_from_weights=True, share_primitive_weights=True)
