"""A supernet has the published size; its candidates use just their own part of it."""

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from awnas_core import Device, total_cost
from awnas_core.errors import ConfigError
from awnas_networks.final_model import CnnFinalModel
from awnas_networks.supernet import SuperNet
from awnas_spaces.cnn import DARTS_PRIMITIVES, CnnSpace

ENAS_PRIMITIVES = ("max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5")
SPACE = CnnSpace(num_layers=3, num_steps=2)


def supernet(space=SPACE, *, device="cpu", seed=0, shape=(3, 8, 8), **options):
    options = {"init_channels": 4, "dropout_rate": 0.0} | options
    return SuperNet(space, Device(device), np.random.default_rng(seed), 10, shape, **options)


def images(n=4, size=8):
    return torch.randn(n, 3, size, size, generator=torch.Generator().manual_seed(1))


def rollouts(n, space=SPACE):
    return space.random_samples(n, np.random.default_rng(2))


@pytest.mark.parametrize(
    ("primitives", "steps", "channels", "published"),
    [(DARTS_PRIMITIVES, 4, 16, 1_930_618), (ENAS_PRIMITIVES, 5, 20, 2_799_350)],
    ids=["DARTS", "ENAS"],
)
def test_the_supernet_of_eight_cells_has_the_published_size(primitives, steps, channels, published):
    space = CnnSpace(num_steps=steps, shared_primitives=primitives)
    with torch.device("meta"):
        net = supernet(space, device="meta", shape=(3, 32, 32), init_channels=channels)
    assert sum(parameter.numel() for parameter in net.parameters()) == published


def test_a_candidate_computes_what_the_final_model_of_its_genotype_does():
    net = supernet(bn_affine=True)
    for rollout in [rollout for rollout in rollouts(30) if _uses_all_inputs(rollout)][:4]:
        candidate = net.assemble_candidate(rollout).train()
        twin = CnnFinalModel(
            SPACE, Device("cpu"), np.random.default_rng(3), 10, (3, 8, 8), genotypes=str(rollout.genotype),
            init_channels=4, dropout_rate=0.0, dropout_path_rate=0.0, cell_pool_batchnorm=True,
        ).train()  # fmt: skip
        with torch.no_grad():
            for own, other in zip(candidate.parameters(), twin.parameters(), strict=True):
                other.copy_(own)
        assert torch.allclose(candidate(images()), twin(images()), atol=1e-6)


def _uses_all_inputs(rollout):
    return all({source for _, source, _ in cell.connections} >= {0, 1} for cell in rollout.genotype.cells)


def test_training_a_candidate_reaches_its_own_weights_and_no_others():
    net = supernet()
    rollout = rollouts(1)[0]
    candidate = net.assemble_candidate(rollout).train()
    candidate(images()).sum().backward()
    reached = {id(parameter) for parameter in net.parameters() if parameter.grad is not None}
    own = {id(parameter) for parameter in candidate.parameters()}
    assert reached <= own
    assert own < {id(parameter) for parameter in net.parameters()}
    before = [buffer.clone() for buffer in net.buffers()]
    candidate(images())
    moved = sum(not torch.equal(a, b) for a, b in zip(before, net.buffers(), strict=True))
    assert 0 < moved <= len(list(candidate.buffers()))


def test_architectures_that_agree_on_an_operation_share_its_weights():
    net = supernet()
    *rest, _ = rollouts(1)[0].arch  # the last code is an operation of the reduction cells
    small, large = (DARTS_PRIMITIVES.index(name) for name in ("sep_conv_3x3", "sep_conv_5x5"))
    first, second = (net.assemble_candidate(SPACE.rollout((*rest, code))) for code in (small, large))
    for layer, group in enumerate(SPACE.cell_layout):
        ours, theirs = ({id(p) for p in net.cells[layer].parameters()} for net in (first, second))
        assert ours & theirs
        assert (ours == theirs) == (group == 0)


def test_no_weight_is_copied_for_a_candidate():
    net = supernet()
    before = [parameter.data_ptr() for parameter in net.parameters()]
    for rollout in rollouts(100):  # more than are kept
        candidate = net.assemble_candidate(rollout)
        assert {p.data_ptr() for p in candidate.parameters()} <= set(before)
    assert [parameter.data_ptr() for parameter in net.parameters()] == before


def test_layers_agree_with_the_candidate_and_with_the_counter_of_torch():
    with torch.device("meta"):  # where nothing is computed another way to be faster
        net = supernet(device="meta")
    for rollout in rollouts(4):
        candidate = net.assemble_candidate(rollout).eval()
        cost = total_cost(net.layers(rollout))
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            candidate(images(1).to("meta"))
        assert cost.params == sum(parameter.numel() for parameter in candidate.parameters())
        assert cost.flops == counter.get_total_flops()


def test_everything_between_input_and_output_stays_channels_last():
    net = supernet()
    for rollout in rollouts(5):
        candidate = net.assemble_candidate(rollout)
        strays = []

        def look(module, _inputs, output, strays=strays):
            if output.dim() == 4 and not output.is_contiguous(memory_format=torch.channels_last):
                strays.append(module)

        for module in candidate.modules():
            module.register_forward_hook(look)
        candidate(images().to(memory_format=torch.channels_last))
        assert not strays


def test_a_list_of_stems_feeds_each_input_its_own():
    net = supernet(use_stem=("imagenet_stem0", "relu_conv_bn_3x3"), stem_stride=2, shape=(3, 64, 64))
    rollout = rollouts(1)[0]
    assert net.assemble_candidate(rollout)(images(2, 64)).shape == (2, 10)
    sizes = [layer.output_shape[1] for layer in net.layers(rollout) if layer.name.startswith("stems")]
    assert (sizes[0], sizes[-1]) == (32, 8)


def test_the_image_itself_can_be_the_input_of_the_first_cell():
    net = supernet(use_stem=None)
    assert not list(net.network.stems)
    assert net.assemble_candidate(rollouts(1)[0])(images()).shape == (4, 10)


def test_loose_ends_cannot_be_concatenated_but_can_be_added():
    space = CnnSpace(num_layers=3, num_steps=2, loose_end=True)
    with pytest.raises(ConfigError, match="set concat_op to one of sum, mean, mul"):
        supernet(space)
    space = CnnSpace(num_layers=3, num_steps=2, loose_end=True, concat_op="sum")
    net = supernet(space)
    for rollout in rollouts(5, space):
        assert net.assemble_candidate(rollout)(images()).shape == (4, 10)


def test_odd_images_and_other_preprocessing_work():
    net = supernet(shape=(1, 7, 9), preprocess_op_type="conv_bn_relu_3x3")
    assert net.assemble_candidate(rollouts(1)[0])(torch.zeros(2, 1, 7, 9)).shape == (2, 10)


def test_weights_follow_from_the_generator():
    first, same, other = (supernet(seed=seed).state()["weights"] for seed in (0, 0, 1))
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)
