"""The run directory: entered with care, described once, written by one process."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import yaml

from awnas_core.errors import CheckpointError, ConfigError
from awnas_core.run.checkpoint import CheckpointStore
from awnas_core.run.files import TEMPORARY, remove_leftovers, write_atomically
from awnas_core.run.lock import LOCK, lock_folder

ENVIRONMENT, CONFIG, RESOLVED = "environment.json", "config.yaml", "resolved.yaml"


class RunDirectory:
    """A folder that holds one run.

    Args:
        path: The folder.
        writes: Whether this process writes into it.
    """

    def __init__(self, path: Path, *, writes: bool = True) -> None:
        self.path = path
        self.writes = writes
        if writes:
            lock_folder(path)
            remove_leftovers(path)

    @classmethod
    def create(cls, path: Path, *, overwrite: bool = False, protect: Iterable[Path] = ()) -> Self:
        """Make a folder for a new run; with ``overwrite`` an older run there is removed.

        Raises: ConfigError as :func:`check_free`, and when the folder cannot be made.
        """
        check_free(path, overwrite=overwrite, protect=protect)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"cannot make the folder '{path}': {error.strerror}") from error
        directory = cls(path)
        # What marks the folder as a run's goes last: killed on the way, it can still be overwritten.
        for item in sorted(_held(path), key=lambda item: item.name == ENVIRONMENT):
            shutil.rmtree(item) if item.is_dir() and not item.is_symlink() else item.unlink()
        return directory

    @classmethod
    def resume(cls, path: Path, *, writes: bool = True) -> Self:
        """Enter the folder of a run to go on with it.

        Raises: CheckpointError when no run started there.
        """
        if not (path / ENVIRONMENT).is_file():
            raise CheckpointError(f"no run to resume in '{path}'; start one without --resume")
        return cls(path, writes=writes)

    @property
    def store(self) -> CheckpointStore:
        """The checkpoints of the run."""
        return CheckpointStore(self.path)

    @property
    def seed(self) -> int:
        """The seed that the run was started with."""
        return int(self._environment()["seed"])

    def describe(
        self, *, seed: int, device: str, command: Sequence[str], plugins: Sequence[Mapping[str, Any]]
    ) -> None:
        """Write down what the run is made with: seed, versions, commit; from now on it can be resumed."""
        environment = {
            "seed": seed,
            "device": device,
            "command": list(command),
            "python": platform.python_version(),
            "platform": platform.platform(),
            "versions": _versions(),
            "plugins": [dict(plugin) for plugin in plugins],
            "git_commit": _git_commit(),
        }
        self._write(ENVIRONMENT, json.dumps(environment, indent=2) + "\n")

    def write_config(self, text: str, resolved: Mapping[str, Any]) -> None:
        """Write the config as given, and with every default."""
        self._write(CONFIG, text)
        self._write(RESOLVED, yaml.safe_dump(dict(resolved), sort_keys=False))

    def check_same_config(self, resolved: Mapping[str, Any]) -> None:
        """Refuse to go on with another config than the run was started with; only more epochs are fine.

        Raises: ConfigError naming the keys that differ.
        """
        file = config_of_run(self.path)
        if file is None:  # killed before it was written
            return
        epochs = ("trainer_cfg.epochs", "final_trainer_cfg.epochs")
        changed = [key for key in changed_keys(file, resolved) if key not in epochs]
        if changed:
            raise ConfigError(
                f"the run in '{self.path}' was started with another config; changed: {', '.join(changed)}. "
                "Resume with the same config, or start a new run with --load"
            )

    def _environment(self) -> dict[str, Any]:
        try:
            environment: dict[str, Any] = json.loads((self.path / ENVIRONMENT).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CheckpointError(f"'{self.path / ENVIRONMENT}' cannot be read: {error}") from error
        return environment

    def _write(self, name: str, text: str) -> None:
        write_atomically(self.path / name, text.encode())


def check_free(path: Path, *, overwrite: bool = False, protect: Iterable[Path] = ()) -> None:
    """See whether a new run may have a folder; nothing is written.

    Args:
        path: The folder: new, empty, or with ``overwrite`` an older run.
        overwrite: Whether an older run is to be replaced.
        protect: What the new run is about to read.

    Raises: ConfigError when the folder holds anything that must not be lost.
    """
    if path.exists() and not path.is_dir():
        raise ConfigError(f"'{path}' is a file; give a folder")
    if path.is_dir() and _held(path):
        _refuse_to_remove(path, overwrite, protect)


def config_of_run(run: Path) -> Path | None:
    """Return the file with the config of a run and every default; None if there is none.

    Args:
        run: Its folder, or one of its checkpoints.
    """
    files = (folder / RESOLVED for folder in (run, run.parent))
    return next((file for file in files if file.is_file()), None)


def read_config(file: Path) -> dict[str, Any]:
    """Return the config of a run from its file; empty when it is damaged."""
    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, yaml.YAMLError):
        return {}
    return data if isinstance(data, dict) else {}


def changed_keys(file: Path, resolved: Mapping[str, Any]) -> list[str]:
    """Return the keys in which a config, every default filled in, differs from that in the file of a run."""
    return _differences(read_config(file), json.loads(json.dumps(resolved)))


def _held(path: Path) -> list[Path]:
    return [item for item in path.iterdir() if item.name != LOCK and not item.name.startswith(TEMPORARY)]


def _refuse_to_remove(path: Path, overwrite: bool, protect: Iterable[Path]) -> None:
    if not overwrite:
        raise ConfigError(
            f"'{path}' is not empty; go on with --resume, replace the run with --overwrite, or choose another"
        )
    if not (path / ENVIRONMENT).is_file():
        raise ConfigError(
            f"'{path}' holds no run of awnas; it is not overwritten. Empty it yourself, or choose another"
        )
    for kept in protect:
        if kept.resolve().is_relative_to(path.resolve()):
            raise ConfigError(
                f"'{kept}' is to be loaded and lies in '{path}', which --overwrite would remove"
            )


def _differences(old: Any, new: Any, key: str = "") -> list[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [*old, *(name for name in new if name not in old)]
        return [
            d
            for name in keys
            for d in _differences(old.get(name), new.get(name), f"{key}.{name}".lstrip("."))
        ]
    return [] if old == new else [key]


def _versions() -> dict[str, str]:
    names = {dist.name for dist in importlib.metadata.distributions() if dist.name.startswith("awnas")}
    names |= {"numpy", "pluggy", "pydantic", "safetensors", "torch", "torchvision", "scikit-learn", "typer"}
    versions = {}
    for name in sorted(names):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def _git_commit() -> str | None:
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
