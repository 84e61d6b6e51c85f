"""What this plugin adds to awnas: facts only, nothing heavy is imported here."""

from awnas_core import ComponentSpec as Spec, hookimpl

awnas_api = 1
HOME = "awnas_example_plugin.components"


@hookimpl
def awnas_components():
    return [
        Spec(kind="controller", name="hill-climb", target=f"{HOME}:HillClimber", summary="Mutates the best."),
        Spec(kind="objective", name="calm", target=f"{HOME}:CalmObjective", summary="Likes low losses, too."),
    ]
