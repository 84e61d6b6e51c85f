"""Configs of published work, written for an older layer: they load as they are, run, and every key has its fate told.

The configs stand here in full, with the settings that were published; ``CHANGED`` says what becomes of their keys.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from awnas_core import api
from awnas_core.device import Device
from awnas_core.rollout import Purpose
from awnas_core.run.options import RunOptions
from awnas_core.session import Session, family_of, find_config, installed_registry, open_session

HERE = Path(__file__).parent
NAMES = sorted(path.stem for path in HERE.glob("*.yaml"))
FINAL = [name for name in NAMES if name.endswith("_final")]
META = [name for name in NAMES if name.startswith("tnas")]
TABULAR = [name for name in NAMES if name.startswith(("nb101_", "nb201_"))]
SEARCHES = [name for name in NAMES if name not in FINAL + META + TABULAR]
CHANGED = {
    "controller_cfg": {
        "dropped": "inspect_hessian_every mode num_eliminate prefill_population rl_agent_cfg.batch_update "
        "mutation_prob inner_sample_n inner_iter_random_init inner_report_freq inner_enumerate_search_space "
        "predict_batch_size min_inner_sample_ratio training_on_load inner_controller_cfg.mode "
        "inner_controller_cfg.mutation_edges_prob predictor_train_cfg.num_workers "
        "predictor_train_cfg.max_compare_ratio predictor_train_cfg.compare_threshold "
        "predictor_train_cfg.report_freq predictor_train_cfg.train_valid_split arch_network_cfg.mlp_dropout "
        "arch_network_cfg.scheduler arch_network_cfg.compare_margin arch_network_cfg.max_grad_norm "
        "arch_network_cfg.arch_embedder_cfg.hid_dim arch_network_cfg.arch_embedder_cfg.share_op_attention "
        "arch_network_cfg.arch_embedder_cfg.gcn_kwargs arch_network_cfg.arch_embedder_cfg.use_final_only",
        "renamed": "avoid_mutate_repeat avoid_mutate_repeat_worst_threshold avoid_repeat avoid_repeat_fallback "
        "avoid_repeat_from avoid_repeat_worst_threshold eval_sample_strategy init_population_size perf_names "
        "population_nums begin_train_num inner_random_init predictor_train_cfg predictor_train_cfg.epochs "
        "predictor_train_cfg.batch_size predictor_train_cfg.compare arch_network_type arch_network_cfg "
        "arch_network_cfg.mlp_hiddens arch_network_cfg.optimizer arch_network_cfg.compare_loss_type "
        "arch_network_cfg.arch_embedder_type arch_network_cfg.arch_embedder_cfg "
        "arch_network_cfg.arch_embedder_cfg.op_embedding_dim arch_network_cfg.arch_embedder_cfg.node_embedding_dim "
        "arch_network_cfg.arch_embedder_cfg.gcn_out_dims",
    },
    "evaluator_cfg": {
        "dropped": "disable_step_current high_order learn_per_weight_step_lr load_optimizer load_scheduler "
        "lr_schedule multi_step_loss_epochs multi_step_loss_start multiprocess pin_memory_per_queue "
        "report_cont_data_diagnostics report_inner_diagnostics rollout_batch_size strict_load_weights_manager "
        "surrogate_lr_optimizer surrogate_lr_scheduler update_mepa_surrogate_steps use_maml_plus "
        "use_multi_step_loss",
        "renamed": "mepa_optimizer mepa_samples mepa_scheduler sample_query use_epoch use_mean_valid_as_reward",
    },
    "final_model_cfg": {"dropped": "auxiliary_cfg cell_group_kwargs num_classes"},
    "final_trainer_cfg": {
        "dropped": "add_regularization auxiliary_head eval_no_grad multiprocess save_as_state_dict seed"
    },
    "objective_cfg": {"dropped": "aggregate_as_list sub_objectives.0.objective_cfg.return_param"},
    "search_space_cfg": {"dropped": "compare_reduced load_nasbench multi_fidelity"},
    "trainer_cfg": {"dropped": "is_differentiable rollout_batch_size"},
    "weights_manager_cfg": {
        "dropped": "candidate_cache_named_members candidate_eval_no_grad candidate_member_mask "
        "candidate_virtual_parameter_only eval_arch gcn_kwargs gpus num_classes use_bn",
        "renamed": "cl_schedule gate_type gcn_out_dims hidden_dim mlp_dims mlp_dropout node_dim num_curriculums op_dim "
        "reconstruct_inherit",
    },
}
SURROGATE = (
    "controller_surrogate_steps derive_surrogate_steps mepa_as_surrogate mepa_surrogate_steps surrogate_optimizer "
    "surrogate_scheduler use_same_surrogate_data"
)
OF_TASKS = "batch_size schedule_every_batch"
SMALLER_SEARCH = ("weights_manager_cfg.init_channels=4", "search_space_cfg.num_layers=3")
SMALLER_FINAL = ("final_model_cfg.init_channels=4", "search_space_cfg.num_layers=4")
SMALLER = {
    **dict.fromkeys(SEARCHES, SMALLER_SEARCH),
    **dict.fromkeys(FINAL, SMALLER_FINAL),
    **dict.fromkeys(("close", "nb301_one_shot"), SMALLER_SEARCH[:1]),  # their layers are fixed
    "cars": (*SMALLER_SEARCH, "controller_cfg.population_size=4", "trainer_cfg.controller_samples=8"),
    **dict.fromkeys(
        META,
        (
            "weights_manager_cfg.init_channels=4",
            "search_space_cfg.num_steps=1",
            "dataset_cfg.k_query=2",
            "dataset_cfg.resize=32",
            "trainer_cfg.train_base_steps=1",
        ),
    ),
    **dict.fromkeys(
        ("nb101_gates", "nb201_gates"),
        ("controller_cfg.predictor_train_cfg.epochs=2", "controller_cfg.inner_steps=5"),
    ),
    "imagenet_final": (*SMALLER_FINAL, "dataset_cfg.train_crop_size=256", "dataset_cfg.test_crop_size=256"),
}
"""What makes two steps of a config a matter of seconds."""


def opened(name: str, overrides: tuple[str, ...] = ()) -> Session:
    registry = installed_registry()
    path = HERE / f"{name}.yaml"
    family = family_of(find_config(path, registry))
    return open_session(path, family, registry=registry, device=Device("cpu"), seed=0, overrides=overrides)


def sized(names: list[str], role: str) -> list[Any]:
    """Return each config at a small size and without workers, and as it is among the slow tests."""
    alone = f"{role}_cfg.workers_per_queue=0"
    small = [pytest.param(name, (*SMALLER[name], alone), id=name) for name in names]
    as_it_is = [pytest.param(name, (), id=f"{name}, as it is", marks=pytest.mark.slow) for name in names]
    return [*small, *as_it_is]


def expected(name: str) -> dict[str, str]:
    """Return the fate of each key that some config does not keep, were it in this one."""
    table = {
        f"{cfg}.{key}": fate
        for cfg, fates in CHANGED.items()
        for fate, keys in fates.items()
        for key in keys.split()
    }
    fate = "renamed" if name == "darts_surrogate" else "dropped"
    table |= {f"evaluator_cfg.{key}": fate for key in SURROGATE.split()}
    if name == "darts_surrogate":
        table["evaluator_cfg.lr_factor"] = "dropped"  # there is no rule that asks for it
    if name in META:
        table |= {f"evaluator_cfg.{key}": "dropped" for key in OF_TASKS.split()}
    return table


def written(value: Any, *path: object) -> Iterator[str]:
    """Yield the dotted path of every option, those of nested components included."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from written(item, *path, index)
        return
    for key, inner in value.items():
        yield ".".join(map(str, (*path, key)))
        if (str(key).endswith("_cfg") and key != "schedule_cfg" and inner) or key == "sub_objectives":
            yield from written(inner, *path, key)


