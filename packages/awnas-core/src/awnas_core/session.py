"""Opening a config for work: find it, check it, build from it, fill it from a checkpoint."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from awnas_core.config.build import Assembly
from awnas_core.config.check import CheckedConfig, check_config
from awnas_core.config.source import ConfigSource, apply_overrides, preset_source, read_source
from awnas_core.device import Device
from awnas_core.errors import CheckpointError, ConfigError, did_you_mean
from awnas_core.plugins.manager import discover
from awnas_core.plugins.registry import Registry
from awnas_core.plugins.spec import fold
from awnas_core.run.checkpoint import Checkpoint, open_checkpoint
from awnas_core.run.directory import RunDirectory, changed_keys, check_free, config_of_run
from awnas_core.run.observers import Observers
from awnas_core.run.options import RunOptions
from awnas_core.run.random_streams import RandomStreams, load_global_state, seed_global
from awnas_core.run.run import Run, UnfitStateError, restore
from awnas_core.world import World

Family = Literal["search", "final"]


def installed_registry(*, plugin_files: Sequence[Path] = ()) -> Registry:
    """Return the registry of everything installed, local plugin files included."""
    return Registry(discover(files=plugin_files))


def find_config(name: str | Path, registry: Registry) -> ConfigSource:
    """Return the config at a path, or the preset of that name.

    Raises: ConfigError when there is neither.
    """
    path = Path(name)
    presets = registry.presets()
    if path.is_file() or path.suffix in (".yaml", ".yml") or path.exists():
        return read_source(path)
    if (preset := presets.get(fold(str(name)))) is None:
        hint = did_you_mean(str(name), presets) or "; awnas presets lists the ready ones"
        raise ConfigError(f"no config file and no preset '{name}'{hint}")
    return preset_source(preset)


def family_of(source: ConfigSource) -> Family:
    """Tell whether a config is of a search or of a final training."""
    return "final" if "final_model_type" in source.data else "search"


def _refuse_other_family(source: ConfigSource, family: Family) -> None:
    """Say so when a config is clearly of the other family, rather than list all that it lacks for this one."""
    other = "final_model_type" if family == "search" else "controller_type"
    own = "controller_type" if family == "search" else "final_model_type"
    if other in source.data and own not in source.data:
        is_final = family == "search"
        what, command = ("a final training", "awnas train") if is_final else ("a search", "awnas search")
        raise ConfigError(
            f"{source.path}: this is the config of {what} (it has '{other}'); use it with {command}"
        )


@dataclass(kw_only=True)
class Session:
    """A checked config and what surrounds it; components are built when first asked for.

    Args:
        registry: Where components are looked up.
        source: The config as given, overrides applied.
        config: The config as checked.
        device: Where tensors live.
        seed: Seed of the run.
        follows_run: Nobody asked for that seed: with a run that is loaded, its seed and generators are taken up.
        world: The processes of the run.
    """

    registry: Registry
    source: ConfigSource
    config: CheckedConfig
    device: Device = Device()
    seed: int = 0
    follows_run: bool = False
    world: World = World()
    assembly: Assembly = field(init=False)

    def __post_init__(self) -> None:
        self.reseed(self.seed)

    def reseed(self, seed: int) -> None:
        """Start over with another seed; for a resumed run, before anything is built."""
        self.seed = seed
        self.assembly = Assembly(
            self.config, self.registry, device=self.device, streams=RandomStreams(seed), world=self.world
        )
        seed_global(seed)

    def get(self, role: str) -> Any:
        """Return the component of a role, building it when needed."""
        return self.assembly.get(role)

    def build(self, roles: Sequence[str]) -> None:
        """Build those of ``roles`` that the config has, in this order."""
        for role in roles:
            if role in self.config.components:
                self.assembly.get(role)

    def enter(self, options: RunOptions) -> Checkpoint | None:
        """Open or refuse the run directory, and return where to go on; nothing is built or written yet.

        On resumption the session takes up the seed of the run.

        Raises: ConfigError when the directory holds another run, or a resumed run had another config.
        """
        options.refuse_contradictions()
        if options.train_dir is None:
            return None
        if not options.resume:
            check_free(options.train_dir, overwrite=options.overwrite, protect=options.reads)
            return None
        directory = RunDirectory.resume(options.train_dir, writes=self.world.is_main)
        directory.check_same_config(self.config.resolved())
        self.reseed(directory.seed)
        return directory.store.newest_whole(move_aside=self.world.is_main)

    def run(self, options: RunOptions, resumed: Checkpoint | None = None) -> Run:
        """Return the run of the components built so far; now its directory is made.

        Args:
            options: As given to :meth:`enter`.
            resumed: What :meth:`enter` returned.

        Raises: ConfigError when the directory cannot be made; CheckpointError when a state does not fit.
        """
        if options.load is not None:
            self.load(open_checkpoint(options.load))
        folder = self._begin(options) if self.world.is_main else None
        run = Run(
            self.assembly.components,
            self.assembly.streams,
            folder=folder,
            observers=Observers([*self.registry.manager.observers(), *options.observers]),
            world=self.world,
            save_every=options.save_every,
        )
        if resumed is not None:
            run.resume(resumed)
        elif options.load is not None:
            run.save()  # what was loaded follows from no config: a run killed in its first epoch needs it
        return run

    def _begin(self, options: RunOptions) -> Path | None:
        """Make or take up the run directory and describe the run in it."""
        if options.train_dir is None:
            return None
        if options.resume:
            directory = RunDirectory.resume(options.train_dir)
        else:
            directory = RunDirectory.create(
                options.train_dir, overwrite=options.overwrite, protect=options.reads
            )
            directory.describe(
                seed=self.seed,
                device=self.device.name,
                command=list(options.command),
                plugins=[asdict(record) for record in self.registry.plugins],
            )
        directory.write_config(self.source.text, self.config.resolved())
        return directory.path

    def open(self, load: Path) -> Checkpoint:
        """Return the checkpoint to load, before anything is built; its seed is taken up where none was asked for."""
        checkpoint = open_checkpoint(load)
        if self.follows_run:
            self.reseed(int(checkpoint.meta["seed"]))
        return checkpoint

    def load(self, checkpoint: Checkpoint, *, generators: bool = False) -> None:
        """Fill the components built so far from ``checkpoint``.

        Args:
            checkpoint: Where the states are.
            generators: Where no seed was asked for, also continue the random generators, so that what follows is what
                the run itself would do.

        Raises: CheckpointError when they do not fit, naming the keys in which the configs differ.
        """
        try:
            restore(self.assembly.components, checkpoint)
        except UnfitStateError as error:
            own = config_of_run(checkpoint.path)
            if own is None or not (changed := changed_keys(own, self.config.resolved())):
                raise
            raise CheckpointError(
                f"{error}\nThe config of the run differs in {', '.join(changed)}; use it instead: {own}"
            ) from error
        if generators and self.follows_run:
            self.assembly.streams.load_state(checkpoint.states["rng"]["streams"])
            load_global_state(checkpoint.states["rng"]["global"])


def open_session(
    name: str | Path,
    family: Family,
    *,
    overrides: Sequence[str] = (),
    registry: Registry | None = None,
    device: Device = Device(),
    seed: int | None = None,
    world: World = World(),
) -> Session:
    """Find and check a config; nothing is built or written yet.

    Args:
        name: Path of a config, or name of a preset.
        family: Whether it is of a search or of a final training.
        overrides: ``a.b=c`` texts.
        registry: Defaults to everything installed.
        device: Where tensors live.
        seed: None draws one, or takes that of a run that is loaded.
        world: The processes of the run.

    Raises: ConfigError (all problems at once) when the config cannot be used.
    """
    registry = registry or installed_registry()
    source = apply_overrides(find_config(name, registry), overrides)
    _refuse_other_family(source, family)
    return Session(
        registry=registry,
        source=source,
        config=check_config(source, registry, family=family),
        device=device,
        seed=secrets.randbelow(2**31) if seed is None else seed,
        follows_run=seed is None,
        world=world,
    )
