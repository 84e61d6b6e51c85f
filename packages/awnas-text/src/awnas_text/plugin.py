"""What awnas-text adds to awnas."""

from __future__ import annotations

from awnas_core import ComponentSpec, PresetSpec, hookimpl

awnas_api = 1

SEQUENCE = ("sequence",)
SMALL = (
    "search_space_cfg.num_steps=3",
    "weights_manager_cfg.num_emb=8",
    "weights_manager_cfg.num_hid=8",
    "evaluator_cfg.batch_size=32",
    "evaluator_cfg.bptt_steps=10",
    "trainer_cfg.controller_steps=2",
    "trainer_cfg.derive_samples=2",
    "trainer_cfg.test_every=2",
)
SMALL_SEARCH = (*SMALL, "trainer_cfg.evaluator_steps=3", "trainer_cfg.controller_train_begin=1")
SMALL_FINAL = (
    "final_model_cfg.num_emb=8",
    "final_model_cfg.num_hid=8",
    "final_trainer_cfg.batch_size=256",
)


@hookimpl
def awnas_components() -> list[ComponentSpec]:
    """Texts, supernets, the objective, and final training."""
    return [
        ComponentSpec(
            kind="dataset",
            name="shakespeare",
            target="awnas_text.datasets:Shakespeare",
            data_types=SEQUENCE,
            summary="Scenes of Shakespeare, letter by letter or in words; no download.",
        ),
        ComponentSpec(
            kind="dataset",
            name="text-file",
            target="awnas_text.datasets:TextFile",
            data_types=SEQUENCE,
            summary="A text file of your own, in words or letter by letter.",
        ),
        ComponentSpec(
            kind="dataset",
            name="ptb",
            target="awnas_text.datasets:Ptb",
            data_types=SEQUENCE,
            legacy="awnas_text.legacy:ptb",
            summary="Penn Treebank, or any corpus in its format.",
        ),
        ComponentSpec(
            kind="weights_manager",
            name="rnn-supernet",
            target="awnas_text.supernet:RnnSuperNet",
            rollouts=("discrete",),
            data_types=SEQUENCE,
            legacy="awnas_text.legacy:language_model",
            summary="Shared weights for every activation between the nodes of a recurrent cell.",
        ),
        ComponentSpec(
            kind="weights_manager",
            name="rnn-diff-supernet",
            target="awnas_text.diff_supernet:RnnDiffSuperNet",
            rollouts=("differentiable", "discrete"),
            data_types=SEQUENCE,
            legacy="awnas_text.legacy:language_model",
            summary="Shared weights for mixtures of activations: DARTS on recurrent cells.",
        ),
        ComponentSpec(
            kind="objective",
            name="language",
            target="awnas_text.objective:LanguageObjective",
            data_types=SEQUENCE,
            legacy="awnas_text.legacy:objective",
            summary="Cross-entropy of the next token to train on, perplexity to search by.",
        ),
        ComponentSpec(
            kind="final_model",
            name="rnn-model",
            target="awnas_text.final_model:RnnModel",
            data_types=SEQUENCE,
            legacy="awnas_text.legacy:language_model",
            summary="The language model of one recurrent cell.",
        ),
        ComponentSpec(
            kind="final_trainer",
            name="rnn-trainer",
            target="awnas_text.trainer:RnnTrainer",
            data_types=SEQUENCE,
            legacy="awnas_text.legacy:trainer",
            summary="Trains a language model: SGD, averaged once it stops improving.",
        ),
    ]


@hookimpl
def awnas_presets() -> list[PresetSpec]:
    """Searches and a training on the text that ships."""
    return [
        PresetSpec(
            name="enas-shakespeare",
            path="awnas_text:presets/enas-shakespeare.yaml",
            summary="ENAS over recurrent cells that write like Shakespeare, in minutes.",
            trials=(
                SMALL_SEARCH,
                (
                    *SMALL_SEARCH,
                    "dataset_type=ptb",
                    "dataset_cfg={merge_valid: true}",
                    "weights_manager_cfg.share_from_weights=true",
                ),
            ),
        ),
        PresetSpec(
            name="darts-shakespeare",
            path="awnas_text:presets/darts-shakespeare.yaml",
            summary="DARTS over recurrent cells that write like Shakespeare, in minutes.",
            trials=(SMALL,),
        ),
        PresetSpec(
            name="shakespeare-final",
            kind="final",
            path="awnas_text:presets/shakespeare-final.yaml",
            summary="Trains a recurrent cell to write like Shakespeare.",
            trials=(
                SMALL_FINAL,
                (
                    *SMALL_FINAL,
                    "dataset_type=text-file",
                    "dataset_cfg={file: own.txt, level: word, vocabulary_size: 50}",
                    "final_trainer_cfg.batch_size=4",
                    "final_trainer_cfg.eval_batch_size=2",
                ),
            ),
        ),
    ]
