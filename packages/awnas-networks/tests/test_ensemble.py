"""Ensembles: the mean of what their members answer, with the weights of one supernet."""

import numpy as np
import pytest
import torch

from awnas_core import ConfigError
from awnas_core.layers import total_cost
from awnas_core.testing import build

FACTS = {"num_classes": 10, "input_shape": (3, 8, 8)}
CELLS = {"num_layers": 2, "cell_layout": [0, 1], "num_steps": 2}


def ensemble():
    cfg = {"inner_search_space_cfg": CELLS, "ensemble_size": 2}
    space = build("search_space", "ensemble", cfg, {"rollout_type": "ensemble"})
    inner = {"inner_weights_manager_cfg": {"init_channels": 4, "dropout_rate": 0.0}}
    return space, build("weights_manager", "ensemble", inner, {"search_space": space, **FACTS})


def test_an_ensemble_answers_with_the_mean_of_its_members_logits():
    space, weights = ensemble()
    images = torch.randn(4, 3, 8, 8)
    for rollout in space.random_samples(5, np.random.default_rng(0)):
        members = [weights.inner.assemble_candidate(member) for member in rollout.members]
        expected = (members[0].train()(images) + members[1].train()(images)) / 2
        torch.testing.assert_close(weights.assemble_candidate(rollout).train()(images), expected)


def test_members_learn_the_shared_weights_and_are_counted_one_by_one():
    space, weights = ensemble()
    rollout = space.random_sample(np.random.default_rng(1))
    shared = {id(parameter) for parameter in weights.inner.parameters()}
    assert {id(parameter) for parameter in weights.assemble_candidate(rollout).parameters()} <= shared
    one_by_one = [total_cost(weights.inner.layers(member)) for member in rollout.members]
    both = total_cost(weights.layers(rollout))
    assert (both.params, both.macs) == (sum(c.params for c in one_by_one), sum(c.macs for c in one_by_one))


def sequence(*layers):
    records = [{"spatial_size": 8, **layer} for layer in layers]
    space = build("search_space", "general", {}, {"rollout_type": "general"})
    cfg = {"genotypes": str(records).replace("'", '"')}
    return build("final_model", "general-final-model", cfg, {"search_space": space, **FACTS})


def test_a_sequence_is_its_primitives_one_after_another_and_a_classifier():
    model = sequence(
        {"prim_type": "conv_bn_relu_3x3", "C": 3, "C_out": 6},
        {"prim_type": "conv_1x1", "C": 6, "C_out": 5, "stride": 2},
    ).eval()
    images = torch.randn(2, 3, 8, 8)
    first, second = model.network.primitives
    expected = torch.nn.functional.linear(
        second(first(images)).mean((2, 3)), model.network.classifier.weight, model.network.classifier.bias
    )
    torch.testing.assert_close(model(images), expected)
    # 3×3×3×6 weights and 2·6 of the norm; 6×5 weights and 5 biases; 5×10 and 10 of the classifier
    assert total_cost(model.layers()).params == 162 + 12 + 35 + 60


def test_a_sequence_that_does_not_fit_together_says_where():
    with pytest.raises(ConfigError, match="primitive 1, conv_1x1, takes 7 channels, but gets 6"):
        sequence({"prim_type": "conv_3x3", "C": 3, "C_out": 6}, {"prim_type": "conv_1x1", "C": 7, "C_out": 5})


def test_options_that_a_primitive_lacks_are_refused():
    with pytest.raises(ConfigError, match="conv_3x3' does not take speed"):
        sequence({"prim_type": "conv_3x3", "C": 3, "C_out": 6, "speed": 2})
