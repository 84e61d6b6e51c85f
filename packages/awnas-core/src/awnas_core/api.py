"""Searching, deriving, evaluating and training as functions: what the command line calls and a notebook can call."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from awnas_core.errors import ConfigError, GenotypeError
from awnas_core.layers import LayerSpec
from awnas_core.roles.controller import Controller
from awnas_core.roles.evaluator import Evaluator
from awnas_core.roles.final import FinalModel, FinalTrainer
from awnas_core.roles.search_space import SearchSpace
from awnas_core.roles.trainer import Trainer
from awnas_core.rollout import Purpose, Rollout
from awnas_core.run.options import RunOptions
from awnas_core.search.genotype_file import write_rollouts
from awnas_core.search.result_file import ResultFile
from awnas_core.search.unique import draw_accepted
from awnas_core.session import Session

SEARCH_ROLES = (
    "search_space",
    "dataset",
    "objective",
    "weights_manager",
    "controller",
    "evaluator",
    "trainer",
)
EVALUATION_ROLES = ("search_space", "dataset", "objective", "weights_manager", "evaluator")
FINAL_ROLES = ("search_space", "dataset", "objective", "final_model", "final_trainer")


def search(session: Session, options: RunOptions = RunOptions()) -> list[Rollout]:
    """Run a search to its end and return the derived rollouts, best first.

    Writes ``genotypes.yaml`` and, where there is data, ``queues.json`` into the run directory.

    Raises: ConfigError before anything is built or written; CheckpointError when there is nothing to resume.
    """
    resumed = session.enter(options)
    session.build(SEARCH_ROLES)
    evaluator: Evaluator = session.get("evaluator")
    trainer: Trainer = session.get("trainer")
    with session.run(options, resumed) as run:
        run.write_json("queues.json", evaluator.queue_indices())
        trainer.train(run)
        rollouts = trainer.derive()
        run.evaluated(rollouts, Purpose.DERIVE)
        if run.folder is not None:
            write_rollouts(run.folder / "genotypes.yaml", rollouts)
    return rollouts


def derive(
    session: Session,
    load: Path,
    n: int = 1,
    *,
    test: bool = False,
    steps: int | None = None,
    keep: Path | None = None,
) -> list[Rollout]:
    """Return the final choice of a finished or interrupted search.

    Args:
        session: The config of the search.
        load: Its run directory, or one checkpoint of it.
        n: How many architectures.
        test: Measure them and return the best first; otherwise they come as the controller gives them.
        steps: Batches for each measurement.
        keep: A genotype list that gets each result as soon as it is measured; what is in it already is not
            measured again.
    """
    checkpoint = session.open(load)
    session.build(SEARCH_ROLES if test else ("search_space", "controller"))
    session.load(checkpoint, generators=True)
    if not test:
        return _controller(session).sample(n, Purpose.DERIVE)
    trainer: Trainer = session.get("trainer")
    if keep is None:
        return trainer.derive(n, steps)
    kept = ResultFile(keep, session.get("search_space"))
    return trainer.derive(n, steps, known=kept.known, on_result=kept.append)


def sample(
    session: Session,
    load: Path,
    n: int = 1,
    *,
    unique: bool = False,
    prob_thresh: float | None = None,
) -> list[Rollout]:
    """Return what the controller of a run proposes.

    Args:
        session: The config of the search.
        load: Its run directory, or one checkpoint of it.
        n: How many architectures.
        unique: No two the same.
        prob_thresh: Leave out those that the controller draws with a smaller probability.

    Raises: SpaceExhaustedError when not enough turn up; ConfigError when the controller knows no probabilities.
    """
    checkpoint = session.open(load)
    session.build(("search_space", "controller"))
    session.load(checkpoint, generators=True)
    controller = _controller(session)
    accept = None if prob_thresh is None else lambda rollout: _probability(rollout) >= prob_thresh
    return draw_accepted(
        lambda wanted: _with_log_probs(controller, controller.sample(wanted, Purpose.PROPOSE)),
        n,
        session.get("search_space"),
        unique=unique,
        accept=accept,
    )


def random_sample(session: Session, n: int = 1, *, unique: bool = False) -> list[Rollout]:
    """Return ``n`` architectures drawn from the search space.

    Raises: SpaceExhaustedError when ``unique`` and the space holds fewer.
    """
    space: SearchSpace = session.get("search_space")
    rng = session.assembly.streams.get("random-sample")
    return draw_accepted(lambda wanted: space.random_samples(wanted, rng), n, space, unique=unique)


def evaluate(
    session: Session,
    genotypes: Iterable[str | Sequence[int]],
    load: Path | None = None,
    *,
    steps: int | None = None,
) -> list[Rollout]:
    """Measure given architectures, in order, with the weights of the checkpoint ``load`` where there is one.

    Raises: GenotypeError for the first that is not of the search space, before anything is measured.
    """
    checkpoint = None if load is None else session.open(load)
    rollouts = read_rollouts(session.get("search_space"), genotypes)
    session.build(EVALUATION_ROLES)
    if checkpoint is not None:
        session.load(checkpoint)
    evaluator: Evaluator = session.get("evaluator")
    return evaluator.evaluate_rollouts(rollouts, Purpose.DERIVE, steps=steps)


def train(session: Session, options: RunOptions = RunOptions()) -> FinalModel:
    """Train the architecture of a final-training config from scratch and return the model."""
    resumed = session.enter(options)
    session.build(FINAL_ROLES)
    trainer: FinalTrainer = session.get("final_trainer")
    with session.run(options, resumed) as run:
        trainer.train(run)
    model: FinalModel = session.get("final_model")
    return model


def test(session: Session, load: Path, splits: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return every metric of a trained model on each of ``splits``.

    Raises: ConfigError naming the splits there are, before any is measured.
    """
    checkpoint = session.open(load)
    session.build(FINAL_ROLES)
    known = session.get("dataset").splits()
    if unknown := [split for split in splits if split not in known]:
        raise ConfigError(f"no split {', '.join(unknown)}; the data set has {', '.join(known)}")
    session.load(checkpoint)
    trainer: FinalTrainer = session.get("final_trainer")
    return {split: trainer.evaluate_split(split) for split in splits}


