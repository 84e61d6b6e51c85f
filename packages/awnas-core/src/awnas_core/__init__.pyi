"""What type checkers see of the names that awnas_core imports when first used."""

from awnas_core.components import Component as Component
from awnas_core.decisions import (
    Condition as Condition,
    Decision as Decision,
    Decisions as Decisions,
)
from awnas_core.device import Device as Device
from awnas_core.errors import (
    AwnasError as AwnasError,
    CheckpointError as CheckpointError,
    ConfigError as ConfigError,
    DataError as DataError,
    GenotypeError as GenotypeError,
    PluginError as PluginError,
    RegistryError as RegistryError,
    RunError as RunError,
    SpaceExhaustedError as SpaceExhaustedError,
)
from awnas_core.layers import (
    Cost as Cost,
    LayerSpec as LayerSpec,
    total_cost as total_cost,
)
from awnas_core.metrics import (
    Accumulator as Accumulator,
    Constraint as Constraint,
    Goal as Goal,
    Mean as Mean,
    Metric as Metric,
)
from awnas_core.options import (
    Child as Child,
    Children as Children,
    Fraction as Fraction,
    NonNegativeFloat as NonNegativeFloat,
    NonNegativeInt as NonNegativeInt,
    PositiveFloat as PositiveFloat,
    PositiveInt as PositiveInt,
)
from awnas_core.plugins.hooks import (
    API_VERSION as API_VERSION,
    hookimpl as hookimpl,
)
from awnas_core.plugins.local import component as component
from awnas_core.plugins.spec import (
    CommandSpec as CommandSpec,
    ComponentSpec as ComponentSpec,
    KindSpec as KindSpec,
    PresetSpec as PresetSpec,
)
from awnas_core.relaxation import Mixture as Mixture
from awnas_core.roles.controller import Controller as Controller
from awnas_core.roles.dataset import Dataset as Dataset
from awnas_core.roles.evaluator import Evaluator as Evaluator
from awnas_core.roles.final import (
    FinalModel as FinalModel,
    FinalTrainer as FinalTrainer,
)
from awnas_core.roles.objective import (
    Batch as Batch,
    Objective as Objective,
)
from awnas_core.roles.search_space import SearchSpace as SearchSpace
from awnas_core.roles.trainer import Trainer as Trainer
from awnas_core.roles.weights_manager import WeightsManager as WeightsManager
from awnas_core.rollout import (
    Evaluation as Evaluation,
    Purpose as Purpose,
    RelaxedRollout as RelaxedRollout,
    Rollout as Rollout,
)
from awnas_core.world import World as World

__all__: list[str]
