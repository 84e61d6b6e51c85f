"""CLOSE: connections share their weights less and less, and a gate that reads the architecture says who with whom."""

import itertools

import numpy as np
import pytest
import torch

from awnas_core import Device, total_cost
from awnas_core.errors import ConfigError
from awnas_core.schedule import parse_schedule
from awnas_core.testing.making import check
from awnas_networks.cell_network import CellGroup
from awnas_networks.close.closenet import CloseNet
from awnas_networks.close.gate import GateSettings
from awnas_networks.legacy import closenet as legacy
from awnas_networks.supernet import SuperNet
from awnas_spaces.cnn import CnnSpace
from awnas_spaces.enas import EnasSpace
from awnas_spaces.nb301 import Nb301Space

SPACE = CnnSpace(num_layers=3, num_steps=3)
BY = ("nodes", "architecture", "random")


def net(space=SPACE, *, seed=0, blocks=3, active=1, **options):
    options = {"init_channels": 4, "dropout_rate": 0.0} | options
    return CloseNet(
        space, Device("cpu"), np.random.default_rng(seed), 10, (3, 8, 8),
        num_blocks=blocks, active_blocks=active, **options,
    )  # fmt: skip


def images(n=4):
    return torch.randn(n, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def rollouts(n):
    return SPACE.random_samples(n, np.random.default_rng(2))


def outputs(manager, n=4):
    """What candidates compute with the statistics of the batch, but everything else as in evaluation."""
    found = []
    for rollout in rollouts(n):
        candidate = manager.assemble_candidate(rollout).eval()
        for module in candidate.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.train()
        with torch.no_grad():
            found.append(candidate(images()))
    return torch.stack(found)


def scrambled(manager, seed=5):
    """Give every block weights of its own, as training would."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for size, part in ((0.3, manager.network), (0.1, manager.gate)):
            for parameter in part.parameters():
                parameter.add_(size * torch.randn(parameter.shape, generator=generator))
    return manager


def test_the_published_supernet_has_the_published_size():
    with torch.device("meta"):
        manager = CloseNet(
            CnnSpace(), Device("meta"), np.random.default_rng(0), 10, (3, 32, 32), num_blocks=8
        )
    gate = 24_288 + (128 + 1) * 200 + (200 + 1) * 8 * 8  # encoder, hidden layer, 8 connections times 8 blocks
    assert sum(parameter.numel() for parameter in manager.network.parameters()) == 1_550_434 - gate


def test_with_one_block_all_connections_of_a_cell_share_their_weights():
    manager = net()
    plain = SuperNet(
        SPACE, Device("cpu"), np.random.default_rng(1), 10, (3, 8, 8), init_channels=4, dropout_rate=0.0
    )
    for name in ("stems", "classifier"):
        getattr(plain.network, name).load_state_dict(getattr(manager.network, name).state_dict())
    for own, other in zip(manager.network.cells, plain.network.cells, strict=True):
        other.preprocess.load_state_dict(own.preprocess.state_dict())
        for to in range(2, 5):
            for source in range(to):
                block = (own.outer if source < 2 else own.inner)[0]
                other.edges[f"f_{source}_t_{to}"].load_state_dict(block.state_dict())
    torch.testing.assert_close(outputs(manager), outputs(plain))


@pytest.mark.parametrize("inherit_from", ["previous", "random"])
@pytest.mark.parametrize("by", BY)
def test_a_new_block_changes_no_architecture_until_it_is_trained(by, inherit_from):
    manager = scrambled(net(inherit_from=inherit_from, gate=GateSettings(by=by)))
    manager.schedules = {"active_blocks": parse_schedule({"type": "add", "start": 1, "step": 1, "every": 1})}
    manager.on_epoch_start(1)
    before = outputs(manager)
    for epoch in (2, 3):
        manager.on_epoch_start(epoch)
        assert manager.active_blocks == epoch
        torch.testing.assert_close(outputs(manager), before, rtol=0, atol=0)
    changed = outputs(scrambled(manager))
    assert not torch.allclose(changed, before)


def test_what_a_block_learnt_is_inherited_and_kept_apart_from_then_on():
    manager = scrambled(net(blocks=2))
    manager.schedules = {"active_blocks": parse_schedule({"type": "add", "start": 2, "step": 1, "every": 9})}
    manager.on_epoch_start(1)
    for cell in manager.network.cells:
        for first, second in ((blocks[0], blocks[1]) for blocks in {cell.inner, cell.outer}):
            for (name, old), new in zip(
                first.state_dict().items(), second.state_dict().values(), strict=True
            ):
                assert torch.equal(old, new), name
            mine = {id(parameter) for parameter in first.parameters()}
            assert mine.isdisjoint(id(parameter) for parameter in second.parameters())


@pytest.mark.parametrize("block", [0, 1, 2])
def test_a_connection_uses_the_block_that_the_gate_prefers(block):
    manager = scrambled(net(active=3))
    manager.gate.last.bias.data[block] += 1e3
    alone = scrambled(net(active=3))
    for cell in alone.network.cells:
        cell.copy_block(0, block)
    alone.gate.last.bias.data[0] += 1e3
    torch.testing.assert_close(outputs(manager), outputs(alone))
    others = [outputs(scrambled_preferring(other)) for other in range(3) if other != block]
    assert not any(torch.allclose(outputs(manager), other) for other in others)


def scrambled_preferring(block):
    manager = scrambled(net(active=3))
    manager.gate.last.bias.data[block] += 1e3
    return manager


@pytest.mark.parametrize("by", ["nodes", "architecture"])
def test_the_gate_reads_the_architecture(by):
    """A connection that two architectures have in common is assigned by what the rest of the cell does."""
    manager = scrambled(net(active=3, gate=GateSettings(by=by)))
    choices = set()
    for rollout in rollouts(30):
        chooser = manager.assemble_candidate(rollout).eval().chooser
        choices.add(tuple(tuple(choice.blocks) for choice in chooser()))
    assert len(choices) > 5


def test_training_computes_one_block_for_a_connection_and_teaches_the_gate():
    manager = scrambled(net(active=3))
    for rollout in rollouts(5):
        candidate = manager.assemble_candidate(rollout).train()
        torch.manual_seed(3)
        candidate(images()).square().sum().backward()
        torch.manual_seed(3)
        choices = candidate.chooser()
        for cell, group in manager.network.layers:
            used = set()
            links = zip(rollout.genotype.cells[group].connections, choices[group].blocks, strict=True)
            for (name, source, _), block in links:
                blocks = cell.outer if source < 2 else cell.inner
                used |= {id(weight) for weight in blocks[block][cell.primitives.index(name)].parameters()}
            every = [weight for blocks in (cell.inner, cell.outer) for weight in blocks.parameters()]
            reached = {id(weight) for weight in every if weight.grad is not None}
            assert reached <= used
        assert any(weight.grad.abs().max() > 0 for weight in manager.gate.parameters())
        manager.zero_grad()


def test_evaluation_draws_nothing_and_training_does():
    manager = scrambled(net(active=3))
    rollout = rollouts(1)[0]
    candidate = manager.assemble_candidate(rollout).eval()
    assert torch.equal(candidate(images()), candidate(images()))
    choices = {tuple(candidate.train().chooser()[0].blocks) for _ in range(20)}
    assert len(choices) > 5


def test_all_members_of_a_candidate_belong_to_the_supernet_and_to_active_blocks():
    manager = net(active=2)
    for rollout in rollouts(3):
        own = {id(parameter) for parameter in manager.assemble_candidate(rollout).parameters()}
        dormant = {id(p) for cell in manager.network.cells for p in cell.inner[2].parameters()}
        assert own < {id(parameter) for parameter in manager.parameters()}
        assert own.isdisjoint(dormant)


def test_costs_are_those_of_a_network_that_shares_nothing():
    plain = SuperNet(SPACE, Device("cpu"), np.random.default_rng(1), 10, (3, 8, 8), init_channels=4)
    for rollout in rollouts(5):
        assert total_cost(net(active=2).layers(rollout)) == total_cost(plain.layers(rollout))


def test_a_loaded_state_brings_its_blocks_along():
    trained = scrambled(net(active=2))
    fresh = net(seed=9)
    outputs(fresh)
    fresh.load_state(trained.state())
    assert fresh.active_blocks == 2
    assert torch.equal(outputs(fresh), outputs(trained))


def test_blocks_are_never_taken_away_nor_invented():
    manager = net(active=2)
    for start, message in ((1, "must rise from 2"), (4, "at most num_blocks = 3")):
        manager.schedules = {
            "active_blocks": parse_schedule({"type": "add", "start": start, "step": 0, "every": 1})
        }
        with pytest.raises(ConfigError, match=message):
            manager.on_epoch_start(1)
        assert manager.active_blocks == 2
    with pytest.raises(ConfigError, match="at most num_blocks, 5, got 6"):
        check("weights_manager", "closenet", {"active_blocks": 6})


def test_partial_channels_and_none_are_possible():
    space = CnnSpace(num_layers=2, num_steps=2, shared_primitives=("none", "sep_conv_3x3"))
    manager = net(
        space, active=2, init_channels=8, cell_group_kwargs=(CellGroup(partial_channel_proportion=2),) * 2
    )
    for rollout in itertools.islice(space.enumerate(), 40):
        output = manager.assemble_candidate(rollout)(images())
        assert output.shape == (4, 10)
        assert output.isfinite().all()


@pytest.mark.parametrize(
    "space",
    [
        EnasSpace(num_layers=3, concat_op="mean"),
        Nb301Space(num_layers=3),
        CnnSpace(num_layers=3, num_steps=(3, 2)),
    ],
    ids=["enas", "nb301", "unequal groups"],
)
@pytest.mark.parametrize("by", BY)
def test_architectures_of_every_cell_space_are_trained_and_measured(space, by):
    manager = net(space, active=3, gate=GateSettings(by=by))
    for rollout in space.random_samples(4, np.random.default_rng(0)):
        candidate = manager.assemble_candidate(rollout)
        candidate.train()(images()).sum().backward()
        assert candidate.eval()(images()).isfinite().all()


PUBLISHED = {
    "gpus": [],
    "num_classes": 10,
    "init_channels": 16,
    "candidate_member_mask": False,
    "num_curriculums": 5,
    "cl_schedule": [1, 201, 401, 601, 801],
    "op_dim": 32,
    "gcn_out_dims": [64, 64, 64, 64],
    "gcn_kwargs": {"residual_only": 2},
    "use_bn": False,
    "mlp_dims": [200, 200, 200],
    "reconstruct_inherit": True,
    "gate_type": "node-level",
    "eval_arch": False,
}


def test_a_published_config_is_read_and_every_key_accounted_for():
    new, notes = legacy(PUBLISHED)
    assert {key for key in PUBLISHED if key not in new} == {note.split(":")[0] for note in notes}
    checked = check("weights_manager", "closenet", PUBLISHED)
    assert checked.options["gate"] == GateSettings(by="nodes", renew="new")
    assert checked.options["num_blocks"] == 5
    levels = [checked.schedules["active_blocks"].value(epoch) for epoch in (1, 200, 201, 600, 801, 1000)]
    assert levels == [1, 1, 2, 3, 5, 5]


def test_a_config_without_those_options_has_the_former_defaults():
    checked = check("weights_manager", "closenet", {"num_curriculums": 8, "wit_from": "random"})
    assert checked.options["gate"].by == "architecture"
    assert checked.options["inherit_from"] == "random"
    assert checked.schedules["active_blocks"].value(701) == 8
