"""Plugins are found, isolated, blocked and looked up; conflicts are named, never decided by chance."""

from __future__ import annotations

import importlib.metadata
import sys
import types
from pathlib import Path

import pytest

from awnas_core import ComponentSpec, KindSpec, hookimpl
from awnas_core.errors import PluginError, RegistryError
from awnas_core.plugins.manager import PluginManager, PluginRecord, discover
from awnas_core.plugins.registry import Registry

KINDS = [KindSpec(name="controller"), KindSpec(name="objective"), KindSpec(name="rollout")]


def plugin(name: str, components: object = (), kinds: object = (), **attributes: object) -> types.ModuleType:
    module = types.ModuleType(f"plugin_{name}")
    module.awnas_api = 1
    module.awnas_components = hookimpl(
        lambda: list(components) if isinstance(components, (list, tuple)) else components
    )
    module.awnas_kinds = hookimpl(lambda: list(kinds))
    vars(module).update(attributes)
    return module


def manager_of(**plugins: types.ModuleType | Exception) -> PluginManager:
    manager = PluginManager()
    manager.add(PluginRecord(name="core", origin="awnas-core"), lambda: plugin("core", kinds=KINDS))
    for name, module in plugins.items():

        def load(module: types.ModuleType | Exception = module) -> types.ModuleType:
            if isinstance(module, Exception):
                raise module
            return module

        manager.add(PluginRecord(name=name, origin=name.replace("_", "-"), version="1.2"), load)
    return manager


def spec(name: str, kind: str = "controller", **facts: object) -> ComponentSpec:
    return ComponentSpec(kind=kind, name=name, target=facts.pop("target", "json:loads"), **facts)


def statuses(manager: PluginManager) -> dict[str, str]:
    return {record.name: record.status for record in manager.records}


def test_components_know_the_distribution_they_come_from():
    registry = Registry(manager_of(mine=plugin("mine", [spec("search-it")])))
    found = registry.find("controller", "search_it")
    assert (found.name, found.distribution, found.version, found.plugin) == (
        "search-it",
        "mine",
        "1.2",
        "mine",
    )


def test_a_plugin_that_raises_at_import_is_isolated_with_its_reason():
    manager = manager_of(
        bad=ModuleNotFoundError("No module named 'fvcore'"), good=plugin("good", [spec("ok")])
    )
    registry = Registry(manager)
    assert statuses(manager) == {"core": "loaded", "bad": "failed", "good": "loaded"}
    assert "fvcore" in next(r.error for r in manager.records if r.name == "bad")
    assert registry.names("controller") == ["ok"]
    with pytest.raises(RegistryError, match="failed plugins: bad"):
        registry.find("controller", "gone")


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"awnas_api": 2}, "version 2 of the plugin protocol"),
        ({"awnas_components": hookimpl(lambda unknown: [])}, "unknown"),
        ({"awnas_componets": hookimpl(lambda: None)}, "no hook 'awnas_componets'"),
        ({"awnas_components": hookimpl(lambda: "text")}, "must return a list of ComponentSpec"),
        ({"awnas_components": hookimpl(lambda: ["text"])}, "must return ComponentSpec objects"),
        ({"awnas_components": hookimpl(lambda: 1 / 0)}, "ZeroDivisionError"),
    ],
)
def test_a_plugin_that_breaks_the_protocol_is_isolated_and_told_why(broken, message):
    manager = manager_of(bad=plugin("bad", **broken), good=plugin("good", [spec("ok")]))
    registry = Registry(manager)
    assert statuses(manager)["bad"] == "failed"
    assert message in next(record.error for record in manager.records if record.name == "bad")
    assert registry.names("controller") == ["ok"]


def test_a_plugin_without_a_stated_version_is_refused():
    module = plugin("bad")
    del module.awnas_api
    manager = manager_of(bad=module)
    assert "awnas_api" in manager.records[-1].error


@pytest.mark.parametrize("swapped", [False, True])
def test_two_plugins_that_claim_a_name_disable_only_that_name_whatever_their_order(swapped):
    plugins = {"one": plugin("one", [spec("same"), spec("mine")]), "two": plugin("two", [spec("same")])}
    registry = Registry(manager_of(**dict(reversed(plugins.items())) if swapped else plugins))
    assert registry.names("controller") == ["mine"]
    with pytest.raises(RegistryError, match="claimed by one and two"):
        registry.find("controller", "same")


def test_awnas_keeps_its_names_unless_the_other_says_replaces():
    ours = plugin("ours", [spec("rl")])
    registry = Registry(manager_of(awnas_controllers=ours, intruder=plugin("intruder", [spec("rl")])))
    assert registry.find("controller", "rl").distribution == "awnas-controllers"
    assert "awnas-controllers keeps it" in registry.refused[0].reason
    registry = Registry(
        manager_of(awnas_controllers=ours, other=plugin("other", [spec("rl", replaces=True)]))
    )
    assert registry.find("controller", "rl").distribution == "other"


