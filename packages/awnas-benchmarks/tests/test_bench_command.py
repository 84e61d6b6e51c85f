"""``awnas bench list``, ``info``, ``query`` and ``convert``."""

import gzip
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from awnas_benchmarks.tables.catalogue import open_table
from awnas_core.cli.app import app

CELL = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"
RECIPE = """\
name: mine
space: nasbench-macro
signal: cifar10/valid_accuracy@3
report: cifar10/test_accuracy@3
counts: cifar10
files:
  - path: first.csv.gz
    architecture: arch
    number: id
    columns:
      cifar10/valid_accuracy@3: {fields: [val], divide: 100}
      cifar10/test_accuracy@3: {fields: [t0, t1], runs: [5, 6], divide: 100, hole: -1}
  - path: second.json
    number: id
    columns:
      latency_ms/phone: {fields: [ms]}
"""
FIRST = "id,arch,val,t0,t1\n7,00000000,12.5,13,14\n8,22212202,99.75,-1,98.2\n"
SECOND = [{"id": 8, "ms": 1.25}, {"id": 7, "ms": None}]


def bench(*arguments, code=0):
    result = CliRunner().invoke(app, ["bench", *map(str, arguments)], prog_name="awnas")
    assert result.exit_code == code, result.output
    return result


def zipped(text: str) -> bytes:
    """Return text as a gzip file; without the time, which would make names of tests differ between processes."""
    return gzip.compress(text.encode(), mtime=0)


@pytest.fixture
def sources(tmp_path):
    (tmp_path / "mine.yaml").write_text(RECIPE)
    (tmp_path / "first.csv.gz").write_bytes(zipped(FIRST))
    (tmp_path / "second.json").write_text(json.dumps(SECOND))
    return tmp_path


def test_shipped_tables_are_listed_and_described():
    listed = json.loads(bench("list", "--json").stdout)
    assert {(row["name"], row["rows"]) for row in listed} >= {
        ("nasbench-201", 15_625),
        ("nasbench-macro", 6_561),
    }
    facts = json.loads(bench("info", "nasbench-201", "--json", "--verify").stdout)
    columns = {column["name"]: column for column in facts["columns"]}
    assert columns["cifar10/energy_mj/edgegpu"]["unit"] == "mJ"
    assert columns["cifar10/latency_ms/edgegpu"]["direction"] == "min"
    assert len(columns["cifar10/test_accuracy@200"]["runs"]) == 3
    assert {source["licence"] for source in facts["sources"]} == {"MIT"}
    assert all("20" in source["citation"] for source in facts["sources"])
    assert "cifar10/macs" in bench("info", "nasbench-macro").stdout


def test_a_query_prints_the_mean_and_every_training():
    """NAS-Bench-Macro prints 93.13 as the mean of its best chain."""
    out = bench("query", "nasbench-macro", "22212202", "cifar10/test_accuracy@50", "cifar10/params").stdout
    assert out.splitlines()[1].split("\t")[:2] == ["cifar10/test_accuracy@50", "0.9313"]
    (answer,) = json.loads(bench("query", "nasbench-201", CELL, "cifar10/test_accuracy@200", "--json").stdout)
    assert answer["runs"] == [0.8562, 0.8618, 0.8579]
    everything = json.loads(bench("query", "nasbench-201", CELL, "--json").stdout)
    assert len(everything) == len(open_table("nasbench-201").columns)


def test_what_cannot_be_asked_is_said():
    assert "did you mean 'nasbench-macro'" in bench("query", "nasbench-mcro", "0", code=2).output
    assert "eight blocks" in bench("query", "nasbench-macro", "222", code=2).output
    assert "no column" in bench("query", "nasbench-macro", "22212202", "cifar10/loss@50", code=2).output


def test_a_recipe_makes_a_table_of_csv_and_json(sources, own_home):
    bench("convert", "recipe", sources / "mine.yaml")
    assert (own_home / "data" / "tables" / "mine.safetensors").is_file()
    answers = {a["column"]: a for a in json.loads(bench("query", "mine", "22212202", "--json").stdout)}
    assert answers["cifar10/test_accuracy@3"]["runs"] == [None, 0.982]
    assert answers["cifar10/valid_accuracy@3"]["mean"] == 0.9975
    assert answers["latency_ms/phone"]["mean"] == 1.25
    (phone,) = json.loads(bench("query", "mine", "00000000", "latency_ms/phone", "--json").stdout)
    assert phone["mean"] is None
    assert "no row" in bench("query", "mine", "11111111", code=2).output


