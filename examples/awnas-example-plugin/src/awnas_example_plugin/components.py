"""The two components; their constructors are the schema of their options."""

from awnas_core import Controller, Goal, Purpose
from awnas_training.objectives.classification import ClassificationObjective


class HillClimber(Controller):
    def __init__(self, search_space, rng):
        self.space, self.rng, self.best = search_space, rng, None

    def sample(self, n, purpose=Purpose.PROPOSE):
        if self.best is None:
            return self.space.random_samples(n, self.rng)
        if purpose == Purpose.DERIVE:
            return [self.best.fresh() for _ in range(n)]
        return [self.space.mutate(self.best, self.rng) for _ in range(n)]

    def step(self, rollouts):
        ranked = [r for r in [*rollouts, self.best] if r is not None and r.reward is not None]
        self.best = max(ranked, key=lambda r: r.reward, default=self.best)
        return {}

    def state(self):
        return {"best": self.best and self.best.to_record()}

    def load_state(self, state):
        self.best = state["best"] and self.space.rollout_class.from_record(state["best"], self.space)


class CalmObjective(ClassificationObjective):
    def goals(self):
        return (Goal(metric="acc"), Goal(metric="loss", direction="min", coefficient=0.1))