@pytest.mark.parametrize("name", NAMES)
def test_every_key_is_used_renamed_or_dropped_with_its_reason(name):
    keys = opened(name).config.keys
    given = yaml.safe_load((HERE / f"{name}.yaml").read_text())
    assert sorted(fate.key for fate in keys) == sorted(written(given))
    table = expected(name)
    assert {fate.key: fate.fate for fate in keys} == {fate.key: table.get(fate.key, "used") for fate in keys}
    assert not [fate.key for fate in keys if fate.fate != "used" and not fate.about]


def test_every_changed_key_stands_in_some_config():
    given = {key for name in NAMES for key in written(yaml.safe_load((HERE / f"{name}.yaml").read_text()))}
    assert given >= set(expected(META[0]))


@pytest.mark.parametrize(("name", "overrides"), sized(SEARCHES, "evaluator"))
def test_a_search_takes_two_steps_on_a_few_images(small_data, name, overrides):
    session = opened(name, overrides)
    evaluator, controller = session.get("evaluator"), session.get("controller")
    session.get("trainer")  # hands the controller its optimizer
    for _ in range(2):
        assert float(evaluator.update_evaluator(controller)["loss"]) > 0
        rollouts = controller.sample(1, Purpose.PROPOSE)
        evaluator.evaluate_rollouts(rollouts, Purpose.PROPOSE, gradient=controller.wants_gradient)
        assert rollouts[0].status == "ok"
        controller.step(rollouts)
    derived = controller.sample(1, Purpose.DERIVE)  # perhaps more: a Pareto front is derived as a whole
    assert derived
    assert all(str(rollout.genotype).startswith("CNNGenotype(") for rollout in derived)


@pytest.mark.parametrize("name", TABULAR)
def test_a_search_of_a_benchmark_takes_three_steps(small_data, name):
    session = opened(name, SMALLER.get(name, ()))
    evaluator, controller = session.get("evaluator"), session.get("controller")
    session.get("trainer")
    rewards = {}
    for _ in range(3):
        rollouts = evaluator.evaluate_rollouts(controller.sample(10, Purpose.PROPOSE))
        controller.step(rollouts)
        rewards |= {rollout.arch: rollout.reward for rollout in rollouts if rollout.status == "ok"}
    (derived,) = controller.sample(1, Purpose.DERIVE)
    assert derived.arch in rewards


@pytest.mark.parametrize(("name", "overrides"), sized(FINAL, "final_trainer"))
def test_a_final_training_takes_two_steps_on_a_few_images(small_data, name, overrides, tmp_path):
    session = opened(name, ("final_trainer_cfg.epochs=2", *overrides))
    api.train(session, RunOptions(train_dir=tmp_path / "run"))
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2]
    assert all(math.isfinite(row["train/loss"]) for row in rows)


@pytest.mark.parametrize(("name", "overrides"), sized(META, "evaluator"))
def test_a_search_over_tasks_takes_two_meta_steps(own_home, name, overrides):
    from tests.small_data import write_mini_imagenet

    write_mini_imagenet(own_home / "data" / "miniimagenet", np.random.default_rng(0), classes=5, examples=25)
    two_steps = ("trainer_cfg.epochs=1", "trainer_cfg.test_every=null", "trainer_cfg.evaluator_steps=8")
    session = opened(name, (*two_steps, "dataset_cfg.batch_size_test=1", *overrides))
    (derived,) = api.search(session)
    assert str(derived.genotype).startswith("CNNGenotype(")
