"""Contests: what counts as cost, what is compared, and that a contest killed goes on to the same end."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from typer.testing import CliRunner

from awnas_benchmarks.arena.budget import Budget
from awnas_benchmarks.arena.contest import Contest, Entrant
from awnas_benchmarks.arena.job import Job, run_job
from awnas_benchmarks.arena.outcome import Outcome
from awnas_benchmarks.arena.statistics import wilcoxon
from awnas_benchmarks.arena.trajectory import Incumbent, Trajectory
from awnas_benchmarks.tables.catalogue import open_table
from awnas_benchmarks.tables.columns import Column
from awnas_benchmarks.tables.table import TableInfo, write_table
from awnas_core import ConfigError
from awnas_core.cli.app import app
from awnas_core.errors import RunError
from awnas_spaces.nasbench201 import NasBench201Space

LOCAL = """\
rollout_type: nasbench-201
search_space_type: nasbench-201
controller_type: {controller}
evaluator_type: nasbench-201
evaluator_cfg: {evaluator}
trainer_type: simple
trainer_cfg: {{epochs: 2, controller_steps: 3, controller_samples: {samples}}}
"""
PLUGIN = """\
from awnas_core import component
from awnas_core.roles.controller import Controller
from awnas_core.roles.search_space import SearchSpace
from awnas_core.rollout import Purpose
import numpy as np

@component("controller", "walk", summary="Mutates what it proposed last.")
class Walk(Controller):
    def __init__(self, search_space: SearchSpace, rng: np.random.Generator) -> None:
        self.search_space, self.rng, self.last = search_space, rng, None

    def sample(self, n, purpose=Purpose.PROPOSE):
        last = self.last or self.search_space.random_sample(self.rng)
        self.last = self.search_space.mutate(last, self.rng)
        return [self.last, *self.search_space.random_samples(n - 1, self.rng)]

    def step(self, rollouts):
        return {}
"""


@pytest.fixture
def walk(own_home):
    """A controller of a person's own, so that the arena needs none that is installed."""
    folder = own_home / "plugins"
    folder.mkdir(parents=True)
    (folder / "walk.py").write_text(PLUGIN)
    return folder


@pytest.fixture
def config(tmp_path, walk):
    def write(name="walk", samples=1, evaluator="{}", controller="walk"):
        path = tmp_path / f"{name}.yaml"
        path.write_text(LOCAL.format(controller=controller, samples=samples, evaluator=evaluator))
        return str(path)

    return write


def job(path, seed=0, budget="20"):
    return Job("walk", path, (), seed, Budget.parse(budget))


def test_a_search_goes_on_until_its_budget_whatever_its_config_says(config):
    for samples in (1, 7):
        trajectory = run_job(job(config(samples=samples)))
        assert trajectory.evaluations == 20 if samples == 1 else 20 <= trajectory.evaluations <= 21
        assert all(item.evaluations <= 20 for item in trajectory.incumbents)


def test_incumbents_rise_by_the_signal_and_report_what_the_table_says(config):
    trajectory = run_job(job(config(), budget="60"))
    table, space = open_table("nasbench-201"), NasBench201Space()
    rewards = [item.reward for item in trajectory.incumbents]
    assert rewards == sorted(set(rewards))
    assert len(rewards) > 2
    for item in trajectory.incumbents:
        rows = table.rows(space.benchmark_keys(np.array([space.parse(item.genotype)])))
        assert table.values("cifar10/valid_accuracy@12", rows)[0] == item.reward
        assert table.values("cifar10/test_accuracy@12", rows)[0] == item.report
    assert trajectory.optimum == table.values("cifar10/test_accuracy@12", np.arange(15_625)).max()


def test_equal_seeds_search_alike_and_others_differently(config):
    path = config()
    assert run_job(job(path, 3)) == run_job(job(path, 3))
    assert run_job(job(path, 3)).incumbents != run_job(job(path, 4)).incumbents


def test_cells_outside_the_table_cost_nothing(config):
    path = config(evaluator="{report: cifar10/test_accuracy@200}")
    assert run_job(job(path, budget="200")).evaluations == 200


