"""What every predictor promises: tests to inherit."""

# ruff: noqa: D102 - the names of tests are sentences

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from awnas_core.decisions import Codes
from awnas_core.roles.search_space import SearchSpace
from awnas_core.testing.component import ComponentContract
from awnas_predictors.predictor import Floats, Predictor
from awnas_spaces.nasbench201 import NasBench201Space


class PredictorContract(ComponentContract):
    """Tests that every predictor passes; on cells of NAS-Bench-201 unless told otherwise."""

    kind: ClassVar[str] = "predictor"

    def space(self) -> SearchSpace:
        """Return the search space of the tests."""
        return NasBench201Space()

    def collaborators(self) -> Mapping[str, Any]:
        """Return the search space."""
        return {"search_space": self.space()}

    def worth(self, codes: Codes) -> Floats:
        """Return what architectures are worth in these tests: the share of decisions for the highest code."""
        return np.asarray((codes == self.space().decisions.cardinalities - 1).mean(1))

    def fitted(self, predictor: Predictor, count: int = 60, seed: int = 3) -> Predictor:
        """Fit a predictor to random architectures and return it."""
        codes = self.space().sample_codes(count, np.random.default_rng(1))
        predictor.fit(codes, self.worth(codes), np.random.default_rng(seed))
        return predictor

    def unseen(self) -> Codes:
        """Return other random architectures."""
        return self.space().sample_codes(60, np.random.default_rng(2))

    def use(self, component: Predictor) -> Any:
        """Fit, and predict."""
        prediction = self.fitted(component).predict(self.unseen())
        return prediction.mean, prediction.deviation

    def test_it_orders_architectures_it_has_not_seen(self) -> None:
        codes = self.unseen()
        found, worth = self.fitted(self.made()).predict(codes).mean, self.worth(codes)
        order = np.sign(found[:, None] - found) * np.sign(worth[:, None] - worth)
        assert order.sum() > 0.5 * np.abs(np.sign(worth[:, None] - worth)).sum()

    def test_predictions_are_finite_and_deviations_not_negative(self) -> None:
        predictor = self.fitted(self.made())
        prediction = predictor.predict(self.unseen())
        assert prediction.mean.shape == prediction.deviation.shape == (60,)
        assert np.isfinite(prediction.mean).all()
        assert (prediction.deviation > 0).any() == predictor.knows_deviation
        assert (prediction.deviation >= 0).all()

    def test_fitting_forgets_what_was_learnt_before(self) -> None:
        fresh, used = self.made(), self.made()
        codes = self.space().sample_codes(30, np.random.default_rng(5))
        used.fit(codes, -self.worth(codes), np.random.default_rng(9))
        for one, other in zip(self.use(fresh), self.use(used), strict=True):
            np.testing.assert_array_equal(one, other)

    def test_an_architecture_is_predicted_alone_as_among_others(self) -> None:
        predictor, codes = self.fitted(self.made()), self.unseen()
        alone = np.concatenate([predictor.predict(codes[i : i + 1]).mean for i in range(5)])
        np.testing.assert_allclose(alone, predictor.predict(codes).mean[:5], rtol=1e-4, atol=1e-5)

    def test_equal_targets_and_a_single_architecture_can_be_learnt_from(self) -> None:
        predictor, codes = self.made(), self.unseen()
        for count in (1, 20):
            predictor.fit(codes[:count], np.full(count, 0.5), np.random.default_rng(0))
            assert np.isfinite(predictor.predict(codes).mean).all()
