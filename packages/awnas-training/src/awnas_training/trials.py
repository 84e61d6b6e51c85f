"""Runs of seconds that tests make of the presets; together they name every component that has no preset of its own."""

from __future__ import annotations

import json
from collections.abc import Iterable

Trial = tuple[str, ...]

SMALL_SEARCH: Trial = (
    "search_space_cfg={num_layers: 2, cell_layout: [0, 1], num_steps: 2}",
    "weights_manager_cfg.init_channels=4",
    "evaluator_cfg.batch_size=8",
    "evaluator_cfg.data_portion=[0.2, 0.1]",
    "trainer_cfg.evaluator_steps=2",
    "trainer_cfg.controller_steps=2",
    "trainer_cfg.controller_train_begin=1",
    "trainer_cfg.controller_samples=2",
    "trainer_cfg.derive_samples=2",
    "trainer_cfg.test_every=2",
)
SMALL: Trial = (*SMALL_SEARCH, "controller_cfg.controller_network_cfg={controller_hid: 8, attention_hid: 8}")
SMALL_FINAL: Trial = (
    "final_model_cfg.init_channels=4",
    "final_trainer_cfg.batch_size=256",
)
MANY_PRIMITIVES = (
    "[none, skip_connect, avg_pool_3x3, max_pool_3x3, sep_conv_3x3, sep_conv_5x5, sep_conv_7x7, dil_conv_3x3, "
    "dil_conv_5x5, relu_conv_bn_1x1, relu_conv_bn_3x3, relu_conv_bn_5x5, conv_bn_relu_1x1, conv_bn_relu_3x3, "
    "conv_bn_relu_5x5, conv_1x1, conv_3x3, conv_7x1_1x7]"
)
CONTAINER = (
    "{sub_objectives: [{objective_type: classification}, {objective_type: flops}], rewards_coef: [1, 1e-9]}"
)


_META: Trial = (
    "trainer_type=meta",
    "trainer_cfg={evaluator_steps: 2, meta_batch_size: 1, train_base_steps: 1, test_base_steps: 1, test_every: 2}",
    "trainer_cfg.derive_samples=2",
)
FEW_SHOT: Trial = (
    "evaluator_type=discrete_few_shot_shared_weights",
    "evaluator_cfg={base_steps: 1, derive_base_steps: 1, workers_per_queue: 0}",
    *_META,
)
TASKS = "n_way: 2, k_shot: 1, k_query: 2"
TNAS_DIGITS: tuple[Trial, ...] = (
    (
        "weights_manager_cfg.init_channels=4",
        "dataset_cfg.train_tasks=4",
        "dataset_cfg.test_tasks=2",
        "evaluator_cfg.derive_base_steps=1",
        *_META,
    ),
)


def _scheduler(text: str) -> str:
    return f"evaluator_cfg.eval_scheduler={{type: {text}}}"


def _data(name: str, cfg: str = "{}") -> Trial:
    return f"dataset_type={name}", f"dataset_cfg={cfg}"


def _random_cells(space: str, cfg: str = "{num_layers: 2}") -> Trial:
    """Random architectures of a space that has a rollout type of its own."""
    return (
        f"rollout_type={space}",
        f"search_space_type={space}",
        f"search_space_cfg={cfg}",
        "controller_type=random-sample",
        "controller_cfg={}",
    )


