"""What every search space promises."""

# ruff: noqa: D102 - the names of tests are sentences

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from awnas_core.errors import GenotypeError
from awnas_core.roles.search_space import SearchSpace
from awnas_core.rollout import Evaluation
from awnas_core.testing.component import ComponentContract


class SearchSpaceContract(ComponentContract):
    """Tests that every search space of discrete architectures passes."""

    kind: ClassVar[str] = "search_space"
    samples: ClassVar[int] = 50
    """Random architectures that each test looks at."""
    countable: ClassVar[int] = 5_000
    """Spaces up to this size are enumerated."""

    def use(self, component: SearchSpace) -> Any:
        """Draw architectures; a space has no generator of its own."""
        return [rollout.arch for rollout in component.random_samples(3, np.random.default_rng(7))]

    def sampled(self) -> tuple[SearchSpace, Any, np.random.Generator]:
        """Return a space, random architectures of it, and a generator."""
        space, rng = self.made(), np.random.default_rng(3)
        return space, space.random_samples(self.samples, rng), rng

    def test_genotype_text_describes_the_architecture(self) -> None:
        space, rollouts, _ = self.sampled()
        for rollout in rollouts:
            text = str(rollout.genotype)
            assert space.parse(text) == rollout.arch
            assert str(space.genotype(space.parse(text))) == text
            assert hash(rollout.genotype) == hash(space.genotype(rollout.arch))

    def test_other_text_is_refused(self) -> None:
        space, (rollout, *_), _ = self.sampled()
        for text in ("", "nonsense", f"{rollout.genotype}{rollout.genotype}", "__import__('os')"):
            try:
                space.parse(text)
            except GenotypeError:
                continue
            raise AssertionError(f"{text!r} was taken for a genotype")

    def test_codes_out_of_range_are_refused(self) -> None:
        space, (rollout, *_), _ = self.sampled()
        for arch in (
            rollout.arch[:-1],
            (*rollout.arch, 0),
            (-1, *rollout.arch[1:]),
            (10**6, *rollout.arch[1:]),
        ):
            try:
                space.check_arch(arch)
            except GenotypeError:
                continue
            raise AssertionError(f"{arch} was taken for an architecture")

    def test_equal_generators_give_equal_samples(self) -> None:
        space, again = self.made(), self.made()
        first = space.random_samples(20, np.random.default_rng(5))
        assert first == again.random_samples(20, np.random.default_rng(5))
        assert first != again.random_samples(20, np.random.default_rng(6))
        assert space.fingerprint == again.fingerprint

    def test_samples_are_architectures(self) -> None:
        space, rollouts, _ = self.sampled()
        for rollout in rollouts:
            assert space.check_arch(list(rollout.arch)) == rollout.arch

    def test_codes_and_rollouts_translate_into_each_other(self) -> None:
        space, rollouts, _ = self.sampled()
        codes = space.encode_codes(rollouts)
        assert codes.shape == (len(rollouts), len(space.decisions))
        assert space.rollouts(codes) == rollouts
        assert [hash(rollout) for rollout in space.rollouts(codes)] == [hash(rollout) for rollout in rollouts]

    def test_a_mutation_is_another_architecture(self) -> None:
        space, rollouts, rng = self.sampled()
        for rollout in rollouts:
            child = space.mutate(rollout, rng)
            assert child.arch != rollout.arch
            space.check_arch(child.arch)
            assert space.distance(rollout, child) > 0

    def test_mutations_in_batches_leave_the_parents_as_they_are(self) -> None:
        space, rollouts, rng = self.sampled()
        parents = space.encode_codes(rollouts)
        children = space.mutate_codes(parents, rng)
        assert (parents == space.encode_codes(rollouts)).all()
        assert (children != parents).any(axis=1).all()
        space.decisions.check_codes(children)

    def test_a_crossover_is_an_architecture(self) -> None:
        space, rollouts, rng = self.sampled()
        for a, b in itertools.pairwise(rollouts):
            child = space.crossover(a, b, rng)
            space.check_arch(child.arch)
            assert space.crossover(a, a, rng) == a

    def test_the_key_is_that_of_the_architecture(self) -> None:
        space, rollouts, _ = self.sampled()
        again = self.made()
        for rollout in rollouts:
            assert hash(space.key(rollout.arch)) == hash(again.key(rollout.arch))
            assert space.key(rollout.arch) == again.key(space.parse(str(rollout.genotype)))
        assert len({space.key(rollout.arch) for rollout in rollouts}) > 1

    def test_distance_is_symmetric_and_zero_for_equals(self) -> None:
        space, rollouts, _ = self.sampled()
        for a, b in itertools.pairwise(rollouts):
            assert space.distance(a, a) == 0
            assert space.distance(a, b) == space.distance(b, a)

    def test_a_record_describes_the_rollout(self) -> None:
        _, rollouts, _ = self.sampled()
        for rollout in rollouts[:5]:
            rollout.record(Evaluation(perf={"reward": 0.5}))
            again = type(rollout).from_record(json.loads(json.dumps(rollout.to_record())), self.made())
            assert again == rollout
            assert dict(again.perf) == {"reward": 0.5}

    def test_enumeration_has_every_architecture_once(self) -> None:
        space, rollouts, _ = self.sampled()
        try:
            size = space.size()
        except ValueError:  # too large to count
            return
        if size > self.countable:
            return
        everything = list(space.enumerate())
        assert len(everything) == len(set(everything)) == size
        assert set(rollouts) <= set(everything)

    def test_drawings_are_files(self, tmp_path: Path) -> None:
        space, (rollout, *_), _ = self.sampled()
        for path in space.plot(rollout, tmp_path / "drawing"):
            assert path.parent == tmp_path
            assert path.stat().st_size > 0
