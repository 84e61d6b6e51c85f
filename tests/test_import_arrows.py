"""Imports point one way, down to awnas-core, and every package declares what it imports."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGES = Path(__file__).parents[1] / "packages"

# Distribution → what else of awnas it may import.
ARROWS = {
    "awnas": set(),
    "awnas-benchmarks": {"awnas-core", "awnas-spaces"},
    "awnas-core": set(),
    "awnas-torch": {"awnas-core"},
    "awnas-spaces": {"awnas-core"},
    "awnas-controllers": {"awnas-core", "awnas-torch"},
    "awnas-networks": {"awnas-core", "awnas-torch", "awnas-spaces"},
    "awnas-training": {"awnas-core", "awnas-torch"},
    "awnas-germ": {"awnas-core", "awnas-torch"},
    "awnas-hardware": {"awnas-core", "awnas-torch"},
    "awnas-predictors": {"awnas-core", "awnas-torch", "awnas-spaces", "awnas-controllers"},
    "awnas-text": {"awnas-core", "awnas-torch", "awnas-networks", "awnas-training"},
}
THIRD_PARTY = {
    "awnas": set(),
    "awnas-benchmarks": {"numpy", "typer"},
    "awnas-core": {
        "annotated-types",
        "numpy",
        "pluggy",
        "pydantic",
        "pydantic-core",
        "pyyaml",
        "rich",
        "safetensors",
        "typer",
    },
    "awnas-torch": {"numpy", "pyyaml", "torch"},
    "awnas-spaces": {"numpy"},
    "awnas-controllers": {"numpy", "torch"},
    "awnas-networks": {"numpy", "torch"},
    "awnas-training": {"numpy", "pillow", "scikit-learn", "scipy", "torch", "torchvision", "typer"},
    "awnas-germ": {"numpy", "torch"},
    "awnas-hardware": {"numpy", "rich", "safetensors", "scikit-learn", "scipy", "torch", "typer"},
    "awnas-predictors": {"numpy", "scikit-learn", "torch"},
    "awnas-text": {"numpy", "torch"},
}
# The only modules of awnas-core that may load torch, and only when a tensor or --vis-dir asks for it.
ON_DEMAND = {("run/state.py", "safetensors.torch"), ("run/tensorboard.py", "torch.utils.tensorboard")}
STANDARD_LIBRARY = sys.stdlib_module_names | {"annotationlib"}  # new in Python 3.14
IMPORTED_WITH = {"pydantic-core": "pydantic"}  # a part that its owner pins to itself


class Import(NamedTuple):
    """One import statement, or call of import_module with a literal."""

    module: str
    file: str
    line: int


def imports_of(distribution: str) -> list[Import]:
    root = PACKAGES / distribution / "src" / distribution.replace("-", "_")
    return [
        Import(module, file.relative_to(root).as_posix(), line)
        for file in sorted(root.rglob("*.py"))
        for module, line in imports_in(ast.parse(file.read_text()), package=root.name)
    ]


def imports_in(tree: ast.AST, package: str) -> list[tuple[str, int]]:
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found += [(alias.name, node.lineno) for alias in names]
            case ast.ImportFrom(module=module, names=names, level=level):
                origin = package if level else module
                found += [(f"{origin}.{alias.name}", node.lineno) for alias in names]
            case ast.Call(func=ast.Attribute(attr="import_module"), args=[ast.Constant(value=str(name)), *_]):
                found.append((name, node.lineno))
    return found


def distribution_of(module: str) -> str | None:
    """Return who ships a module, None for the standard library."""
    top = module.partition(".")[0]
    if top in STANDARD_LIBRARY:
        return None
    if (PACKAGES / top.replace("_", "-")).is_dir():
        return top.replace("_", "-")
    owners = installed().get(top)
    assert owners, f"'{module}' is not installed, so nobody knows which distribution it is from"
    return normalized(owners[0])


@functools.cache
def installed() -> dict[str, list[str]]:
    return packages_distributions()


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(distribution: str) -> set[str]:
    project = tomllib.loads((PACKAGES / distribution / "pyproject.toml").read_text())["project"]
    return {normalized(re.match(r"[\w.-]+", line)[0]) for line in project["dependencies"]}


def imported(distribution: str) -> dict[str, Import]:
    """Return every foreign distribution that is imported, with one place that does."""
    found = {distribution_of(item.module): item for item in imports_of(distribution)}
    return {name: item for name, item in found.items() if name not in {None, distribution}}


def test_every_package_states_what_it_may_import():
    folders = {file.parent.name for file in PACKAGES.glob("*/pyproject.toml")}
    assert folders == set(ARROWS) == set(THIRD_PARTY)


@pytest.mark.parametrize("distribution", ARROWS)
def test_imports_follow_the_arrows(distribution):
    allowed = ARROWS[distribution] | THIRD_PARTY[distribution]
    if distribution == "awnas-core":
        allowed = allowed | {distribution_of(module) for _, module in ON_DEMAND}
    broken = [
        f"{item.file}:{item.line} imports {item.module}"
        for item in imported(distribution).values()
        if distribution_of(item.module) not in allowed
    ]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("distribution", ARROWS)
def test_what_is_imported_is_declared(distribution):
    needed = {
        IMPORTED_WITH.get(name, name): item
        for name, item in imported(distribution).items()
        if not (distribution == "awnas-core" and name == "torch")
    }
    missing = {name: item for name, item in needed.items() if name not in declared(distribution)}
    assert not missing


@pytest.mark.parametrize("distribution", sorted(set(ARROWS) - {"awnas"}))
def test_what_is_declared_is_imported(distribution):
    assert declared(distribution) - set(imported(distribution)) == set()


def test_the_bundle_is_everything_else():
    assert declared("awnas") == set(ARROWS) - {"awnas"}


def test_the_core_reaches_for_torch_in_two_places_only():
    loads_torch = {
        (item.file, item.module) for item in imports_of("awnas-core") if "torch" in item.module.split(".")
    }
    assert loads_torch <= ON_DEMAND


@pytest.mark.parametrize("distribution", ["awnas-benchmarks", "awnas-core", "awnas-spaces"])
def test_importing_every_module_of_a_light_package_leaves_torch_alone(distribution):
    package = distribution.replace("-", "_")
    code = (
        "import importlib, pkgutil, sys\n"
        f"import {package} as package\n"
        "for module in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "    if not module.name.endswith('__main__'): importlib.import_module(module.name)\n"
        "print(*sorted({'torch', 'torchvision', 'sklearn', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


@pytest.mark.parametrize("distribution", sorted(set(ARROWS) - {"awnas"}))
def test_a_table_of_contents_imports_the_core_only(distribution):
    package = distribution.replace("-", "_")
    code = f"import sys, {package}.plugin\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    heavy = {"numpy", "pydantic", "rich", "safetensors", "sklearn", "torch", "torchvision", "typer", "yaml"}
    assert heavy & set(done.stdout.split()) == set()


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import torch.nn", "torch.nn"),
        ("def f():\n    from torch import nn", "torch.nn"),
        ("from safetensors import torch", "safetensors.torch"),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch", "torch"),
        ("import importlib\nimportlib.import_module('torch.utils')", "torch.utils"),
    ],
)
def test_no_way_of_importing_goes_unseen(source, found):
    assert found in [module for module, _ in imports_in(ast.parse(source), "awnas_core")]