ENAS_DIGITS: tuple[Trial, ...] = (
    (*SMALL, _scheduler("CosineWithRestarts, t_0: 1")),
    (
        *SMALL,
        *_data("cifar10"),
        "controller_cfg={controller_network_type: anchor_lstm, rl_agent_type: ppo}",
        _scheduler("ExpDecay, gamma: 0.9"),
    ),
    (
        *SMALL,
        *_data("fashion-mnist"),
        "controller_type=random-sample",
        "controller_cfg={}",
        f"search_space_cfg.shared_primitives={MANY_PRIMITIVES}",
        _scheduler("WarmupCosineAnnealingLR, T_max: 2, warmup_epochs: 1"),
    ),
    (
        *SMALL,
        *_data("svhn"),
        # pools without padding need a stride, the identity needs none
        "search_space_cfg.num_steps=1",
        "search_space_cfg.cell_shared_primitives=[[identity, skip_connect], [avg_pool_2x2, skip_connect]]",
        "evaluator_type=mepa",
        "evaluator_cfg.controller_surrogate_steps=0",
        "evaluator_cfg.mepa_surrogate_steps=0",
        "evaluator_cfg.data_portion=[0.1, 0.2, 0.1]",
        "rollout_type=compare",
        "controller_type=pairs",
        "controller_cfg={inner_controller_type: rl}",
        _scheduler("WarmupCosineWithRestarts, t_0: 2, warmup_epochs: 1"),
    ),
    (
        *SMALL,
        *_data("sign-digits"),
        *_random_cells("nb301"),
        "objective_type=container",
        f"objective_cfg={CONTAINER}",
    ),
    (
        *SMALL,
        *_data("image-folder", "{folder: imagenet/val, image_size: 16}"),
        *_random_cells("enas", "{num_layers: 2, concat_op: mean}"),
        "objective_type=classification-with-flops-reg",
        "objective_cfg={macs_budget: 1e+5}",
    ),
    (*SMALL, *_data("few-shot", f"{{{TASKS}, train_tasks: 4, test_tasks: 2}}"), *FEW_SHOT),
    (
        *SMALL,
        *_data("miniimagenet", f"{{{TASKS}, resize: 16, batch_size: 4, batch_size_test: 2}}"),
        *FEW_SHOT,
        "trainer_cfg.meta_update_method=reptile",
    ),
)
ENAS_DIGITS_FINAL: tuple[Trial, ...] = (
    SMALL_FINAL,
    (*SMALL_FINAL, *_data("cifar100"), "final_model_cfg.use_stem=imagenet_stem0"),
    (*SMALL_FINAL, *_data("image-arrays", "{file: sign_language_digits/sld32_train.npz}")),
    (*SMALL_FINAL, *_data("imagenet", "{train_crop_size: 16, test_crop_size: 16}")),
    (*SMALL_FINAL, *_data("imagenet-downsample", "{num_class: 10}")),
    (*SMALL_FINAL, *_data("tiny-imagenet", "{train_crop_size: 16, test_crop_size: 16}")),
)

_BLOCKS = (
    *("sep_conv_3x3_exp3", "sep_conv_3x3_exp6", "sep_conv_5x5_exp3", "sep_conv_5x5_exp6"),
    *("bn_conv_relu_1x1", "bn_relu", "conv_3x3_no_bias"),
    *("relu", "relu6", "h_swish", "h_sigmoid", "sigmoid", "tanh", "vgg_block", "inspect_block"),
    *(
        "resnet_block",
        "resnet_block_1x1",
        "resnet_block_5x5",
        "resnet_block_hardtanh",
        "resnet_block_sigmoid",
    ),
    *("resnet_block_split", "resnet_block_split_hardtanh", "resnet_block_split_sigmoid"),
    *("resnet_block_pool_downsample", "resnet_bottleneck_block", "wideresnet_block_3x3"),
    *("res_reduce_block", "nb201_residual_block", "se_module"),
    *("mobilenet_block_1", "mobilenet_block_3", "mobilenet_block_6"),
    *("mobilenet_block_3_5x5", "mobilenet_block_6_5x5", "mobilenet_block_1_relu6", "mobilenet_block_6_relu6"),
    *("mobilenet_v2_block", "mobilenet_v3_block", "fused_conv_block"),
)
_REDUCTIONS = ("dense_block", "dense_reduce_block", "tnas", "imagenet_stem0_7x7", "imagenet_stem1")


def _in_a_row(blocks: Iterable[str], reductions: Iterable[str]) -> Trial:
    """A network that has every block once: those that keep the shape, then those that do not."""
    layers = [{"prim_type": "conv_bn_relu_3x3", "spatial_size": 8, "C": 1, "C_out": 8}]
    layers += [{"prim_type": name, "spatial_size": 8, "C": 8, "C_out": 8} for name in blocks]
    for name in reductions:
        grows, stride = name == "dense_block", 2 if name == "dense_reduce_block" else 1
        before = layers[-1]["C_out"]
        layer = {
            "prim_type": name,
            "spatial_size": 8,
            "C": before,
            "C_out": 16 if grows else 8,
            "stride": stride,
        }
        layers.append(layer)
    names = ", ".join(str(layer["prim_type"]) for layer in layers)
    return (
        f"search_space_cfg={{primitives: [{names}]}}",
        f"final_model_cfg={{genotypes: '{json.dumps(layers)}'}}",
        "final_trainer_cfg.batch_size=256",
        "final_trainer_cfg.learning_rate=1e-3",
    )


def _of_a_table(space: str, model: str, options: str) -> Trial:
    """Return the training of one architecture of a tabular benchmark."""
    return (
        f"search_space_type={space}",
        f"final_model_type={model}",
        f"final_model_cfg={options}",
        "final_trainer_cfg.batch_size=256",
    )


GENERAL_DIGITS_FINAL: tuple[Trial, ...] = (
    (),
    _in_a_row(_BLOCKS, _REDUCTIONS),
    _of_a_table(
        "nasbench-101",
        "nasbench-101-final-model",
        "{genotypes: 'NasBench101(conv3x3-bn-relu, maxpool3x3; 0-1, 0-2, 1-2, 2-3, 0-3)', init_channels: 4, cells: 1}",
    ),
    _of_a_table(
        "nasbench-201",
        "nasbench-201-final-model",
        "{genotypes: '|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|none~1|nor_conv_1x1~2|', "
        "init_channels: 4, cells: 1}",
    ),
    _of_a_table(
        "nasbench-macro",
        "nasbench-macro-final-model",
        "{genotypes: '10201020', init_channels: 4}",
    ),
)

