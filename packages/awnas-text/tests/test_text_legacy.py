"""Options of an older layer: each is used, renamed or dropped with a reason."""

import inspect

from awnas_text import legacy
from awnas_text.final_model import RnnModel
from awnas_text.language_model import LanguageModel
from awnas_text.trainer import RnnTrainer

SUPERNET = {
    "num_tokens": 10000, "num_emb": 300, "num_hid": 300, "tie_weight": True, "decoder_bias": True,
    "share_primitive_weights": False, "share_from_weights": False, "batchnorm_step": False, "batchnorm_edge": False,
    "batchnorm_out": True, "max_grad_norm": 5.0, "dropout_emb": 0.1, "dropout_inp0": 0.2, "dropout_inp": 0.2,
    "dropout_hid": 0.2, "dropout_out": 0.2, "candidate_virtual_parameter_only": False,
    "candidate_cache_named_members": False, "candidate_member_mask": True, "candidate_eval_no_grad": True,
}  # fmt: skip
TRAINER = {
    "epochs": 600, "batch_size": 256, "eval_batch_size": 10, "learning_rate": 25.0, "momentum": 0.0,
    "optimizer_scheduler": None, "weight_decay": 3e-4, "bptt_steps": 35, "reset_hidden_prob": None, "rnn_act_reg": 0.0,
    "rnn_slowness_reg": 0.0, "random_bptt": True, "valid_decay_window": 5, "save_as_state_dict": False,
}  # fmt: skip


def options_of(*classes):
    parameters = [p for cls in classes for p in inspect.signature(cls.__init__).parameters.values()]
    return {p.name for p in parameters if p.kind is p.KEYWORD_ONLY}


def test_every_option_of_a_supernet_and_of_the_final_model_has_its_fate():
    for given, classes in (
        (SUPERNET, (LanguageModel,)),
        ({**SUPERNET, "genotypes": "…"}, (LanguageModel, RnnModel)),
    ):
        kept, notes = legacy.language_model(given)
        assert set(kept) <= options_of(*classes)
        assert len(kept) + len(notes) == len(given)


def test_every_option_of_the_trainer_has_its_fate():
    kept, notes = legacy.trainer(TRAINER)
    assert set(kept) <= options_of(RnnTrainer)
    assert [note.split(":")[0] for note in notes] == ["reset_hidden_prob", "save_as_state_dict"]


def test_the_older_corpus_trained_on_both_texts_and_todays_does_when_asked_to():
    assert legacy.ptb({"shuffle": True})[0] == {"merge_valid": True}
    assert legacy.ptb({"relative_dir": "wikitext"}) == ({"relative_dir": "wikitext"}, [])
    assert legacy.ptb({"shuffle": False, "merge_valid": False})[0] == {"merge_valid": False}


def test_a_list_of_perfs_is_no_option_of_the_objective():
    kept, (note,) = legacy.objective({"reward_c": 80.0, "aggregate_as_list": True})
    assert kept == {"reward_c": 80.0}
    assert "aggregate_as_list" in note
