"""What this plugin adds to awnas: facts only, nothing heavy is imported here."""

from awnas_core import ComponentSpec, hookimpl

awnas_api = 1


@hookimpl
def awnas_components():
    return [
        ComponentSpec(
            kind="controller",
            name="hill-climb",
            target="awnas_example_plugin.components:HillClimbController",
            summary="Mutates the best architecture seen so far.",
        ),
        ComponentSpec(
            kind="objective",
            name="calm-classification",
            target="awnas_example_plugin.components:CalmClassification",
            data_types=("image",),
            summary="Accuracy, less a part of the loss: confident mistakes cost.",
        ),
    ]