_GENOTYPE = (
    "CNNGenotype(normal_0=(('skip_connect', 0, 2), ('sep_conv_3x3', 1, 2), ('skip_connect', {}, 3), "
    "('max_pool_3x3', 1, 3)), reduce_1=(('max_pool_3x3', 0, 2), ('sep_conv_3x3', 1, 2), ('skip_connect', 2, 3), "
    "('max_pool_3x3', 0, 3)))"
)
EVO_DIGITS: tuple[Trial, ...] = (
    (*SMALL_SEARCH, "controller_cfg={population_size: 3, parent_pool_size: 2, repeats: {avoid: history}}"),
    (
        *SMALL_SEARCH,
        "controller_type=rejection-sample",
        "controller_cfg={base_sampler_type: evo, base_sampler_cfg: {population_size: 3, parent_pool_size: 2}}",
    ),
    (
        *SMALL_SEARCH,
        "controller_type=file-sampler",
        f'controller_cfg={{archs: ["{_GENOTYPE.format(0)}", "{_GENOTYPE.format(2)}"]}}',
    ),
)
CLOSENET_DIGITS: tuple[Trial, ...] = (
    (
        *SMALL_SEARCH,
        "controller_cfg={population_size: 3, parent_pool_size: 2}",
        "weights_manager_cfg.num_blocks=2",
        "weights_manager_cfg.schedule_cfg.active_blocks={type: add, start: 1, step: 1, every: 1}",
        "evaluator_cfg.switch_epochs=[2]",
    ),
)
SA_DIGITS: tuple[Trial, ...] = (SMALL_SEARCH,)
ASHA_DIGITS = (
    (
        "controller_cfg={population_size: 2, parent_pool_size: 1}",
        "evaluator_cfg.final_set=[final_model_cfg.init_channels=2, final_trainer_cfg.batch_size=256, "
        "final_trainer_cfg.valid_portion=0.5]",
        "evaluator_cfg.rungs=[1]",
        "trainer_cfg.controller_samples=2",
    ),
)
LOCAL_SEARCH_DIGITS: tuple[Trial, ...] = ((*SMALL_SEARCH, "controller_cfg.init_samples=3"),)
ENSEMBLE_DIGITS: tuple[Trial, ...] = (
    (
        *(text for text in SMALL_SEARCH if not text.startswith(("search_space_cfg", "weights_manager_cfg"))),
        "search_space_cfg.inner_search_space_cfg={num_layers: 2, cell_layout: [0, 1], num_steps: 2}",
        "weights_manager_cfg.inner_weights_manager_cfg.init_channels=4",
        "controller_cfg={population_size: 3, parent_pool_size: 2}",
    ),
)
NB201_DIGITS: tuple[Trial, ...] = (
    tuple(text for text in SMALL_SEARCH if not text.startswith("search_space_cfg")),
)
NB201_ZERO_SHOT_DIGITS: tuple[Trial, ...] = (
    (
        "weights_manager_cfg.init_channels=4",
        "objective_cfg.references=3",
        "objective_cfg.batch_size=8",
        "controller_cfg={population_size: 3, parent_pool_size: 2}",
        "trainer_cfg={controller_steps: 2, controller_samples: 2, derive_samples: 2, test_every: 2}",
    ),
)
PARETO_EVO_DIGITS: tuple[Trial, ...] = ((*SMALL_SEARCH, "controller_cfg.population_size=3"),)
CARS_DIGITS: tuple[Trial, ...] = (
    (*SMALL_SEARCH, "controller_cfg.population_size=2", "trainer_cfg.controller_samples=5"),
)
_GRADIENT: Trial = (*SMALL_SEARCH, "search_space_cfg.derive_without_none_op=true")
GRADIENT_DIGITS: tuple[Trial, ...] = (_GRADIENT,)
DARTS_DIGITS: tuple[Trial, ...] = (
    _GRADIENT,
    (
        *_GRADIENT,
        "evaluator_type=mepa",
        "evaluator_cfg.controller_surrogate_steps=[0, 1]",
        "evaluator_cfg.mepa_surrogate_steps=1",
        "evaluator_cfg.data_portion=[0.1, 0.2, 0.1]",
    ),
)
SNAS_DIGITS: tuple[Trial, ...] = (
    (
        *_GRADIENT,
        "controller_cfg.rollout_batch_size=4",
        "evaluator_cfg.data_portion=[[train, 0.2, {drop_last: true}], [train, 0.1, {drop_last: true}]]",
    ),
)
