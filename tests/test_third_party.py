"""Plugins of others: a distribution and a single file are used like awnas's own; a broken one costs one line."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

EXAMPLE = Path(__file__).parents[1] / "examples" / "awnas-example-plugin"
LOCAL = """\
from awnas_core import Purpose, component
from awnas_core.testing.toys import ToyController

@component("controller", "last", summary="Derives the last architecture of the space.")
class LastController(ToyController):
    def sample(self, n, purpose=Purpose.PROPOSE):
        if purpose != Purpose.DERIVE:
            return super().sample(n, purpose)
        last = tuple(len(decision.choices) - 1 for decision in self.search_space.decisions)
        return [self.search_space.rollout(last) for _ in range(n)]
"""
GOOD = """\
from awnas_core import ComponentSpec, hookimpl
awnas_api = 1

@hookimpl
def awnas_components():
    return [ComponentSpec(kind="controller", name="good", target="awnas_core.testing.toys:ToyController")]
"""
KINDS = """
@hookimpl
def awnas_kinds():
    from awnas_core import KindSpec
    return [KindSpec(name="wizard", aliases=("controller",))]
"""
BROKEN = {
    "raises": ("import no_such_module_anywhere\n", "No module named 'no_such_module_anywhere'"),
    "leaves": ("import sys\nsys.exit('usage: leaves FILE')\n", "SystemExit: usage: leaves FILE"),
    "newer": (
        GOOD.replace("awnas_api = 1", "awnas_api = 2"),
        "version 2 of the plugin protocol, this awnas-core speaks 1",
    ),
    "silent": (GOOD.replace("awnas_api = 1", ""), "it does not state awnas_api"),
    "misspelt": (GOOD.replace("def awnas_components", "def awnas_componets"), "no hook 'awnas_componets'"),
}


def unpack_wheel(wheel: Path, site: Path) -> None:
    """Install a wheel of pure Python."""
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(site)


@pytest.fixture(scope="session")
def example_wheel(tmp_path_factory) -> Path:
    """The example plugin, built as its authors would build it."""
    project = tmp_path_factory.mktemp("build") / "project"
    shutil.copytree(EXAMPLE, project)
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel"],
        cwd=project,
        check=True,
        capture_output=True,
    )
    return next((project / "dist").glob("*.whl"))


@pytest.fixture
def site(tmp_path, monkeypatch) -> Path:
    """A folder in which distributions can be installed and are found, here and in new processes."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    yield folder
    for name in [
        name
        for name in sys.modules
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder))
    ]:
        del sys.modules[name]


def install(site: Path, name: str, code: str, entry_point: str = "") -> None:
    """Install a distribution of one module, as pip would leave it."""
    (site / f"awnas_{name}.py").write_text(code)
    metadata = site / f"awnas_{name}-0.3.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: awnas-{name}\nVersion: 0.3\n")
    (metadata / "entry_points.txt").write_text(f"[awnas]\n{name} = {entry_point or f'awnas_{name}'}\n")
    importlib.invalidate_caches()


def listed(awnas) -> dict[tuple[str, str], str]:
    rows = awnas.json("registry", "--json")["components"]
    return {(row["kind"], row["name"]): row["distribution"] for row in rows}


def test_the_example_is_complete_in_less_than_sixty_lines():
    files = [EXAMPLE / "pyproject.toml", *EXAMPLE.rglob("*.py")]
    assert sum(len(file.read_text().splitlines()) for file in files) < 60


def test_a_distribution_and_a_local_file_are_listed_and_used_by_a_search(
    awnas, example_wheel, site, own_home, search_cfg, tmp_path
):
    assert ("controller", "hill-climb") not in listed(awnas)
    unpack_wheel(example_wheel, site)
    (own_home / "plugins").mkdir()
    local = own_home / "plugins" / "last.py"
    local.write_text(LOCAL)
    components = listed(awnas)
    assert components["controller", "hill-climb"] == components["objective", "calm"] == "awnas-example-plugin"
    assert components["controller", "last"] == str(local)

    options = ["--set", "objective_type=calm", "--set", "controller_cfg={}", "--seed", 1]
    for controller in ("hill-climb", "last"):
        run = tmp_path / controller
        awnas("search", search_cfg, "--set", f"controller_type={controller}", *options, "--train-dir", run)
    for line in (tmp_path / "hill-climb" / "metrics.jsonl").read_text().splitlines():
        row = json.loads(line)  # the reward that only this objective gives
        assert row["controller/reward"] != row["controller/acc"]
    derived = yaml.safe_load((tmp_path / "last" / "genotypes.yaml").read_text())
    assert len(set(derived)) == 1
    assert derived[0].count("conv_bn_relu_1x1") == 8  # the last operation, everywhere
    environment = json.loads((tmp_path / "last" / "environment.json").read_text())
    assert environment["versions"]["awnas-example-plugin"] == "0.1.0"


