"""What every controller promises."""

# ruff: noqa: D102 - the names of tests are sentences

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from awnas_core.roles.controller import Controller
from awnas_core.roles.search_space import SearchSpace
from awnas_core.rollout import Evaluation, Purpose, RelaxedRollout, Rollout, as_numpy
from awnas_core.run.state import load_state, save_state
from awnas_core.testing.compare import same
from awnas_core.testing.component import ComponentContract
from awnas_core.testing.toys import ToySpace


class ControllerContract(ComponentContract):
    """Tests that every controller passes; on a toy space unless told otherwise."""

    kind: ClassVar[str] = "controller"

    def space(self) -> SearchSpace:
        """Return the search space of the tests."""
        return ToySpace()

    def collaborators(self) -> Mapping[str, Any]:
        """Return the search space."""
        return {"search_space": self.space()}

    def worth(self, rollout: Rollout) -> float:
        """Return the reward of an architecture in these tests."""
        return sum((i + 1) * code for i, code in enumerate(rollout.arch)) % 7 / 7

    def results(self, rollouts: Sequence[Rollout]) -> list[Rollout]:
        """Record that every rollout went well, with a gradient where it is relaxed, and return them."""
        for rollout in rollouts:
            worth = self.worth(rollout)
            rollout.record(Evaluation(perf={"reward": worth, "accuracy": worth}))
            if isinstance(rollout, RelaxedRollout):
                rollout.gradient = {key: -worth * as_numpy(value) for key, value in rollout.relaxed.items()}
        return list(rollouts)

    def use(self, component: Controller) -> Any:
        """Propose, learn from results out of order with a failed one among them, propose again."""
        first, second, third, fourth = component.sample(4)
        failed = second.record(Evaluation(status="failed", error="on purpose"))
        good = self.results([fourth, first, third])
        stats = component.step([good[0], failed, *good[1:]])
        chosen = component.sample(2, Purpose.DERIVE)
        return stats, [rollout.arch for rollout in (first, second, third, fourth, *chosen)]

    def test_it_samples_as_many_as_asked_for_fresh_and_of_the_space(self) -> None:
        controller, space = self.made(), self.space()
        for purpose in (Purpose.PROPOSE, Purpose.TRAIN_WEIGHTS):
            for n in (1, 3, 1):
                rollouts = controller.sample(n, purpose)
                assert len(rollouts) == n
                for rollout in rollouts:
                    assert rollout.status == "pending"
                    assert space.check_arch(rollout.arch) == rollout.arch

    def test_it_derives_before_and_after_it_has_learnt(self) -> None:
        controller, space = self.made(), self.space()
        for _ in range(2):
            derived = controller.sample(2, Purpose.DERIVE)
            assert derived
            for rollout in derived:
                assert rollout.status == "pending"
                space.check_arch(rollout.arch)
            controller.step(self.results(controller.sample(3)))

    def test_it_takes_results_one_by_one_in_any_order(self) -> None:
        controller = self.made()
        for result in self.results(controller.sample(4))[::-1]:
            assert isinstance(controller.step([result]), dict)
        assert len(controller.sample(2)) == 2

    def test_it_takes_a_part_of_what_it_proposed_while_more_is_asked_for(self) -> None:
        controller = self.made()
        early, late = controller.sample(3), controller.sample(3)
        controller.step(self.results(late[1:]))
        controller.sample(2)
        controller.step(self.results([*early[:2], late[0]]))
        assert len(controller.sample(2)) == 2

    def test_it_outlives_failed_and_infeasible_results(self) -> None:
        controller = self.made()
        first, second, third = controller.sample(3)
        first.record(Evaluation(status="failed", error="on purpose"))
        second.record(Evaluation(status="infeasible", perf={"latency_ms": 9.0}, error="on purpose"))
        controller.step([second, first])
        controller.step([first, *self.results([third]), second])
        assert len(controller.sample(2)) == 2

    def test_its_statistics_and_summary_are_plain_numbers(self) -> None:
        controller = self.made()
        rollouts = controller.sample(3)
        for values in (controller.summary(rollouts), controller.step(self.results(rollouts))):
            assert all(isinstance(name, str) and isinstance(value, float) for name, value in values.items())

    def test_it_takes_the_optimizer_settings_of_a_trainer(self) -> None:
        controller = self.made()
        controller.configure_optimizer({"type": "Adam", "lr": 0.01}, None, perf_name="accuracy")
        assert isinstance(controller.step(self.results(controller.sample(2))), dict)

    def test_proposals_under_way_at_a_checkpoint_can_still_be_reported(self, tmp_path: Path) -> None:
        through, resumed = self.made(), self.made()
        under_way = through.sample(3)
        records = [rollout.to_record() for rollout in under_way]
        save_state(tmp_path, through.state())
        resumed.load_state(load_state(tmp_path))
        space = self.space()
        rollout_class = type(under_way[0])
        reported = [rollout_class.from_record(record, space) for record in records]
        for rollout, twin in zip(self.results(under_way), reported, strict=True):
            twin.record(rollout.evaluation)  # the very same, since a controller may keep it
            if isinstance(twin, RelaxedRollout) and isinstance(rollout, RelaxedRollout):
                twin.gradient = rollout.gradient
        through.step(under_way)
        resumed.step(reported)
        assert same(resumed.state(), through.state())
