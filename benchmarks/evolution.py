"""What controllers that learn from results cost by themselves, as the search gets longer.

    python benchmarks/evolution.py [EVALUATIONS]

One architecture is proposed and reported at a time; its perf costs next to nothing. A line for each controller: steps a
second of processor time in each tenth of the search, which should not fall, and by how much the process grew after the
first tenth. 100,000 evaluations unless told otherwise.
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np

from awnas_controllers.evolution.cars import CarsController
from awnas_controllers.evolution.evo import EvoController
from awnas_controllers.evolution.pareto_evo import ParetoEvoController
from awnas_controllers.local_search import LocalSearchController
from awnas_controllers.simulated_annealing import SaController
from awnas_core import Evaluation, Goal
from awnas_core.roles.controller import Controller
from awnas_spaces.cnn import CnnSpace

SPACE = CnnSpace()
GOALS = (Goal(metric="reward"), Goal(metric="cost", direction="min"))


def step(controller: Controller) -> None:
    """Propose one architecture and learn from it."""
    (rollout,) = controller.sample(1)
    arch = rollout.arch
    reward = (sum(code * code for code in arch) % 1009) / 1009
    controller.step([rollout.record(Evaluation(perf={"reward": reward, "cost": float(sum(arch))}))])


def megabytes() -> float:
    """Return the most memory that the process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(controller: Controller, evaluations: int) -> tuple[list[float], float]:
    """Return steps a second in each tenth, and the growth after the first of them in megabytes."""
    rates, before = [], 0.0
    for tenth in range(10):
        start = time.process_time()
        for _ in range(evaluations // 10):
            step(controller)
        rates.append(evaluations / 10 / (time.process_time() - start))
        before = before if tenth else megabytes()
    return rates, megabytes() - before


def main(evaluations: int) -> None:
    """Measure and print a table."""
    rng = np.random.default_rng
    controllers: dict[str, Controller] = {
        "evo": EvoController(SPACE, rng(0)),
        "evo, by perf": EvoController(SPACE, rng(0), elimination_strategy="perf"),
        "sa": SaController(SPACE, rng(0)),
        "local-search": LocalSearchController(SPACE, rng(0)),
        "pareto-evo": ParetoEvoController(SPACE, rng(0), GOALS),
        "cars": CarsController(SPACE, rng(0), GOALS),
    }
    print(f"{'':14}{'steps a second, tenth by tenth':70}{'growth':>8}")
    for name, controller in controllers.items():
        rates, growth = measure(controller, evaluations)
        print(f"{name:14}{''.join(f'{value:7,.0f}' for value in rates)}{growth:6.1f} MB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