def test_the_counts_of_a_recipe_are_those_of_the_network(sources, tmp_path):
    """7,713,280 multiply-adds and 387,882 parameters, as NAS-Bench-Macro prints for its smallest network."""
    bench("convert", "recipe", sources / "mine.yaml", "-o", tmp_path / "t.safetensors")
    answers = json.loads(
        bench(
            "query", tmp_path / "t.safetensors", "00000000", "cifar10/macs", "cifar10/params", "--json"
        ).stdout
    )
    assert [answer["mean"] for answer in answers] == [7_713_280, 387_882]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("t0, t1", "t0, t9"), "no field 't9'"),
        (("arch\n", "val\n"), "eight blocks"),
        (("divide: 100, hole", "divide: 0, hole"), "mine.yaml:12"),
        (("accuracy@3: {fields: [val]", "akkuracy@3: {fields: [val]"), "does not say what it measures"),
        (
            ("  - path: second.json\n    number: id", "  - path: second.json\n    number: ms"),
            "no earlier file says",
        ),
        (("signal:", "singal:"), "did you mean 'signal'"),
        (("    architecture: arch\n    number: id\n", ""), "give architecture, number or both"),
        (("first.csv.gz", "none.csv.gz"), "none.csv.gz"),
    ],
)
def test_mistakes_in_a_recipe_are_named_with_their_place(sources, change, complaint):
    path = sources / "mine.yaml"
    path.write_text(path.read_text().replace(*change))
    assert complaint in bench("convert", "recipe", path, code=2).output


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("first.csv.gz", zipped(FIRST)[:30], "damaged"),
        ("first.csv.gz", zipped(FIRST + "9,11111111,1\n"), "line 4"),
        ("first.csv.gz", zipped(FIRST + "9,22212202,1,2,3\n"), "twice"),
        ("first.csv.gz", zipped(FIRST.replace("12.5", "x")), "must be a number"),
        ("second.json", b'["a"]', "list of objects"),
        ("second.json", b"{", "damaged"),
    ],
)
def test_damaged_sources_of_a_recipe_are_refused(sources, name, content, complaint):
    (sources / name).write_bytes(content)
    assert complaint in bench("convert", "recipe", sources / "mine.yaml", code=2).output


def test_conversion_of_nothing_is_refused(tmp_path):
    assert "there is no" in bench("convert", "nasbench-101", tmp_path / "none", code=2).output
    (tmp_path / "file").touch()
    assert "--curves is for" in bench("convert", "nb301", tmp_path / "file", "--curves", code=2).output
    assert "nasbench-102" in bench("convert", "nasbench-102", tmp_path / "file", code=2).output


def test_an_own_table_takes_the_place_of_the_shipped_one(sources, own_home):
    (sources / "mine.yaml").write_text(RECIPE.replace("name: mine", "name: nasbench-macro"))
    bench("convert", "recipe", sources / "mine.yaml")
    assert open_table("nasbench-macro").size == 2


def test_a_damaged_table_is_found_out(sources, own_home):
    bench("convert", "recipe", sources / "mine.yaml")
    path = own_home / "data" / "tables" / "mine.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert "damaged" in bench("info", "mine", "--verify", code=2).output


def test_counts_of_nasbench_macro_are_those_of_its_layers():
    """The table holds what the benchmark published; the layers are ours."""
    from awnas_core.layers import total_cost
    from awnas_spaces.nasbench_macro import NasBenchMacroSpace

    table, space = open_table("nasbench-macro"), NasBenchMacroSpace()
    rollouts = space.random_samples(500, np.random.default_rng(0))
    rows = table.rows(space.benchmark_keys(space.encode_codes(rollouts)))
    costs = [total_cost(space.layers(rollout)) for rollout in rollouts]
    assert table.values("cifar10/params", rows).tolist() == [cost.params for cost in costs]
    assert table.values("cifar10/macs", rows).tolist() == [cost.macs for cost in costs]