def test_a_plugin_is_there_as_soon_as_it_is_installed_and_gone_when_it_is_removed(awnas, example_wheel, site):
    unpack_wheel(example_wheel, site)
    assert ("controller", "hill-climb") in listed(awnas)
    shutil.rmtree(next(site.glob("*.dist-info")))
    assert ("controller", "hill-climb") not in listed(awnas)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin_is_named_with_its_reason_and_the_rest_works(awnas, site, search_cfg, name):
    code, reason = BROKEN[name]
    install(site, name, code)
    install(site, "good", GOOD)
    done = awnas("registry", "-t", "controller")
    assert "controller\tgood\tany\t\tawnas-good 0.3" in done.out
    warning = f"warning: plugin '{name}' (awnas-{name} 0.3) was skipped: "
    assert [line for line in done.err.splitlines() if line.startswith(warning)]
    assert reason in done.err
    assert len(done.err.splitlines()) == 1
    records = {record["name"]: record for record in awnas.json("plugins", "--json")["plugins"]}
    assert records[name]["status"] == "failed"
    assert reason in records[name]["error"]
    assert records["good"]["status"] == records["core"]["status"] == "loaded"
    assert "ok (" in awnas("check", search_cfg).out
    assert name in awnas("check", search_cfg, "--set", "controller_type=gone", code=2).err


def test_a_claim_to_a_name_that_is_taken_is_refused_and_only_that(awnas, site, search_cfg):
    install(site, "claims", GOOD.replace('name="good"', 'name="rl"'))
    install(site, "alsogood", GOOD)
    install(site, "good", GOOD)
    components = listed(awnas)
    assert components["controller", "rl"] == "awnas-controllers"
    assert ("controller", "good") not in components
    refused = awnas.json("plugins", "--json")["refused"]
    reasons = {(row["name"], row["distribution"]): row["reason"] for row in refused}
    assert (
        "claimed by awnas-claims and awnas-controllers: awnas-controllers keeps it"
        in reasons["rl", "awnas-claims"]
    )
    assert "claimed by awnas-alsogood and awnas-good: nobody gets it" in reasons["good", "awnas-good"]
    assert "left out: controller 'rl' of awnas-claims" in awnas("plugins").out
    assert "ok (" in awnas("check", search_cfg).out  # which uses rl
    complaint = awnas("check", search_cfg, "--set", "controller_type=good", code=2).err
    assert "claimed by awnas-alsogood and awnas-good" in complaint


def test_a_claim_to_the_name_of_a_kind_is_refused_and_only_that(awnas, site, search_cfg):
    install(site, "good", GOOD + KINDS)
    done = awnas("check", search_cfg)
    assert (
        "kind 'wizard' of awnas-good is left out: it takes a name of kind 'controller' of awnas-core"
        in done.err
    )
    assert ("controller", "good") in listed(awnas)


WIZARD = """\
from awnas_core import Component, KindSpec, component, hookimpl
from awnas_core.testing.toys import ToyController

@hookimpl
def awnas_kinds():
    return [KindSpec(name="wizard", summary="Gives the controller a hint.")]

@component("wizard", "merlin")
class Merlin(Component):
    def __init__(self, search_space, *, staff: str = "oak"):
        self.space, self.staff, self.epochs = search_space, staff, 0

    def on_epoch_start(self, epoch):
        self.epochs += 1

    def state(self):
        return {"epochs": self.epochs}

    def load_state(self, state):
        self.epochs = state["epochs"]

@component("controller", "apprentice")
class Apprentice(ToyController):
    def __init__(self, search_space, rng, wizard):
        super().__init__(search_space, rng)
        self.wizard = wizard

    def step(self, rollouts):
        return {"hint": {"oak": 1.0, "ash": 2.0}[self.wizard.staff] + self.wizard.epochs}
"""