@pytest.fixture
def timed_table(tmp_path):
    """A table in which cell i takes 1 + i mod 7 seconds; only the first 100 cells were trained."""
    path = tmp_path / "timed.safetensors"
    accuracy = np.where(np.arange(15_625) % 2, np.nan, np.linspace(0, 1, 15_625))
    info = TableInfo(
        name="timed", space="nasbench-201", signal="c/valid_accuracy@1", report="c/valid_accuracy@1"
    )
    columns = [Column(name="c/valid_accuracy@1", cost="c/train_seconds@1"), Column(name="c/train_seconds@1")]
    write_table(
        path,
        info,
        columns,
        {"c/valid_accuracy@1": accuracy, "c/train_seconds@1": 1.0 + np.arange(15_625) % 7},
    )
    return path


def test_a_budget_of_seconds_is_spent_in_seconds(config, timed_table):
    trajectory = run_job(job(config(evaluator=f"{{table: {timed_table}}}"), budget="500s"))
    assert 500 <= trajectory.seconds < 507
    assert trajectory.final.seconds <= 500
    mean = trajectory.seconds / trajectory.evaluations
    assert 3 < mean < 5


def test_a_budget_of_seconds_needs_a_table_that_knows_them(config):
    with pytest.raises(RunError, match="do not say how many seconds"):
        run_job(job(config(), budget="500s"))


@pytest.mark.parametrize("text", ["0", "-3", "1.5", "ten", "10m", ""])
def test_a_budget_is_a_number_of_evaluations_or_seconds(text):
    with pytest.raises(ConfigError, match="a budget is"):
        Budget.parse(text)


def trajectory(algorithm, seed, reports, optimum=1.0, direction="max"):
    incumbents = tuple(
        Incumbent(evaluations=3 * i + 1, seconds=10.0 * i + 5, reward=float(i), report=report, genotype="g")
        for i, report in enumerate(reports)
    )
    return Trajectory(
        algorithm=algorithm,
        seed=seed,
        metric="c/test_accuracy@1",
        direction=direction,
        evaluations=9,
        seconds=100.0,
        optimum=optimum,
        incumbents=incumbents,
    )


def test_the_report_at_a_cost_is_that_of_the_incumbent_then():
    found = trajectory("a", 0, [0.3, 0.2, 0.5]).reports([0, 1, 3, 4, 6, 7, 99], "evaluations")
    assert np.isnan(found[0])
    assert found[1:].tolist() == [0.3, 0.3, 0.2, 0.2, 0.5, 0.5]
    assert trajectory("a", 0, [0.3, 0.2]).reports([5, 14.9, 15], "seconds").tolist() == [0.3, 0.3, 0.2]


def test_the_outcome_ranks_by_the_mean_and_tests_in_pairs(tmp_path):
    finals = {"good": [0.9, 0.8, 0.95, 0.85], "fair": [0.8, 0.85, 0.7, 0.75], "poor": [0.5, 0.4, 0.6, 0.55]}
    searches = {
        name: [trajectory(name, i, [0.1, v]) for i, v in enumerate(values)] for name, values in finals.items()
    }
    outcome = Outcome(searches, Budget.parse("9"))
    standings = outcome.standings()
    assert [s.algorithm for s in standings] == ["good", "fair", "poor"]
    assert [s.rank for s in standings] == [1.25, 1.75, 3.0]
    assert [s.wins for s in standings] == [3, 1, 0]
    assert standings[0].regret == pytest.approx(1 - 0.875)
    comparison = outcome.comparisons()[1]
    assert (comparison.first, comparison.second) == ("good", "poor")
    assert comparison.p == wilcoxon(finals["good"], finals["poor"]) == 0.125
    assert comparison.corrected == 0.375
    outcome.write(tmp_path)
    rows = list(csv.DictReader((tmp_path / "curves.csv").open()))
    of_good = [row for row in rows if row["algorithm"] == "good"]
    assert [float(row["mean"]) for row in of_good] == pytest.approx([0.1] * 3 + [0.875] * 6)
    assert len(list(csv.DictReader((tmp_path / "searches.csv").open()))) == 12
    drawing = ET.parse(tmp_path / "curves.svg").getroot()
    assert len(drawing.findall("{http://www.w3.org/2000/svg}polyline")) == 3


