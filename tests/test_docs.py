"""Every command and every example of the README and of docs/ works, page by page from top to bottom."""

from __future__ import annotations

import ast
import doctest
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from awnas_core.cli.app import app

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"# ([\w.-]+\.(?:py|yaml))\b")

IN_SECONDS = {
    "search": (
        "trainer_cfg={epochs: 2, evaluator_steps: 2, controller_steps: 1, controller_samples: 2, derive_samples: 2}",
        "evaluator_cfg.data_portion=[0.1, 0.1]",
    ),
    "final": (
        "final_trainer_cfg.epochs=1",
        "final_trainer_cfg.batch_size=512",
        "final_model_cfg.init_channels=4",
    ),
}
"""Changes to presets, so that what the pages do in minutes takes seconds here."""
FAMILIES = {
    **dict.fromkeys(("search", "mpsearch", "derive", "sample", "eval-arch"), "search"),
    **dict.fromkeys(("train", "mptrain", "test"), "final"),
}


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    language: str
    text: str
    line: int


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [Block(m[1], m[2], text.count("\n", 0, m.start()) + 1) for m in FENCED.finditer(text)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_works_from_top_to_bottom(page, awnas, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for block in blocks(page):
        where = f"{page.name}:{block.line}"
        if block.language == "sh":
            for line in block.text.splitlines():
                run(line, awnas, where)
        elif block.language == "python" and ">>>" in block.text:
            follow(block.text, where)
        elif named := FILE_NAME.match(block.text):
            Path(named[1]).write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            Path("example.py").write_text(block.text, encoding="utf-8")
            runpy.run_path("example.py")
        elif block.language == "yaml":
            assert yaml.safe_load(block.text), where
        else:
            assert block.language == "toml", where
            assert tomllib.loads(block.text), where


def run(line: str, awnas, where: str) -> None:
    """Do what a line of a page says; installing and starting processes is done elsewhere, here it is looked at."""
    command, _, remark = line.partition("  #")
    for part in command.split(" && "):
        words = shlex.split(part)
        expected = int(match[1]) if (match := re.search(r"exit code (\d)", remark)) else 0
        match words:
            case ["awnas", *_]:
                run_awnas(words, awnas, expected)
            case [("pip" | "python"), *rest] if "install" in rest:
                folders = [
                    folder for word in rest if word.startswith("packages/") for folder in ROOT.glob(word)
                ]
                assert all((folder / "pyproject.toml").is_file() for folder in folders), where
                assert folders or "uv" in rest, where
            case ["python", "-m", "nox", "-s", session] | ["nox", "-s", session]:
                assert session in nox_sessions(), where
            case ["python", script, *_]:
                assert (ROOT / script).is_file(), where
            case ["torchrun", "--nproc-per-node", "2", "-m", "awnas_core", name, cfg, *_]:
                awnas(name, "--help")
                awnas("check", cfg)
            case ["pytest", *files]:
                tests = [
                    sys.executable,
                    "-m",
                    "pytest",
                    "-q",
                    "-p",
                    "no:cacheprovider",
                    "--noconftest",
                    *files,
                ]
                done = subprocess.run(tests, capture_output=True, text=True, check=False)
                assert done.returncode == 0, done.stdout
            case _:
                pytest.fail(f"{where}: nobody knows how to try '{part}'")


def run_awnas(words: list[str], awnas, expected: int) -> None:
    words, target = (words[: words.index(">")], Path(words[-1])) if ">" in words else (words, None)
    _, name, *rest = words
    changes = IN_SECONDS.get(FAMILIES.get(name, ""), ()) if rest and not rest[0].endswith(".yaml") else ()
    done = awnas(name, *rest, *(text for change in changes for text in ("--set", change)), code=expected)
    if target is not None:
        target.write_text(done.out, encoding="utf-8")


def follow(text: str, where: str) -> None:
    """Run an example with prompts."""
    test = doctest.DocTestParser().get_doctest(text, {}, where, where, 0)
    problems: list[str] = []
    doctest.DocTestRunner().run(test, out=problems.append)
    assert not problems, "".join(problems)


def nox_sessions() -> set[str]:
    tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.decorator_list}


def test_the_readme_names_every_distribution():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [path.name for path in (ROOT / "packages").iterdir() if f"| `{path.name}` |" not in text]
    assert not missing


def test_pages_link_to_pages_that_exist():
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).is_file(), f"{page.name} links to {link}"


def test_the_readme_shows_what_awnas_is_and_how_to_start_on_one_screen():
    before_the_tour = (ROOT / "README.md").read_text(encoding="utf-8").partition("## ")[0]
    assert len(before_the_tour.splitlines()) <= 24


def test_every_command_is_shown_on_some_page():
    shown = " ".join(block.text for page in PAGES for block in blocks(page) if block.language == "sh")
    for command in app.registered_commands:
        assert re.search(rf"(awnas|awnas_core) {command.name or command.callback.__name__}\b", shown), command
