"""What awnas-controllers adds to awnas."""

from __future__ import annotations

from awnas_core import ComponentSpec, KindSpec, hookimpl

awnas_api = 1

_EVOLUTION = "awnas_controllers.evolution"
_LEGACY = "awnas_controllers.legacy"
_RL = "awnas_controllers.reinforcement"


@hookimpl
def awnas_kinds() -> list[KindSpec]:
    """The parts of the controllers ``rl`` and ``rejection-sample``."""
    return [
        KindSpec(
            name="controller_network",
            base=f"{_RL}.networks:ControllerNetwork",
            summary="The recurrent policy of a controller.",
        ),
        KindSpec(
            name="rl_agent",
            base=f"{_RL}.agents:Agent",
            summary="How a policy learns from rewards.",
        ),
        KindSpec(
            name="rejector",
            base="awnas_controllers.rejection.rejectors:Rejector",
            summary="What decides which proposals of a controller are wanted.",
        ),
    ]


@hookimpl
def awnas_components() -> list[ComponentSpec]:
    """Controllers, cheapest first, then the parts of some of them."""
    return [
        ComponentSpec(
            kind="controller",
            name="random-sample",
            target="awnas_controllers.random_sample:RandomSampleController",
            aliases=("nasbench-101", "nasbench-201-rs"),
            legacy=f"{_LEGACY}:random_options",
            summary="Samples the search space at random and learns nothing.",
        ),
        ComponentSpec(
            kind="controller",
            name="pairs",
            target="awnas_controllers.pairs:PairsController",
            rollouts=("compare",),
            summary="Pairs of what another controller proposes, to be compared.",
        ),
        ComponentSpec(
            kind="controller",
            name="file-sampler",
            target="awnas_controllers.file_sampler:FileSamplerController",
            legacy=f"{_LEGACY}:file_sampler_options",
            summary="Proposes the architectures of a genotype list.",
        ),
        ComponentSpec(
            kind="controller",
            name="rejection-sample",
            target="awnas_controllers.rejection.controller:RejectionSampleController",
            legacy=f"{_LEGACY}:rejection_options",
            summary="Another controller's proposals without those a rejector refuses.",
        ),
        ComponentSpec(
            kind="controller",
            name="local-search",
            target="awnas_controllers.local_search:LocalSearchController",
            summary="Climbs to better neighbours until there is none, and begins anew.",
        ),
        ComponentSpec(
            kind="controller",
            name="sa",
            target="awnas_controllers.simulated_annealing:SaController",
            aliases=("nasbench-101-sa", "nasbench-201-sa"),
            legacy=f"{_LEGACY}:sa_options",
            summary="Simulated annealing over mutations.",
        ),
        ComponentSpec(
            kind="controller",
            name="evo",
            target=f"{_EVOLUTION}.evo:EvoController",
            aliases=("nasbench-101-evo", "nasbench-201-evo"),
            legacy=f"{_LEGACY}:evo_options",
            summary="Regularized evolution: mutate a winner, retire the oldest.",
        ),
        ComponentSpec(
            kind="controller",
            name="pareto-evo",
            target=f"{_EVOLUTION}.pareto_evo:ParetoEvoController",
            legacy=f"{_LEGACY}:pareto_evo_options",
            summary="Evolution of a Pareto front by sorting and crowding (NSGA-II).",
        ),
        ComponentSpec(
            kind="controller",
            name="cars",
            target=f"{_EVOLUTION}.cars:CarsController",
            legacy=f"{_LEGACY}:cars_options",
            summary="Evolution beside a supernet that learns, small and large alike (CARS).",
        ),
        ComponentSpec(
            kind="controller",
            name="rl",
            target=f"{_RL}.controller:RlController",
            rollouts=("discrete",),
            legacy=f"{_LEGACY}:controller_options",
            summary="A recurrent policy, learning by policy gradients (ENAS).",
        ),
        ComponentSpec(
            kind="controller",
            name="differentiable",
            target="awnas_controllers.differentiable.controller:DifferentiableController",
            rollouts=("differentiable",),
            legacy=f"{_LEGACY}:differentiable_options",
            summary="Relaxed decisions that follow gradients (DARTS, SNAS, GDAS, PC-DARTS).",
        ),
        ComponentSpec(
            kind="controller_network",
            name="anchor-lstm",
            target=f"{_RL}.networks:AnchorLstm",
            summary="LSTM that knows a node by the hidden state that made it.",
        ),
        ComponentSpec(
            kind="controller_network",
            name="embed-lstm",
            target=f"{_RL}.networks:EmbedLstm",
            summary="LSTM that knows a node by a learned embedding.",
        ),
        ComponentSpec(
            kind="controller_network",
            name="independent",
            target=f"{_RL}.networks:Independent",
            summary="Logits of its own for each decision, for spaces of any kind.",
        ),
        ComponentSpec(
            kind="rl_agent",
            name="pg",
            target=f"{_RL}.agents:PolicyGradientAgent",
            legacy=f"{_LEGACY}:agent_options",
            summary="REINFORCE with a moving-average baseline.",
        ),
        ComponentSpec(
            kind="rl_agent",
            name="ppo",
            target=f"{_RL}.agents:PpoAgent",
            legacy=f"{_LEGACY}:agent_options",
            summary="Proximal policy optimization: several clipped updates a batch.",
        ),
        ComponentSpec(
            kind="rejector",
            name="canonical-table",
            target="awnas_controllers.rejection.rejectors:CanonicalTable",
            summary="Lets one architecture stand for all that are isomorphic to it.",
        ),
    ]
