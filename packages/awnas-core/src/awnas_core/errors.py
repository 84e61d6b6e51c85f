"""Errors a user can cause, and how the command line ends on each."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class AwnasError(Exception):
    """Base of every error that the command line prints in one short block, without a traceback."""

    exit_code = 2  # bad input; a failed run ends with 1


class ConfigError(AwnasError):
    """A configuration, option or command-line argument that cannot be used as it is."""


class RegistryError(AwnasError):
    """A component, kind or preset that no installed plugin offers."""


class PluginError(AwnasError):
    """A plugin that cannot be loaded or that breaks the plugin protocol."""


class GenotypeError(AwnasError):
    """Genotype text that does not describe an architecture of the search space."""


class SpaceExhaustedError(AwnasError):
    """More distinct architectures were asked for than the search space can give."""


class CheckpointError(AwnasError):
    """A checkpoint that is missing, incomplete, damaged or written by a newer version."""


class DataError(AwnasError):
    """A data set that is missing or not laid out as expected."""


class RunError(AwnasError):
    """A run that failed after it had started."""

    exit_code = 1


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the nearest of ``known``, or an empty string."""
    nearest = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean '{nearest[0]}'?" if nearest else ""
