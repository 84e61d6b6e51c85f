"""What is run on awnas: ``nox -l`` lists it, ``nox -s tests -- -k cell`` hands arguments on.

Every session gets an environment of its own from uv, which links big wheels from its cache.
"""

from __future__ import annotations

import functools
import os
import shutil
import tomllib
from pathlib import Path

import nox

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "uv"
nox.options.sessions = ["lint", "types", "tests"]

PACKAGES = Path("packages")
DISTRIBUTIONS = sorted(folder.parent.name for folder in PACKAGES.glob("*/pyproject.toml"))
PINNED = ("-c", "constraints.txt")
TEST_TOOLS = ("pytest", "pytest-xdist", "hypothesis", "jsonschema", "moocore", "hatchling")
ON_ALL_CORES = ("-n", "auto")
LOWEST_TEST_TOOLS = (
    "pytest>=8.3",
    "pytest-xdist>=3.6",
    "hypothesis>=6.100",
    "jsonschema>=4.20",
    "moocore>=0.1.7",
    "hatchling>=1.26",
)
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

# Commands may cache what they compile: importing torch takes three times as long without.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

QUICKSTART = [
    "awnas search enas-digits --train-dir runs/quickstart/search --seed 0 --overwrite",
    "awnas derive enas-digits --load runs/quickstart/search -o runs/quickstart/genotypes.yaml -n 8 --test",
    "awnas train enas-digits-final --genotype runs/quickstart/genotypes.yaml"
    " --train-dir runs/quickstart/final --seed 0 --overwrite",
    "awnas test enas-digits-final --load runs/quickstart/final --split test",
]


@functools.cache
def local_closure(distribution: str) -> tuple[str, ...]:
    """Return the distribution and every one of this workspace that it needs."""
    project = tomllib.loads((PACKAGES / distribution / "pyproject.toml").read_text())["project"]
    direct = [
        needed for needed in DISTRIBUTIONS if any(_names(line, needed) for line in project["dependencies"])
    ]
    found = {distribution, *(name for needed in direct for name in local_closure(needed))}
    return tuple(sorted(found))


def _names(requirement: str, distribution: str) -> bool:
    return requirement.startswith(distribution) and requirement[len(distribution) :][:1] in "<>=~! ;"


def editable(*distributions: str) -> list[str]:
    """Return the arguments that install distributions from the work tree."""
    return [argument for name in distributions for argument in ("-e", str(PACKAGES / name))]


def install_workspace(session: nox.Session, *extra: str) -> None:
    """Install every distribution editable, at the versions of constraints.txt."""
    session.install(*PINNED, *editable(*DISTRIBUTIONS), *extra)


@nox.session(reuse_venv=True)
def quickstart(session: nox.Session) -> None:
    """Search, derive, train and test on the handwritten digits."""
    install_workspace(session)
    for command in QUICKSTART:
        session.run(*command.split(), *session.posargs)


@nox.session(reuse_venv=True)
def tests(session: nox.Session) -> None:
    """Run all tests but the slow ones."""
    install_workspace(session, *TEST_TOOLS)
    session.run("python", "-m", "pytest", *ON_ALL_CORES, *session.posargs)


@nox.session(reuse_venv=True)
def slow(session: nox.Session) -> None:
    """Run the tests that take minutes."""
    install_workspace(session, *TEST_TOOLS)
    session.run("python", "-m", "pytest", "-m", "slow", *session.posargs)


@nox.session(reuse_venv=True)
def coverage(session: nox.Session) -> None:
    """Measure which statements of awnas-core its tests, and those that cross packages, reach; fails below the bound."""
    install_workspace(session, *TEST_TOOLS, "coverage")
    session.run("coverage", "erase")
    paths = session.posargs or [
        str(PACKAGES / "awnas-core"),
        "tests",
    ]  # the other packages' own add nothing to it
    session.run("coverage", "run", "-m", "pytest", *ON_ALL_CORES, *paths)
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report")


@nox.session
@nox.parametrize("distribution", DISTRIBUTIONS, ids=DISTRIBUTIONS)
def package(session: nox.Session, distribution: str) -> None:
    """Test one distribution, its README too, in an environment with only what it declares."""
    session.install(*PINNED, *editable(*local_closure(distribution)), *TEST_TOOLS)
    session.run("python", "-m", "pytest", *ON_ALL_CORES, str(PACKAGES / distribution), *session.posargs)


@nox.session
def wheels(session: nox.Session) -> None:
    """Build every wheel and use awnas from wheels alone, first a part of it, then the whole."""
    folder = Path(session.create_tmp()) / "wheels"
    shutil.rmtree(folder, ignore_errors=True)
    for distribution in DISTRIBUTIONS:
        session.run(
            "uv", "build", "--quiet", "--wheel", "--out-dir", str(folder), str(PACKAGES / distribution)
        )
    # By path: an index, a folder included, is cached by version, which rebuilding does not change.
    parts = {name: str(next(folder.glob(f"{name.replace('-', '_')}-*.whl"))) for name in DISTRIBUTIONS}
    session.install(
        *PINNED, *(parts[name] for name in local_closure("awnas-controllers")), "pytest", "hypothesis"
    )
    session.run("python", "-m", "pytest", "tests/wheels/check_parts.py")
    session.install(*PINNED, *parts.values())
    session.run("awnas", "--help")
    session.run("awnas", "registry")
    session.run("python", "-m", "pytest", "tests/wheels/check_whole.py")
    session.install("--no-deps", "examples/awnas-example-plugin")
    session.run("python", "-m", "pytest", "tests/wheels/check_example.py")


@nox.session
def floor(session: nox.Session) -> None:
    """Test with the lowest versions that the packages say they work with."""
    session.install("--resolution", "lowest-direct", *editable(*DISTRIBUTIONS), *LOWEST_TEST_TOOLS)
    session.run("python", "-m", "pytest", *ON_ALL_CORES, *session.posargs)


@nox.session
def latest(session: nox.Session) -> None:
    """Test with the newest versions there are."""
    session.install("--upgrade", *editable(*DISTRIBUTIONS), *TEST_TOOLS)
    session.run("python", "-m", "pytest", *ON_ALL_CORES, *session.posargs)


@nox.session(reuse_venv=True)
def lint(session: nox.Session) -> None:
    """Check style and formatting; ``-- --fix`` repairs what can be repaired."""
    session.install(*PINNED, "ruff")
    fix = "--fix" in session.posargs
    session.run("ruff", "check", *(["--fix"] if fix else []))
    session.run("ruff", "format", *([] if fix else ["--check"]))


@nox.session(reuse_venv=True)
def types(session: nox.Session) -> None:
    """Check types: strictly in awnas-core, reasonably elsewhere."""
    install_workspace(session, "mypy", "types-pyyaml")
    session.run("mypy", *session.posargs)


@nox.session(reuse_venv=True)
def bench(session: nox.Session) -> None:
    """Run the scripts of benchmarks/, or those given; each prints what it measured."""
    install_workspace(session)
    for script in session.posargs or sorted(map(str, Path("benchmarks").glob("*.py"))):
        session.run("python", script, env=ONE_THREAD)
