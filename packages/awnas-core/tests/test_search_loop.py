"""The simple loop: which steps happen when, what is learnt, and that a run goes on exactly where it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from awnas_core import Purpose
from awnas_core.errors import ConfigError
from awnas_core.plugins.hooks import hookimpl
from awnas_core.run.checkpoint import CheckpointStore
from awnas_core.run.observers import Observers
from awnas_core.run.random_streams import RandomStreams
from awnas_core.run.run import Run
from awnas_core.search.loop import SimpleTrainer
from awnas_core.testing.toys import ToyController, ToyEvaluator, ToySpace


class Diary:
    """A controller and an evaluator that write down what is asked of them."""

    def __init__(self) -> None:
        self.lines: list[str] = []


class DiaryEvaluator(ToyEvaluator):
    def __init__(self, space, rng, diary, **options):
        super().__init__(space, rng, **options)
        self.diary = diary

    def update_evaluator(self, controller):
        controller.sample(1, Purpose.TRAIN_WEIGHTS)
        self.diary.lines.append("weights")
        return {"loss": 1.0}

    def suggested_evaluator_steps(self):
        return 3


class DiaryController(ToyController):
    def __init__(self, space, rng, diary):
        super().__init__(space, rng)
        self.diary = diary

    def step(self, rollouts):
        self.diary.lines.append(f"learn{len(rollouts)}")
        return super().step(rollouts)


def parts(seed=0, folder=None, observers=(), evaluator_options=None, **options):
    streams, diary = RandomStreams(seed), Diary()
    space = ToySpace(num_decisions=5)
    controller = DiaryController(space, streams.get("controller"), diary)
    evaluator = DiaryEvaluator(space, streams.get("evaluator"), diary, **(evaluator_options or {"steps": 2}))
    trainer = SimpleTrainer(controller, evaluator, **({"epochs": 1, "test_every": None} | options))
    components = {"search_space": space, "controller": controller, "evaluator": evaluator, "trainer": trainer}
    return trainer, Run(components, streams, folder=folder, observers=Observers(observers)), diary


def days(**options) -> list[str]:
    """What happened in each epoch."""
    trainer, run, diary = parts(observers=[marker := Marker()], **options)
    marker.diary = diary
    with run:
        trainer.train(run)
    return "".join(line if line.startswith("|") else f"{line} " for line in diary.lines).split("|")[1:]


class Marker:
    @hookimpl
    def awnas_epoch_started(self, epoch):
        self.diary.lines.append("|")


def test_an_epoch_is_an_evaluator_phase_and_then_a_controller_phase_of_the_suggested_lengths():
    assert days() == ["weights weights weights learn1 learn1 "]


def test_given_step_counts_win_over_suggestions_and_zero_leaves_a_phase_out():
    assert days(evaluator_steps=1, controller_steps=3) == ["weights learn1 learn1 learn1 "]
    assert days(evaluator_steps=0, controller_samples=4) == ["learn4 learn4 "]
    assert days(controller_steps=0) == ["weights weights weights "]


def test_interleaving_puts_a_controller_step_after_every_so_many_evaluator_steps():
    assert days(interleave_controller_every=2) == ["weights weights learn1 weights weights learn1 "]


def test_the_controller_learns_only_in_the_epochs_that_were_asked_for():
    options = {"epochs": 7, "evaluator_steps": 0, "controller_steps": 1}
    learnt = days(
        **options, controller_train_begin=2, controller_train_every=3, addi_controller_train_epochs=(1, 4)
    )
    assert [bool(day) for day in learnt] == [False, False, True, True, False, True, False]


def test_step_counts_that_contradict_the_interleaving_are_refused():
    given = {"interleave_controller_every": 2, "controller_steps": 3, "evaluator_steps": 5}
    with pytest.raises(ConfigError, match="= 6, got 5"):
        SimpleTrainer.check_options(given)
    SimpleTrainer.check_options(given | {"evaluator_steps": 6})


def test_an_evaluator_without_a_suggestion_needs_controller_steps_in_the_config():
    trainer, run, _ = parts()
    trainer.evaluator.suggested_controller_steps = lambda: None
    with pytest.raises(ConfigError, match="controller_steps"), run:
        trainer.train(run)


def test_the_search_finds_the_known_optimum_and_derives_best_first():
    trainer, run, _ = parts(epochs=10, controller_samples=20, derive_samples=4)
    with run:
        trainer.train(run)
    derived = trainer.derive()
    assert derived[0].arch == run.components["search_space"].optimum
    assert [r.reward for r in derived] == sorted((r.reward for r in derived), reverse=True)


def test_failed_architectures_come_last_when_derived():
    trainer, _, _ = parts(derive_samples=6, evaluator_options={"fail_every": 2})
    statuses = [rollout.status for rollout in trainer.derive()]
    assert statuses == ["ok"] * 3 + ["failed"] * 3


def test_schedules_reach_the_trainer_at_every_epoch():
    from awnas_core.schedule import parse_schedule

    trainer, run, diary = parts(epochs=3, evaluator_steps=0, controller_steps=1)
    trainer.schedules = {
        "controller_samples": parse_schedule({"type": "value", "boundary": [1, 3], "value": [2, 5]})
    }
    with run:
        trainer.train(run)
    assert diary.lines == ["learn2", "learn2", "learn5"]


class Killer:
    """Interrupts a run at one of its events, as a signal would."""

    def __init__(self, event: int) -> None:
        self.left = event

    @hookimpl
    def awnas_step_finished(self, step):
        self._count()

    @hookimpl
    def awnas_epoch_started(self, epoch):
        self._count()

    @hookimpl
    def awnas_checkpoint_saved(self, epoch):
        self._count()

    def _count(self):
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


OPTIONS = {
    "epochs": 4,
    "test_every": 2,
    "derive_samples": 3,
    "evaluator_options": {"noise": 0.5, "fail_every": 7},
}


def outcome(trainer, folder: Path) -> tuple[list[dict], list[dict]]:
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    for row in rows:
        row.pop("time")
    derived = [rollout.to_record() for rollout in trainer.derive()]
    for record in derived:
        record["evaluation"].pop("id")
    return rows, derived


@pytest.mark.parametrize("event", [1, 2, 5, 9, 14, 20, 27])
def test_a_run_interrupted_anywhere_ends_like_one_that_never_was(tmp_path, event):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    trainer, run, _ = parts(seed=5, folder=whole, **OPTIONS)
    with run:
        trainer.train(run)
    expected = outcome(trainer, whole)

    trainer, run, _ = parts(seed=5, folder=broken, observers=[Killer(event)], **OPTIONS)
    with pytest.raises(KeyboardInterrupt), run:
        trainer.train(run)
    trainer, run, _ = parts(seed=5, folder=broken, **OPTIONS)
    checkpoint = CheckpointStore(broken).newest_whole()
    if checkpoint is not None:
        run.resume(checkpoint)
    with run:
        trainer.train(run)
    assert outcome(trainer, broken) == expected


def test_an_observer_that_raises_is_switched_off_with_one_warning():
    class Bad:
        calls = 0

        @hookimpl
        def awnas_step_finished(self, step):
            self.calls += 1
            raise ValueError("boom")

    bad = Bad()
    trainer, run, _ = parts(epochs=2, observers=[bad])
    with pytest.warns(UserWarning, match="boom") as caught, run:
        trainer.train(run)
    assert bad.calls == 1
    assert len(caught) == 1


def test_every_event_is_told_in_order():
    class Listener:
        def __init__(self):
            self.heard = []

        @hookimpl
        def awnas_run_started(self):
            self.heard.append("run")

        @hookimpl
        def awnas_epoch_started(self, epoch):
            self.heard.append(f"epoch {epoch}")

        @hookimpl
        def awnas_rollouts_evaluated(self, rollouts, purpose):
            self.heard.append(f"{len(rollouts)} {purpose}")

        @hookimpl
        def awnas_epoch_finished(self, epoch, metrics):
            self.heard.append(sorted(metrics))

        @hookimpl
        def awnas_run_finished(self, status):
            self.heard.append(status)

    listener = Listener()
    trainer, run, _ = parts(evaluator_steps=1, controller_steps=1, controller_samples=2, observers=[listener])
    with run:
        trainer.train(run)
    names = [
        "controller/accuracy",
        "controller/cost",
        "controller/loss",
        "controller/reward",
        "evaluator/loss",
    ]
    assert listener.heard == ["run", "epoch 1", "2 propose", names, "done"]