def test_a_kind_of_a_plugin_stands_in_a_config_like_any_other(awnas, search_cfg, tmp_path):
    plugin = tmp_path / "wizard.py"
    plugin.write_text(WIZARD)
    options = ["--plugin", plugin, "--set", "controller_type=apprentice", "--set", "controller_cfg={}"]
    assert (
        "wizard_type: required by controller 'apprentice'" in awnas("check", search_cfg, *options, code=2).err
    )
    options += ["--set", "wizard_type=merlin"]
    misspelt = awnas("check", search_cfg, *options, "--set", "wizard_cfg.staf=ash", code=2).err
    assert "no such option of merlin; did you mean 'staff'?" in misspelt
    run = tmp_path / "run"
    search = [
        "search",
        search_cfg,
        *options,
        "--set",
        "wizard_cfg.staff=ash",
        "--train-dir",
        run,
        "--seed",
        0,
    ]
    awnas(*search, "--set", "trainer_cfg.epochs=1")
    awnas(
        *search, "--set", "trainer_cfg.epochs=2", "--resume"
    )  # its epochs and its state are kept like any other's
    hints = [json.loads(line)["controller/hint"] for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert hints == [3.0, 4.0]


OPTIMIZERS = """
from torch.optim import SGD
from torch.optim.lr_scheduler import LRScheduler
from awnas_core import component

@component("optimizer", "sign-descent")
class SignDescent(SGD):
    def step(self, closure=None):
        for parameter in self.param_groups[0]["params"]:
            if parameter.grad is not None:
                parameter.grad.sign_()
        return super().step(closure)

@component("lr_scheduler", "Countdown")
class Countdown(LRScheduler):
    def __init__(self, optimizer, total: int, last_epoch: int = -1):
        self.total = total
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        print(f"{self.total - self.last_epoch} to go")
        return [lr * (1 - self.last_epoch / self.total) for lr in self.base_lrs]
"""


def test_optimizers_and_schedulers_of_a_plugin_are_used_by_a_search(awnas, tmp_path):
    plugin = tmp_path / "optimizers.py"
    plugin.write_text(OPTIMIZERS)
    settings = "trainer_cfg.controller_optimizer={type: sign_descent, lr: 0.5}", "trainer_cfg.epochs=2"
    options = ["--plugin", plugin, *(word for text in settings for word in ("--set", text))]
    scheduler = "trainer_cfg.controller_scheduler={type: countdown, total: 4}"
    run = tmp_path / "run"
    done = awnas("search", "nb201-rl", *options, "--set", scheduler, "--train-dir", run)
    assert [f"{left} to go" in done.out for left in (4, 3, 2, 1)] == [True, True, True, False]
    resolved = yaml.safe_load((run / "resolved.yaml").read_text())["trainer_cfg"]
    assert resolved["controller_optimizer"] == {"type": "sign_descent", "lr": 0.5}
    wrong = awnas(
        "check", "nb201-rl", *options, "--set", "trainer_cfg.controller_scheduler.type=countdwn", code=2
    )
    assert "no lr_scheduler 'countdwn'; did you mean 'Countdown'?" in wrong.err


def test_a_component_of_a_failed_official_plugin_says_why_it_is_missing(awnas, search_cfg, monkeypatch):
    monkeypatch.setitem(sys.modules, "awnas_controllers.plugin", None)
    done = awnas("check", search_cfg, code=2)
    assert "controller 'rl' belongs to plugin 'controllers' (awnas-controllers), which is failed" in done.err


@pytest.mark.parametrize(
    "blocking", [{"AWNAS_DISABLE_PLUGINS": "good"}, {"AWNAS_DISABLE_PLUGIN_AUTOLOAD": "1"}]
)
def test_plugins_can_be_blocked(awnas, site, monkeypatch, blocking):
    install(site, "good", GOOD)
    assert ("controller", "good") in listed(awnas)
    for name, value in blocking.items():
        monkeypatch.setenv(name, value)
    assert ("controller", "good") not in listed(awnas)
    records = {record["name"]: record for record in awnas.json("plugins", "--json")["plugins"]}
    assert (records["good"]["status"], records["good"]["error"]) == ("blocked", *blocking)
    assert records["controllers"]["status"] == "loaded"


COMMAND = """\
from awnas_core import CommandSpec, hookimpl
awnas_api = 1

@hookimpl
def awnas_commands():
    return [CommandSpec(name="greet", target="awnas_greeting_command:greet", summary="Greet somebody.")]
"""


def test_a_command_of_a_plugin_is_imported_only_when_it_is_called(awnas, site):
    install(site, "greeting", COMMAND)
    assert "greet " in awnas("--help").out
    assert "Greet somebody." in awnas("--help").out
    assert "cannot be imported from 'awnas_greeting_command:greet'" in awnas("greet", code=2).err
    (site / "awnas_greeting_command.py").write_text(
        "import typer\ndef greet(name: str):\n    typer.echo(f'hello {name}')\n"
    )
    importlib.invalidate_caches()
    assert awnas("greet", "nas").out == "hello nas\n"


def test_nothing_is_written_outside_the_environment(example_wheel, site, own_home, tmp_path):
    unpack_wheel(example_wheel, site)
    plugins = own_home / "plugins"
    plugins.mkdir()
    (plugins / "last.py").write_text(LOCAL)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for command in ("registry", "plugins", "presets", "--help"):
        subprocess.run(
            [sys.executable, "-m", "awnas_core", command],
            cwd=elsewhere,
            env=environment | {"HOME": str(elsewhere)},
            capture_output=True,
            check=True,
        )
    assert list(elsewhere.rglob("*")) == []
    assert set(own_home.rglob("*")) == {plugins, plugins / "last.py"}
