"""``awnas bench``: the tables there are, what they say, how they are made, and contests on them."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    help="Tables of benchmarks: list, describe, ask and convert them; compare searches on them.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
TableName = Annotated[
    str, typer.Argument(metavar="TABLE", help="Name or path of a table; see awnas bench list.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Format(StrEnum):
    """What a source is."""

    NASBENCH_101 = "nasbench-101"
    NASBENCH_201 = "nasbench-201"
    HW_NAS_BENCH = "hw-nas-bench"
    NB301 = "nb301"
    RECIPE = "recipe"


@app.command("list")
def list_tables(as_json: Json = False) -> None:
    """List the tables that ship and those made by convert.

    Example: awnas bench list
    """
    from awnas_benchmarks.tables.catalogue import table_paths
    from awnas_benchmarks.tables.table import Table, is_table
    from awnas_core.cli.console import print_json, print_table

    tables = {name: Table(path) for name, path in table_paths().items() if is_table(path)}
    if as_json:
        print_json(
            [
                {"name": n, "rows": t.size, "space": t.info.space, "summary": t.info.summary}
                for n, t in tables.items()
            ]
        )
        return
    rows = [(n, t.info.space, f"{t.size}", f"{len(t.columns)}", t.info.summary) for n, t in tables.items()]
    print_table(("table", "space", "rows", "columns", "summary"), rows)


@app.command()
def info(
    table: TableName,
    as_json: Json = False,
    verify: Annotated[bool, typer.Option("--verify", help="Check the checksum of every column.")] = False,
) -> None:
    """Describe a table: columns, units, trainings, sources, licences and papers.

    Example: awnas bench info nasbench-201
    """
    from dataclasses import asdict

    from awnas_benchmarks.tables.catalogue import open_table
    from awnas_core.cli.console import print_json, print_table, say

    found = open_table(table)
    if verify:
        found.verify()
    columns = [column.to_record() for column in found.columns.values()]
    if as_json:
        print_json({**asdict(found.info), "rows": found.size, "columns": columns})
        return
    say(f"{found.info.name}: {found.info.summary}")
    say(f"{found.size} rows; signal {found.info.signal}, report {found.info.report}")
    for source in found.info.sources:
        say(f"{source.what}: {source.origin} ({source.licence}). {source.citation}")
    print_table(
        ("column", "unit", "better", "runs", "epochs"),
        (
            (
                c.name,
                c.unit or "-",
                c.direction,
                f"{len(c.runs) or 1}",
                f"{len(c.curve) or (1 if c.epochs else 0)}",
            )
            for c in found.columns.values()
        ),
    )


@app.command()
def query(
    table: TableName,
    genotype: Annotated[str, typer.Argument(help="Genotype text, or a genotype list.")],
    columns: Annotated[
        list[str] | None,
        typer.Argument(metavar="[COLUMN]...", help="Columns, as in info; all when left out."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Print what a table says of an architecture: the mean over its trainings, and each of them.

    Example: awnas bench query nasbench-macro 22212202 cifar10/test_accuracy@50
    """
    from awnas_benchmarks.queries import answers
    from awnas_benchmarks.tables.catalogue import open_table
    from awnas_core.cli.console import print_json, print_table

    found = answers(open_table(table), genotype, columns or ())
    if as_json:
        print_json([answer.to_record() for answer in found])
        return
    print_table(
        ("column", "value", "unit", "trainings"),
        ((a.column, a.text(a.mean), a.unit or "-", " ".join(map(a.text, a.runs))) for a in found),
    )


@app.command()
def convert(
    kind: Annotated[Format, typer.Argument(metavar="FORMAT", help=f"One of {', '.join(Format)}.")],
    source: Annotated[Path, typer.Argument(help="The published file or folder, or a recipe.")],
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out-file", help="Table to write; by default among your own tables."),
    ] = None,
    files: Annotated[
        Path | None,
        typer.Option("--from", metavar="DIR", help="Where the files of a recipe lie; beside it by default."),
    ] = None,
    curves: Annotated[bool, typer.Option("--curves", help="Keep every epoch (nasbench-201).")] = False,
) -> None:
    """Make a table of a published file. Nothing in the file is run; one that tries is refused.

    Example: awnas bench convert nasbench-101 nasbench_only108.tfrecord
    """
    from awnas_benchmarks.convert.formats import convert as convert_source
    from awnas_core.cli.console import say

    target = convert_source(kind.value, source, out, files=files, curves=curves)
    say(f"wrote {target}")


@app.command()
def run(
    configs: Annotated[
        list[str],
        typer.Argument(
            metavar="CONFIG...", help="Paths of configs or names of presets; NAME=CONFIG renames."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the contest.")],
    budget: Annotated[
        str, typer.Option("--budget", help="Evaluations (100) or simulated seconds (12000s).")
    ] = "100",
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Searches of each algorithm.")] = 10,
    first_seed: Annotated[int, typer.Option("--first-seed", min=0, help="The first of the seeds.")] = 0,
    processes: Annotated[
        int | None,
        typer.Option("--processes", min=1, help="Searches at a time; as many as processors by default."),
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override one value in every config."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace another contest in the folder.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare searches: every algorithm with every seed at equal cost; the same command goes on after a break.

    Example: awnas bench run nb201-random nb201-evo --seeds 100 --budget 100 --out runs/arena
    """
    from awnas_benchmarks.arena.budget import Budget
    from awnas_benchmarks.arena.contest import Contest, Entrant
    from awnas_benchmarks.arena.outcome import Outcome

    spent = Budget.parse(budget)
    contest = Contest(out, [Entrant.parse(text) for text in configs], spent, overrides or ())
    contest.enter(overwrite=overwrite)
    chosen = range(first_seed, first_seed + seeds)
    contest.run(chosen, processes or os.cpu_count() or 1, _progress())
    outcome = Outcome(contest.trajectories(chosen), spent)
    outcome.write(out)
    _report(outcome, out, as_json)


def _progress() -> Any:
    """Return what tells a person at a terminal how far a contest is."""
    from awnas_core.cli.console import say

    def tell(done: int, total: int) -> None:
        if done == total or done % max(1, total // 10) == 0:
            say(f"{done} of {total} searches")

    return tell


def _report(outcome: Any, folder: Path, as_json: bool) -> None:
    from dataclasses import asdict

    from awnas_core.cli.console import print_json, print_table, say

    standings, comparisons = outcome.standings(), outcome.comparisons()
    if as_json:
        print_json(
            {
                "metric": outcome.metric,
                "ranking": [asdict(standing) for standing in standings],
                "significance": [asdict(comparison) for comparison in comparisons],
            }
        )
        return
    print_table(
        ("algorithm", outcome.metric, "± (95 %)", "std", "regret", "mean rank"),
        (
            (
                s.algorithm,
                f"{s.report.mean:.5g}",
                f"{s.report.half:.2g}",
                f"{s.report.deviation:.2g}",
                "-" if s.regret is None else f"{s.regret:.3g}",
                f"{s.rank:.2f}",
            )
            for s in standings
        ),
    )
    for c in comparisons:
        say(f"{c.first} − {c.second}: {c.difference:+.4g}, p = {c.p:.2g} (Holm {c.corrected:.2g})")
    say(f"curves, searches and significance: {folder}")
