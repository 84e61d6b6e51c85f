"""What this plugin adds to awnas: facts only, nothing heavy is imported here."""

from awnas_core import ComponentSpec, hookimpl

awnas_api = 1
HOME = "awnas_example_plugin.components"


@hookimpl
def awnas_components():
    return [
        ComponentSpec(kind="controller", name="hill-climb", target=f"{HOME}:HillClimbController"),
        ComponentSpec(
            kind="objective", name="calm", target=f"{HOME}:CalmClassification", data_types=("image",)
        ),
    ]
