"""Configs of an older layer: every key of the benchmarks' spaces and evaluators is accounted for."""

import pytest

from awnas_benchmarks import legacy
from awnas_spaces import legacy as of_spaces


@pytest.mark.parametrize(
    ("cfg", "today"),
    [
        ({"use_epoch": 36}, {"signal": "cifar10/valid_accuracy@36", "report": "cifar10/test_accuracy@36"}),
        ({"use_mean_valid_as_reward": True}, {"run": "mean"}),
        ({"use_mean_valid_as_reward": False}, {"run": "random"}),
        ({"table": "mine"}, {"table": "mine"}),
    ],
)
def test_options_of_nasbench_101(cfg, today):
    found, notes = legacy.nasbench101_options(cfg)
    assert found == today
    assert len(notes) == len(set(cfg) - set(today))


def test_options_of_nasbench_201():
    assert legacy.nasbench201_options({"sample_query": True})[0] == {"run": "random"}
    assert legacy.nasbench201_options({"sample_query": False})[0] == {"run": "mean"}


@pytest.mark.parametrize(
    ("translate", "dropped"),
    [
        (
            of_spaces.nasbench101_options,
            ["load_nasbench", "compare_reduced", "multi_fidelity", "validate_spec"],
        ),
        (of_spaces.oneshot_options, ["load_nasbench", "num_layers", "cell_layout"]),
        (of_spaces.nasbench201_options, ["load_nasbench", "num_layers"]),
    ],
)
def test_what_spaces_no_longer_have_is_dropped_with_a_reason(translate, dropped):
    cfg, notes = translate({**dict.fromkeys(dropped, 1), "kept": 2})
    assert cfg == {"kept": 2}
    assert [note.partition(" is dropped")[0] for note in notes] == dropped
