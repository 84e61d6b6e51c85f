"""Every promise of the test kit is broken by some component, and the kit notices."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from awnas_core import Batch, Dataset, Evaluation, Mean, Metric, Objective
from awnas_core.testing import (
    ControllerContract,
    DatasetContract,
    EvaluatorContract,
    ObjectiveContract,
    SearchSpaceContract,
    same,
)
from awnas_core.testing.toys import ToyController, ToyEvaluator, ToySpace


class DrawsGlobally(ToyController):
    def sample(self, n, *purpose):
        self.rng = np.random.default_rng(np.random.randint(1000))  # noqa: NPY002 - what the contract forbids
        return super().sample(n, *purpose)


class Unseeded(ToyController):
    def __init__(self, search_space, rng):
        super().__init__(search_space, np.random.default_rng())


class Forgetful(ToyController):
    def load_state(self, state):
        pass


class Unsavable(ToyController):
    def state(self):
        return super().state() | {"space": self.search_space}


class Fussy(ToyController):
    def step(self, rollouts):
        return {"loss": -float(np.mean([rollout.perf["reward"] for rollout in rollouts]))}


class WaitsForAll(ToyController):
    def sample(self, n, *purpose):
        self.out = getattr(self, "out", 0) + n
        return super().sample(n, *purpose)

    def step(self, rollouts):
        assert len(rollouts) == self.out, "some are missing"
        self.out = 0
        return super().step(rollouts)


class Generous(ToyController):
    def sample(self, n, *purpose):
        return super().sample(n + 1, *purpose)


class Stale(ToyController):
    def sample(self, n, *purpose):
        return [rollout.record(Evaluation()) for rollout in super().sample(n, *purpose)]


class NeedsToLearnFirst(ToyController):
    def sample(self, n, purpose="propose"):
        assert purpose != "derive" or self.best is not None, "nothing is known yet"
        return super().sample(n, purpose)


class Wordy(ToyController):
    def step(self, rollouts):
        return {"loss": "small"}


class Hidebound(ToyController):
    def configure_optimizer(self, optimizer, scheduler=None, *, perf_name="reward"):
        raise TypeError("no optimizer, please")


class AsksForTheUnknown(ToyController):
    def __init__(self, search_space, rng, population=10):
        super().__init__(search_space, rng)


class SchedulesNothing(ToyController):
    schedulable = ("temperature",)


class HatesEpochs(ToyController):
    def on_epoch_end(self, epoch):
        raise RuntimeError("epochs never end")


class LosesOptions(ToyController):
    def __init__(self, search_space, rng, *, point: tuple[float, float] = (0.0, float("nan"))):
        super().__init__(search_space, rng)


class Demanding(ToyController):
    def __init__(self, search_space, rng, *, size: int):
        super().__init__(search_space, rng)


CONTROLLERS = [
    (DrawsGlobally, "equal_generators_give_equal_components"),
    (DrawsGlobally, "it_leaves_the_global_generators_alone"),
    (Unseeded, "equal_generators_give_equal_components"),
    (Forgetful, "its_state_survives_the_disk"),
    (Forgetful, "a_resumed_one_goes_on_as_if_never_stopped"),
    (Unsavable, "its_state_survives_the_disk"),
    (Fussy, "it_outlives_failed_and_infeasible_results"),
    (WaitsForAll, "it_takes_results_one_by_one_in_any_order"),
    (WaitsForAll, "it_takes_a_part_of_what_it_proposed_while_more_is_asked_for"),
    (Generous, "it_samples_as_many_as_asked_for_fresh_and_of_the_space"),
    (Stale, "it_samples_as_many_as_asked_for_fresh_and_of_the_space"),
    (NeedsToLearnFirst, "it_derives_before_and_after_it_has_learnt"),
    (Wordy, "its_statistics_and_summary_are_plain_numbers"),
    (Hidebound, "it_takes_the_optimizer_settings_of_a_trainer"),
    (WaitsForAll, "proposals_under_way_at_a_checkpoint_can_still_be_reported"),
    (AsksForTheUnknown, "every_collaborator_it_asks_for_can_be_injected"),
    (SchedulesNothing, "what_it_declares_schedulable_is_an_attribute"),
    (HatesEpochs, "epochs_can_start_and_end"),
    (LosesOptions, "its_options_survive_json"),
    (Demanding, "the_defaults_and_required_options_are_enough_to_make_it"),
]


class ReadsNothing(ToySpace):
    def parse(self, text):
        return self.optimum


class SaysNothing(ToySpace):
    def genotype(self, arch):
        return "toy(0, 0, 0, 0)"


class TakesAnything(ToySpace):
    def check_arch(self, arch):
        return tuple(arch)


class DrawsAsItLikes(ToySpace):
    def sample_codes(self, n, rng):
        return super().sample_codes(n, np.random.default_rng())


class DrawsOutside(ToySpace):
    def sample_codes(self, n, rng):
        return super().sample_codes(n, rng) + 1


class ScramblesCodes(ToySpace):
    def encode_codes(self, rollouts):
        return super().encode_codes(rollouts)[:, ::-1]


class NeverMutates(ToySpace):
    def mutate_codes(self, codes, rng):
        return codes.copy()


class MutatesTheParent(ToySpace):
    def mutate_codes(self, codes, rng):
        codes[:] = super().mutate_codes(codes, rng)
        return codes


class CrossesOutside(ToySpace):
    def crossover_codes(self, a, b, rng):
        return a + b


class MovingKeys(ToySpace):
    def key(self, arch):
        return id(self), arch


class Lopsided(ToySpace):
    def distance(self, a, b):
        return super().distance(a, b) + int(a.arch < b.arch)


class Miscounted(ToySpace):
    def size(self):
        return super().size() + 1


class Undrawn(ToySpace):
    def plot(self, rollout, path):
        return [path.with_suffix(".svg")]


class Unrecorded(ToySpace):
    def check_arch(self, arch):
        return self.optimum


SPACES = [
    (ReadsNothing, "genotype_text_describes_the_architecture"),
    (SaysNothing, "genotype_text_describes_the_architecture"),
    (ReadsNothing, "other_text_is_refused"),
    (TakesAnything, "codes_out_of_range_are_refused"),
    (DrawsAsItLikes, "equal_generators_give_equal_samples"),
    (DrawsOutside, "samples_are_architectures"),
    (ScramblesCodes, "codes_and_rollouts_translate_into_each_other"),
    (NeverMutates, "a_mutation_is_another_architecture"),
    (MutatesTheParent, "mutations_in_batches_leave_the_parents_as_they_are"),
    (CrossesOutside, "a_crossover_is_an_architecture"),
    (MovingKeys, "the_key_is_that_of_the_architecture"),
    (Lopsided, "distance_is_symmetric_and_zero_for_equals"),
    (Unrecorded, "a_record_describes_the_rollout"),
    (Miscounted, "enumeration_has_every_architecture_once"),
    (Undrawn, "drawings_are_files"),
]


class Reversing(ToyEvaluator):
    def evaluate_rollouts(self, rollouts, *args, **options):
        return super().evaluate_rollouts(rollouts, *args, **options)[::-1]


class Repeating(ToyEvaluator):
    def _evaluate(self, rollout):
        return Evaluation(perf={"reward": 1.0}, id="7")


class Rewardless(ToyEvaluator):
    def _evaluate(self, rollout):
        return Evaluation(perf={"accuracy": 1.0})


class Lenient(ToyEvaluator):
    def evaluate_rollouts(self, rollouts, *args, **options):
        for rollout in rollouts:
            rollout._evaluation = Evaluation(perf={"reward": 1.0})
        return list(rollouts)


class Hasty(ToyEvaluator):
    def suggested_controller_steps(self):
        return 0


class Double(ToyEvaluator):
    def queue_indices(self):
        return {"train": [1, 2, 2]}


class Silent(ToyEvaluator):
    def update_evaluator(self, controller):
        return {"loss": None}


EVALUATORS = [
    (Reversing, "every_rollout_gets_its_evaluation_in_order"),
    (Repeating, "every_rollout_gets_its_evaluation_in_order"),
    (Rewardless, "what_went_well_has_a_finite_reward_and_plain_numbers"),
    (Lenient, "an_evaluation_is_not_overwritten"),
    (Silent, "its_own_training_reports_numbers"),
    (Hasty, "suggested_numbers_of_steps_are_positive_or_none"),
    (Double, "the_indices_of_its_queues_are_numbers_without_repetition"),
]


class Error(Objective):
    """The mean absolute error: an objective that keeps the contract."""

    accumulator = type("OfError", (Mean,), {"update": lambda self, b: Mean.update(self, (b.loss, b.size))})

    def metrics(self):
        return (Metric("error", "min"),)

    def get_loss(self, inputs, outputs, targets, **context):
        return float(np.abs(outputs - targets).mean())

    def accumulators(self):
        return {"error": self.accumulator()}


class Ambiguous(Error):
    def metrics(self):
        return super().metrics() * 2


class Unmeasured(Error):
    def accumulators(self):
        return {}


class WrongWay(Error):
    def goals(self):
        (goal,) = super().goals()
        return (type(goal)(metric="error", direction="max"),)


class MeanOfMeans(Error):
    class accumulator(Error.accumulator):
        def state(self):
            return {"total": self.compute(), "weight": 1.0}


class ZeroOfNothing(Error):
    class accumulator(Error.accumulator):
        def compute(self):
            return super().compute() if self._weight else 0.0


class Perverse(Error):
    def reward(self, perf, goals=None):
        return perf["error"]


class Boundless(Error):
    def get_loss(self, inputs, outputs, targets, **context):
        return float("inf")


class ErrorContract(ObjectiveContract):
    component = Error

    def batches(self):
        sizes = ((2.0, 3), (5.0, 1))
        return [Batch(None, np.ones(n), np.zeros(n), loss=total, size=n) for total, n in sizes]


OBJECTIVES = [
    (Ambiguous, "metrics_have_different_names"),
    (Unmeasured, "there_is_an_accumulator_for_every_metric_on_data"),
    (WrongWay, "goals_are_among_the_metrics"),
    (MeanOfMeans, "parts_merge_into_the_value_over_everything"),
    (ZeroOfNothing, "nothing_measured_is_not_a_number"),
    (Perverse, "a_better_metric_gives_a_larger_reward"),
    (Boundless, "the_loss_is_one_number_or_none"),
]


class Dots(Dataset):
    """A data set that keeps the contract."""

    def splits(self):
        item = (np.zeros((1, 2, 2)), 1)
        return {"train": [item] * 3, "plain": [item] * 3}

    def facts(self):
        return {"num_classes": 2, "input_shape": (1, 2, 2)}

    def views(self):
        return {"plain": "train"}


class Empty(Dots):
    def splits(self):
        return {"train": []}


class Odd(Dots):
    def facts(self):
        return {"favourite_colour": "blue"}


class Misshapen(Dots):
    def facts(self):
        return {"input_shape": (3, 2, 2)}


class ShortView(Dots):
    def splits(self):
        return super().splits() | {"plain": []}


class Restless(Dots):
    def splits(self):
        return {"train": [(np.random.default_rng().random((1, 2, 2)), 1)]}


DATASETS = [
    (Empty, "there_are_splits_with_items"),
    (Odd, "facts_are_ones_that_the_kind_offers"),
    (Misshapen, "items_have_the_shape_that_is_stated"),
    (ShortView, "views_are_of_splits_of_equal_length"),
    (Restless, "an_item_is_the_same_each_time_it_is_read_with_one_seed"),
]

BROKEN = [
    (contract, component, f"test_{promise}")
    for contract, cases in (
        (ControllerContract, CONTROLLERS),
        (SearchSpaceContract, SPACES),
        (EvaluatorContract, EVALUATORS),
        (ErrorContract, OBJECTIVES),
        (DatasetContract, DATASETS),
    )
    for component, promise in cases
]


class TestError(ErrorContract):
    pass


class TestDots(DatasetContract):
    component = Dots


def keep(contract, component, promise, tmp_path):
    test = getattr(type("Contract", (contract,), {"component": component})(), promise)
    return test(tmp_path) if inspect.signature(test).parameters else test()


@pytest.mark.parametrize(
    ("contract", "component", "promise"), BROKEN, ids=lambda value: getattr(value, "__name__", value)
)
def test_a_broken_promise_is_noticed(contract, component, promise, tmp_path):
    with pytest.raises(Exception):  # noqa: B017, PT011 - of whatever kind
        keep(contract, component, promise, tmp_path)


def test_no_promise_is_left_unbroken():
    contracts = (
        ControllerContract,
        SearchSpaceContract,
        EvaluatorContract,
        ObjectiveContract,
        DatasetContract,
    )
    promised = {name for contract in contracts for name in dir(contract) if name.startswith("test_")}
    assert promised == {promise for _, _, promise in BROKEN}


def test_equality_reaches_into_containers_arrays_and_nan():
    value = {"a": [1.0, (np.array([1.0, np.nan]), "x")], "b": float("nan"), "c": None}
    assert same(value, {"a": [1.0, [np.array([1.0, np.nan]), "x"]], "b": float("nan"), "c": None})
    for other in ({**value, "b": 1.0}, {**value, "d": 1}, {**value, "a": [1.0]}, {**value, "c": np.zeros(1)}):
        assert not same(value, other)
    assert not same(np.array(["a"]), np.array(["b"]))