@dataclass(frozen=True, slots=True)
class ShownArchitecture:
    """One architecture and the layers it has in the network of a config."""

    rollout: Rollout
    layers: list[LayerSpec]


def show(session: Session, genotype: str | Sequence[int] | None = None) -> ShownArchitecture:
    """Return an architecture with its layers, before any training.

    Args:
        session: A config of a search, or of a final training.
        genotype: Text or codes; None takes the genotype of a final-training config.

    Raises: ConfigError when there is no genotype; GenotypeError when it is not of the search space.
    """
    model_cfg = session.config.components.get("final_model")
    if genotype is None and model_cfg is not None:
        genotype = model_cfg.options.get("genotypes")
    if genotype is None:
        raise ConfigError("no architecture to show; give a genotype text or a genotype list after the config")
    rollout = read_rollouts(session.get("search_space"), [genotype])[0]
    if model_cfg is not None:
        return ShownArchitecture(rollout, session.get("final_model").layers())
    if "weights_manager" in session.config.components:
        return ShownArchitecture(rollout, session.get("weights_manager").layers(rollout))
    return ShownArchitecture(rollout, rollout.space.layers(rollout))


def read_rollouts(space: SearchSpace, genotypes: Iterable[str | Sequence[int]]) -> list[Rollout]:
    """Return genotype texts or codes as rollouts of ``space``.

    Raises: GenotypeError naming the number of the first that does not belong to it.
    """
    rollouts = []
    for index, genotype in enumerate(genotypes):
        try:
            arch = space.parse(genotype) if isinstance(genotype, str) else space.check_arch(genotype)
        except GenotypeError as error:
            raise GenotypeError(f"genotype {index}: {error}") from error
        rollouts.append(space.rollout(arch))
    return rollouts


def _controller(session: Session) -> Controller:
    controller: Controller = session.get("controller")
    return controller


def _with_log_probs(controller: Controller, rollouts: list[Rollout]) -> list[Rollout]:
    """Note in each rollout's ``info`` how probable it was, where the controller knows."""
    for rollout, log_prob in zip(rollouts, controller.log_probs(rollouts) or (), strict=False):
        rollout.info["log_prob"] = float(log_prob)
    return rollouts


def _probability(rollout: Rollout) -> Any:
    if "log_prob" not in rollout.info:
        raise ConfigError(
            "--prob-thresh needs a controller that knows the probability of a sample, such as rl"
        )
    return math.exp(rollout.info["log_prob"])
