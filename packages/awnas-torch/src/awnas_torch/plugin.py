"""What awnas-torch adds to awnas: learning-rate schedulers."""

from __future__ import annotations

from awnas_core import ComponentSpec, hookimpl

awnas_api = 1


@hookimpl
def awnas_components() -> list[ComponentSpec]:
    """The schedulers that torch lacks."""
    facts = {
        "CosineWithRestarts": "Cosine with warm restarts whose cycles and peaks may change.",
        "WarmupCosineWithRestarts": "The same, every cycle beginning with a linear ramp.",
        "ExpDecay": "Decays by a factor every so many steps, from a first step on.",
        "WarmupCosineAnnealingLR": "A linear ramp, then half a cosine.",
    }
    return [
        ComponentSpec(
            kind="lr_scheduler", name=name, target=f"awnas_torch.lr_schedulers:{name}", summary=summary
        )
        for name, summary in facts.items()
    ]
