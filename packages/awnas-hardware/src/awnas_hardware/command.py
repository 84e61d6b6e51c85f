"""``awnas hw``: measure networks, fit a model of what they cost, and ask it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from awnas_core.cli import options as o

if TYPE_CHECKING:
    from awnas_core.rollout import Rollout
    from awnas_hardware.accuracy import Accuracy
    from awnas_hardware.model_file import DeviceModel
    from awnas_hardware.networks import Networks
    from awnas_hardware.primitive import PrimitiveCounts

app = typer.Typer(
    help="What networks cost on a device: measure some, fit a model, predict the others.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
Sets = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override one value of the config.")
]
PluginFiles = Annotated[
    list[Path] | None, typer.Option("--plugin", metavar="FILE", help="Use a plugin file for this call.")
]
Records = Annotated[
    Path, typer.Argument(metavar="RECORDS", help="Measurements, as written by awnas hw measure.")
]
Metric = Annotated[str, typer.Option("--metric", help="Which of the measured costs.")]
Genotypes = Annotated[
    str | None, typer.Argument(metavar="[GENOTYPE|FILE]", help="Genotype text, or a genotype list.")
]
OutModel = Annotated[Path, typer.Option("-o", "--out-file", metavar="FILE", help="Cost model to write.")]
ModelName = Annotated[
    str,
    typer.Option(
        "-m", "--device", metavar="NAME|FILE", help="Cost model: a device of awnas hw devices, or a file."
    ),
]


@app.command()
def measure(
    cfg: o.Cfg,
    genotypes: Genotypes = None,
    out_file: Annotated[
        Path,
        typer.Option("-o", "--out-file", metavar="FILE", help="File of measurements; goes on where it ends."),
    ] = Path("measurements.jsonl"),
    number: Annotated[
        int, typer.Option("-n", "--number", min=1, help="Random architectures, where none are given.")
    ] = 100,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="Measure all of them so often.")] = 1,
    device: Annotated[str, typer.Option("--device", metavar="NAME", help="cpu or cuda:N.")] = "cpu",
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Examples in a batch.")] = 1,
    threads: Annotated[int, typer.Option("--threads", min=1, help="Threads of the CPU.")] = 1,
    dtype: o.DtypeName = "float32",
    memory_format: o.MemoryFormatName = "channels_last",
    clock: Annotated[
        str, typer.Option("--clock", help="wall, or cpu: the time of this thread alone, on a busy machine.")
    ] = "wall",
    passes: Annotated[int, typer.Option("--passes", min=1, help="Most forward passes of each.")] = 100,
    precision: Annotated[
        float, typer.Option("--precision", help="Half width of the median's interval that is enough.")
    ] = 0.01,
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Seed of the architectures and of their order.")
    ] = 0,
    overrides: Sets = None,
    plugins: PluginFiles = None,
) -> None:
    """Measure architectures of a config on this machine: whole networks, and their layers inside them.

    Example: awnas hw measure enas-digits -n 60 -o cpu.jsonl
    """
    from awnas_core.cli.console import counted, say
    from awnas_hardware.measure import Conditions
    from awnas_hardware.profiling import measure_into

    checked = o.device_of(device, None, dtype, memory_format)
    conditions = Conditions(
        device=checked.name,
        batch_size=batch_size,
        threads=threads,
        dtype=checked.dtype,
        channels_last=checked.memory_format == "channels_last",
        clock=_clock(clock),
        passes=passes,
        precision=precision,
    )
    networks = _networks(cfg, genotypes, overrides, plugins, seed)
    rollouts = networks.sample(number) if genotypes is None else _rollouts(networks, genotypes)
    with _bar("measuring") as progress:
        file = measure_into(
            out_file, networks, rollouts, conditions, rounds=rounds, seed=seed, progress=progress
        )
    say(f"{counted(len(file.measured), 'measurement')}: {out_file}")


@app.command()
def parse(
    cfg: o.Cfg,
    genotypes: Annotated[
        str, typer.Argument(metavar="FILE", help="Genotype list: what was run on the device.")
    ],
    logs: Annotated[
        Path, typer.Argument(metavar="DIR", help="Logs; 0.txt or 0.json is that of the first genotype.")
    ],
    out_file: Annotated[Path, typer.Option("-o", "--out-file", metavar="FILE", help="File of measurements.")],
    kind: Annotated[str, typer.Option("--format", help="Whose logs: trtexec or dpu.")] = "trtexec",
    device: Annotated[str, typer.Option("--name", help="What to call the device.")] = "",
    overrides: Sets = None,
    plugins: PluginFiles = None,
) -> None:
    """Gather the logs of a vendor's profiler into a file of measurements.

    Example: awnas hw parse enas-digits archs.yaml logs -o jetson.jsonl --format trtexec --name jetson
    """
    from awnas_core.cli.console import counted, say
    from awnas_hardware.profiling import gather_logs

    networks = _networks(cfg, None, overrides, plugins, 0)
    file = gather_logs(out_file, networks, _rollouts(networks, genotypes), logs, kind, device or logs.name)
    say(f"{counted(len(file.measured), 'measurement')}: {out_file}")


@app.command()
def genmodel(
    records: Records,
    out_file: OutModel,
    kind: Annotated[
        str, typer.Option("--kind", help="Kind of model: table, linear, …; auto takes the best.")
    ] = "auto",
    name: Annotated[str, typer.Option("--name", help="What to call the device.")] = "",
    source: Annotated[str, typer.Option("--source", help="Where the measurements come from.")] = "own",
    licence: Annotated[str, typer.Option("--licence", help="Under which they are given away.")] = "",
    metric: Metric = "latency_ms",
    as_json: o.JsonOut = False,
) -> None:
    """Fit a cost model on measurements, and say how far it is off on networks it has not seen.

    Example: awnas hw genmodel cpu.jsonl -o cpu.safetensors
    """
    from awnas_core.cli.console import say
    from awnas_hardware.fitting import fit_model
    from awnas_hardware.records import read_records, sample_of

    header, measurements = read_records(records)
    vocabulary, sample = sample_of(measurements, metric)
    device = {"name": name or records.stem, **header.get("machine", {}), **header.get("conditions", {})}
    training = {"space": header.get("space"), "source": source, "licence": licence}
    model, judged = fit_model(kind, vocabulary, sample, metric=metric, device=device, **training)
    model.write(out_file)
    _show(judged, chosen=model.model.kind, as_json=as_json)
    say(f"{model.model.kind} on {len(sample.costs)} networks, {len(vocabulary)} primitives: {out_file}")


@app.command("eval-model")
def eval_model(
    model: ModelName,
    records: Records,
    as_json: o.JsonOut = False,
) -> None:
    """Compare the predictions of a cost model with measurements.

    Example: awnas hw eval-model -m cpu.safetensors others.jsonl
    """
    from awnas_hardware.accuracy import Accuracy
    from awnas_hardware.records import read_records, sample_of

    known = _model(model)
    _, measurements = read_records(records)
    vocabulary, sample = sample_of(measurements, known.metric)
    networks = [dict(zip(vocabulary.names, row, strict=True)) for row in sample.counts]
    present = [{name: count for name, count in network.items() if count} for network in networks]
    predicted = known.model.predict(known.vocabulary.matrix(present))
    _show({known.model.kind: Accuracy.of(predicted, sample.costs)}, chosen=known.model.kind, as_json=as_json)


@app.command()
def predict(
    model: ModelName,
    cfg: o.Cfg,
    genotypes: Genotypes = None,
    as_json: o.JsonOut = False,
    overrides: Sets = None,
    plugins: PluginFiles = None,
) -> None:
    """Predict what architectures cost on a device.

    With a device of a published space, CFG may be the name of the space: -m fbnet/pixel2 fbnet "k3_e6 skip …".

    Example: awnas hw predict -m cpu.safetensors enas-digits genotypes.yaml
    """
    from awnas_core.cli.console import print_json, print_table
    from awnas_hardware.devices import counted

    known = _model(model)
    if cfg == known.published:
        texts, counts = _published(cfg, genotypes)
    else:
        networks = _networks(cfg, genotypes, overrides, plugins, 0)
        rollouts = _rollouts(networks, genotypes)
        texts = [str(rollout.genotype) for rollout in rollouts]
        counts = [counted(known, rollout, networks.layers) for rollout in rollouts]
    costs = known.model.predict(known.vocabulary.matrix(counts)).tolist()
    if as_json:
        print_json([{"genotype": text, known.metric: cost} for text, cost in zip(texts, costs, strict=True)])
        return
    print_table(
        (f"{known.metric} on {known.name}", "genotype"),
        ((f"{cost:.4g}", text) for text, cost in zip(texts, costs, strict=True)),
    )


@app.command()
def devices(as_json: o.JsonOut = False) -> None:
    """List the devices that can be asked by name, how far their models are off, and where the measurements come from.

    Example: awnas hw devices
    """
    from awnas_core.cli.console import print_json, print_table
    from awnas_hardware.devices import model_paths
    from awnas_hardware.model_file import read_model

    found = {name: read_model(path) for name, path in model_paths().items()}
    if as_json:
        print_json(
            [{"name": name, **m.header(), "primitives": len(m.vocabulary)} for name, m in found.items()]
        )
        return
    print_table(
        ("device", "metric", "model", "networks", "rRMSE", "tau", "source"),
        (
            (
                name,
                model.metric,
                model.model.kind,
                f"{model.training.get('networks', '-')}",
                f"{model.errors[model.model.kind]['rrmse']:.3f}",
                f"{model.errors[model.model.kind]['tau']:.3f}",
                str(model.training.get("source", "own")),
            )
            for name, model in found.items()
        ),
    )


@app.command()
def coverage(
    model: ModelName,
    cfg: o.Cfg,
    number: Annotated[
        int, typer.Option("-n", "--number", min=1, help="Random architectures to look at.")
    ] = 100,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of these architectures.")] = 0,
    overrides: Sets = None,
    plugins: PluginFiles = None,
) -> None:
    """Say which primitives of a config a cost model knows. Ends with 1 when it lacks any.

    Example: awnas hw coverage -m cpu.safetensors enas-digits
    """
    from awnas_core.cli.console import print_table, say

    known = _model(model)
    networks = _networks(cfg, None, overrides, plugins, seed)
    found = [networks.primitives(rollout) for rollout in networks.sample(number)]
    missing = known.vocabulary.missing(found)
    all_names = {name for network in found for name in network}
    affected = sum(any(name in network for name in missing) for network in found)
    known_ones = f"{len(all_names) - len(missing)} of {len(all_names)} primitives known"
    say(f"{known_ones}; {affected} of {number} networks lack some")
    if missing:
        print_table(
            ("missing", "networks"),
            ((name, f"{sum(name in network for network in found)}") for name in missing),
        )
        raise typer.Exit(1)


@app.command()
def genprof(
    cfg: o.Cfg,
    out_file: o.OutFile,
    number: Annotated[
        int, typer.Option("-n", "--number", min=1, help="Random architectures to choose from.")
    ] = 200,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of these architectures.")] = 0,
    overrides: Sets = None,
    plugins: PluginFiles = None,
) -> None:
    """Choose few architectures that together run every primitive of many; list the primitives.

    Example: awnas hw genprof enas-digits -o profile.yaml
    """
    from awnas_core.cli.console import counted, print_table, say
    from awnas_core.search.genotype_file import write_rollouts
    from awnas_hardware.profiling import covering

    networks = _networks(cfg, None, overrides, plugins, seed)
    chosen, primitives = covering(networks, networks.sample(number))
    write_rollouts(out_file, chosen)
    print_table(("primitive", "networks"), ((name, f"{share:.0%}") for name, share in primitives.items()))
    say(f"{counted(len(chosen), 'architecture')} for {counted(len(primitives), 'primitive')}: {out_file}")


def main() -> None:
    """Run ``awnas-hw``, which is ``awnas hw``."""
    from awnas_core.cli.app import main as awnas

    sys.argv[1:1] = ["hw"]
    awnas()


def _networks(
    cfg: str, genotype: str | None, overrides: list[str] | None, plugins: list[Path] | None, seed: int
) -> Networks:
    from awnas_hardware.networks import Networks

    return Networks(o.open_any(cfg, genotype, overrides=overrides or [], plugins=plugins or [], seed=seed))


def _rollouts(networks: Networks, text_or_file: str | None) -> list[Rollout]:
    return networks.read(_texts(text_or_file))


def _published(space: str, text_or_file: str | None) -> tuple[list[str], list[PrimitiveCounts]]:
    """Return architectures of a published space: as text, and counted."""
    from awnas_hardware.published import published_space

    texts = [str(text) for text in _texts(text_or_file)]
    return texts, [published_space(space).primitives(text) for text in texts]


def _texts(text_or_file: str | None) -> list[Any]:
    from awnas_core.errors import ConfigError
    from awnas_core.search.genotype_file import read_genotypes

    if text_or_file is None:
        raise ConfigError("no architecture; give a genotype text or a genotype list after the config")
    is_file = text_or_file.endswith((".yaml", ".yml"))
    return list(read_genotypes(Path(text_or_file))) if is_file else [text_or_file]


def _model(name: str) -> DeviceModel:
    from awnas_hardware.devices import open_model

    return open_model(name)


def _clock(name: str) -> Any:
    from awnas_core.errors import ConfigError

    if name not in ("wall", "cpu"):
        raise ConfigError(f"--clock must be wall or cpu, got '{name}'")
    return name


def _show(judged: dict[str, Accuracy], *, chosen: str, as_json: bool) -> None:
    from awnas_core.cli.console import print_json, print_table

    if as_json:
        print_json({name: accuracy.to_record() for name, accuracy in judged.items()})
        return
    print_table(
        ("model", "rRMSE", "median error", "trimmed error", "within 5 %", "tau", "networks"),
        (
            (
                f"{name} *" if name == chosen and len(judged) > 1 else name,
                f"{a.rrmse:.3f}",
                f"{a.median_error:.3f}",
                f"{a.trimmed_error:.3f}",
                f"{a.within_5:.0%}",
                f"{a.tau:.3f}",
                f"{a.n}",
            )
            for name, a in judged.items()
        ),
    )


@contextlib.contextmanager
def _bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show on a terminal how far something is; elsewhere say it now and then."""
    from awnas_core.cli.console import say

    if not sys.stderr.isatty():
        tenths = -1

        def tell(done: int, total: int) -> None:
            nonlocal tenths
            if 10 * done // total > tenths:
                tenths = 10 * done // total
                say(f"{what}: {done} of {total}")

        yield tell
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