def test_an_alias_never_takes_the_name_of_another_component():
    registry = Registry(
        manager_of(one=plugin("one", [spec("a", aliases=("b",))]), two=plugin("two", [spec("b")]))
    )
    assert registry.find("controller", "b").distribution == "two"


def test_a_component_of_an_undeclared_kind_is_refused():
    registry = Registry(manager_of(mine=plugin("mine", [spec("x", kind="wizard")])))
    assert "nobody declares the kind 'wizard'" in registry.refused[0].reason


def test_a_plugin_may_declare_a_kind_and_components_of_it():
    mine = plugin("mine", [spec("x", kind="wizard")], [KindSpec(name="wizard", aliases=("magician",))])
    assert Registry(manager_of(mine=mine)).find("magician", "x").kind == "wizard"


def test_a_missing_component_names_the_distribution_to_install_or_the_nearest_name():
    registry = Registry(manager_of(mine=plugin("mine", [spec("search-it")])))
    with pytest.raises(RegistryError, match="pip install awnas-controllers"):
        registry.find("controller", "rl")
    with pytest.raises(RegistryError, match="did you mean 'search-it'"):
        registry.find("controller", "serch_it")
    with pytest.raises(RegistryError, match="did you mean 'controller'"):
        registry.find("controler", "rl")


def test_a_rollout_may_say_that_a_component_of_another_plugin_takes_it():
    mine = plugin("mine", [spec("my-rollout", kind="rollout", supports=(("controller", "rl"),))])
    ours = plugin("ours", [spec("rl", rollouts=("discrete",)), spec("evo", rollouts=("discrete",))])
    registry = Registry(manager_of(mine=mine, ours=ours))
    assert registry.takes(registry.find("controller", "rl"), "my_rollout")
    assert not registry.takes(registry.find("controller", "evo"), "my-rollout")


def test_a_target_that_cannot_be_imported_is_an_error_that_names_it():
    registry = Registry(manager_of(mine=plugin("mine", [spec("x", target="no_such_module:X")])))
    with pytest.raises(PluginError, match="controller 'x' of mine cannot be imported"):
        registry.load(registry.find("controller", "x"))


LOCAL = """
from awnas_core import component, Controller

@component("controller", "mine", rollouts=("discrete",), summary="Mine.")
class Mine(Controller):
    def sample(self, n, purpose="propose"): return []
    def step(self, rollouts): return {}
"""


def environment(folder: Path, **more: str) -> dict[str, str]:
    return {"AWNAS_PLUGIN_DIR": str(folder), **more}


def test_local_plugin_files_are_run_and_tests_beside_them_are_not(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "mine.py").write_text(LOCAL)
    (tmp_path / "test_mine.py").write_text("raise SystemError")
    (tmp_path / "broken.py").write_text("import no_such_module")
    manager = discover(environ=environment(tmp_path))
    registry = Registry(manager)
    assert statuses(manager)["mine"] == "loaded"
    assert statuses(manager)["broken"] == "failed"
    assert "test_mine" not in statuses(manager)
    assert registry.load(registry.find("controller", "mine")).__name__ == "Mine"


def test_local_plugins_are_left_alone_when_only_commands_are_wanted(tmp_path):
    (tmp_path / "mine.py").write_text(LOCAL)
    assert "mine" not in statuses(discover(local=False, environ=environment(tmp_path)))


def test_plugins_are_blocked_by_name_and_a_removed_file_is_gone_at_once(tmp_path):
    (tmp_path / "mine.py").write_text(LOCAL)
    assert (
        statuses(discover(environ=environment(tmp_path, AWNAS_DISABLE_PLUGINS="other,mine")))["mine"]
        == "blocked"
    )
    assert (
        statuses(discover(environ=environment(tmp_path, AWNAS_DISABLE_PLUGIN_AUTOLOAD="1")))["mine"]
        == "blocked"
    )
    (tmp_path / "mine.py").unlink()
    assert "mine" not in statuses(discover(environ=environment(tmp_path)))


def test_a_plugin_file_asked_for_by_name_must_work(tmp_path):
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text(LOCAL)
    bad.write_text("1 / 0")
    environ = environment(tmp_path / "none")
    assert "mine" in Registry(discover(files=[good], environ=environ)).names("controller")
    with pytest.raises(PluginError, match="ZeroDivisionError"):
        discover(files=[bad], environ=environ)
    with pytest.raises(PluginError, match="no plugin file"):
        discover(files=[tmp_path / "absent.py"], environ=environ)


def test_nothing_is_written_and_nothing_heavy_is_loaded_by_discovery(tmp_path):
    before = set(sys.modules)
    discover(environ=environment(tmp_path / "plugins"))
    assert not {"torch", "torchvision", "sklearn", "scipy", "pydantic"} & (set(sys.modules) - before)
    assert not (tmp_path / "plugins").exists()


def test_every_installed_plugin_of_awnas_loads():
    installed = {point.name for point in importlib.metadata.entry_points(group="awnas")}
    loaded = {record.name for record in discover(local=False).records if record.status == "loaded"}
    assert installed <= loaded
