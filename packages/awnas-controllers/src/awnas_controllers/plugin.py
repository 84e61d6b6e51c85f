"""What awnas-controllers adds to awnas."""

from __future__ import annotations

from awnas_core import ComponentSpec, KindSpec, hookimpl

awnas_api = 1

_RL = "awnas_controllers.reinforcement"


@hookimpl
def awnas_kinds() -> list[KindSpec]:
    """The parts of the controller ``rl``."""
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
    ]


@hookimpl
def awnas_components() -> list[ComponentSpec]:
    """Controllers, cheapest first, then the parts of ``rl``."""
    return [
        ComponentSpec(
            kind="controller",
            name="random-sample",
            target="awnas_controllers.random_sample:RandomSampleController",
            legacy="awnas_controllers.legacy:controller_options",
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
            name="rl",
            target=f"{_RL}.controller:RlController",
            rollouts=("discrete",),
            legacy="awnas_controllers.legacy:controller_options",
            summary="A recurrent policy, learning by policy gradients (ENAS).",
        ),
        ComponentSpec(
            kind="controller",
            name="differentiable",
            target="awnas_controllers.differentiable.controller:DifferentiableController",
            rollouts=("differentiable",),
            legacy="awnas_controllers.legacy:differentiable_options",
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
            kind="rl_agent",
            name="pg",
            target=f"{_RL}.agents:PolicyGradientAgent",
            legacy="awnas_controllers.legacy:agent_options",
            summary="REINFORCE with a moving-average baseline.",
        ),
        ComponentSpec(
            kind="rl_agent",
            name="ppo",
            target=f"{_RL}.agents:PpoAgent",
            legacy="awnas_controllers.legacy:agent_options",
            summary="Proximal policy optimization: several clipped updates a batch.",
        ),
    ]
