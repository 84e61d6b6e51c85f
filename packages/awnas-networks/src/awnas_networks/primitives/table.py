"""Building primitives by name, whichever plugin offers them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from torch import nn

from awnas_core.errors import ConfigError

if TYPE_CHECKING:
    from awnas_core.plugins.registry import Registry


class PrimitiveTable:
    """The components of kind ``primitive``: factories ``f(channels, channels_out, stride, affine)``.

    Args:
        registry: Where they are looked up; everything installed by default.
    """

    def __init__(self, registry: Registry | None = None) -> None:
        self.registry = registry or _installed()

    def build(
        self, name: str, channels: int, channels_out: int, stride: int, affine: bool, **options: Any
    ) -> nn.Module:
        """Return a fresh module.

        Args:
            name: Registry name.
            channels: Channels of the input.
            channels_out: Channels of the output.
            stride: The output has ⌈size / stride⌉ pixels a side.
            affine: Whether its batch normalisations have weights.
            options: What else the primitive takes.

        Raises: RegistryError naming the nearest primitive, or what to install; ConfigError for options it lacks.
        """
        factory = self.registry.load(self.registry.find("primitive", name))
        try:
            module: Any = factory(channels, channels_out, stride, affine, **options)
        except TypeError as error:
            if not options:
                raise
            raise ConfigError(f"primitive '{name}' does not take {', '.join(options)}: {error}") from error
        assert isinstance(module, nn.Module), f"primitive '{name}' must return a module"
        return module


@lru_cache(maxsize=1)
def _installed() -> Registry:
    from awnas_core.session import installed_registry

    return installed_registry()