def test_a_report_that_is_better_when_smaller_is_ranked_so():
    searches = {
        name: [trajectory(name, i, [v + i], optimum=0.5, direction="min") for i in range(3)]
        for name, v in (("slow", 3.0), ("quick", 1.0))
    }
    standings = Outcome(searches, Budget.parse("9")).standings()
    assert [(s.algorithm, s.rank, s.regret) for s in standings] == [("quick", 1.0, 1.5), ("slow", 2.0, 3.5)]


def bench_run(*arguments, code=0):
    result = CliRunner().invoke(app, ["bench", "run", *map(str, arguments)], prog_name="awnas")
    assert result.exit_code == code, result.output
    return result


def results(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_one_command_compares_and_the_same_command_goes_on(config, tmp_path):
    one, two = config("one"), config("two", samples=5)
    arguments = (one, f"other={two}", "--budget", 15, "--seeds", 3, "--processes", 1, "--json")
    first = json.loads(bench_run(*arguments, "--out", tmp_path / "a").stdout)
    assert {row["algorithm"] for row in first["ranking"]} == {"one", "other"}
    whole = results(tmp_path / "a")
    assert {"ranking.csv", "curves.csv", "significance.csv", "searches.csv", "curves.svg"} <= set(whole)
    (tmp_path / "a" / "searches" / "other" / "1.json").unlink()  # as if it had been broken off there
    (tmp_path / "a" / "ranking.csv").unlink()
    again = json.loads(bench_run(*arguments, "--out", tmp_path / "a").stdout)
    assert again == first
    assert results(tmp_path / "a") == whole


def test_another_contest_is_not_mixed_in(config, tmp_path):
    path = config()
    bench_run(path, "--budget", 5, "--seeds", 1, "--processes", 1, "--out", tmp_path / "a")
    refused = bench_run(path, "--budget", 6, "--seeds", 1, "--out", tmp_path / "a", code=2)
    assert "other settings of the budget" in refused.output
    refused = bench_run(path, "--budget", 5, "--set", "trainer_cfg.epochs=7", "--out", tmp_path / "a", code=2)
    assert "other settings of walk" in refused.output
    bench_run(path, "--budget", 6, "--seeds", 1, "--processes", 1, "--out", tmp_path / "a", "--overwrite")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    assert "holds no contest" in bench_run(path, "--out", tmp_path / "mine", code=2).output
    assert "one name" in bench_run(path, path, "--out", tmp_path / "b", code=2).output
    assert not (tmp_path / "b").exists()


def test_configs_are_checked_before_anything_runs(config, tmp_path):
    wrong = bench_run(config(), config("two", controller="wlak"), "--out", tmp_path / "a", code=2)
    assert "wlak" in wrong.output
    assert not (tmp_path / "a").exists()


def test_reports_of_different_things_are_not_compared(config, tmp_path):
    one, two = config("one"), config("two", evaluator="{report: cifar100/test_accuracy@12}")
    refused = bench_run(
        one, two, "--budget", 3, "--seeds", 1, "--processes", 1, "--out", tmp_path / "a", code=2
    )
    assert "report different things" in refused.output


def test_a_contest_killed_goes_on_to_the_same_end(config, tmp_path):
    path = config()
    arguments = ["bench", "run", path, "--budget", "300", "--seeds", "12", "--processes", "1", "--out"]
    bench_run(*arguments[2:-1], "--out", tmp_path / "whole")
    command = [sys.executable, "-m", "awnas_core", *arguments, str(tmp_path / "killed")]
    process = subprocess.Popen(
        command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
    )
    searches = tmp_path / "killed" / "searches" / "walk"
    while process.poll() is None and len(list(searches.glob("*.json"))) < 3:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "killed" / "ranking.csv").exists()
    bench_run(*arguments[2:-1], "--out", tmp_path / "killed")
    assert results(tmp_path / "killed") == results(tmp_path / "whole")


def test_entrants_are_named_after_their_files():
    assert Entrant.parse("configs/my-evo.yaml") == Entrant("my-evo", "configs/my-evo.yaml")
    assert Entrant.parse("big=configs/evo.yaml") == Entrant("big", "configs/evo.yaml")
    with pytest.raises(ConfigError, match="no config file and no preset"):
        Contest("folder", [Entrant("a", "nothing")], Budget(1)).enter()
