"""How commands behave in pipes, at terminals, with full disks, and when something breaks that nobody foresaw."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from awnas_core.cli.app import main

AWNAS = [sys.executable, "-m", "awnas_core"]
BREAKS = """\
from awnas_core import component
from awnas_core.testing.toys import ToyController

@component("controller", "breaks")
class BreaksController(ToyController):
    def sample(self, n, *purpose):
        return {}["no such thing"]
"""


def run(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.run([*AWNAS, *arguments], text=True, check=False, timeout=120, **options)


def test_a_reader_that_goes_away_ends_the_command_quietly():
    reader, writer = os.pipe()
    os.close(reader)
    done = run("registry", stdout=writer)
    os.close(writer)
    assert done.stderr == ""


def test_a_full_disk_is_told_in_a_line():
    with Path("/dev/full").open("w") as full:
        done = run("registry", stdout=full)
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "error: No space left on device"
    assert "Traceback" not in done.stderr


def test_a_plain_ascii_terminal_loses_no_row():
    environment = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii:strict"}
    done = run("registry", "-n", "digits", env=environment)
    assert done.returncode == 0, done.stderr
    assert "digits" in done.stdout


def at_a_terminal(awnas, *arguments, columns=100) -> str:
    """Return what a command writes to a terminal of so many columns."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ |= {"COLUMNS": str(columns), "TERM": "xterm"}
        sys.argv = ["awnas", *map(str, arguments)]
        sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
        try:
            main()
        except SystemExit as end:
            sys.stdout.flush()
            os._exit(end.code or 0)
    written = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and select.select([terminal], [], [], 60)[0]:
        try:
            part = os.read(terminal, 1 << 16)
        except OSError:  # how Linux says that the other side has ended
            break
        if not part:
            break
        written += part
    assert os.waitpid(pid, 0)[1] == 0, written
    return written.decode()


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def test_a_terminal_gets_a_table_that_fits_and_a_pipe_gets_tabs(awnas):
    table = plain(at_a_terminal(awnas, "registry", "-t", "rl_agent"))
    lines = [line.rstrip() for line in table.splitlines()]
    assert lines[0].split() == ["kind", "name", "rollouts", "summary", "package"]
    assert "\t" not in table
    assert max(map(len, lines)) <= 100
    assert awnas("registry", "-t", "rl_agent").out.splitlines()[0].split("\t") == lines[0].split()


def test_a_search_shows_a_bar_at_a_terminal_and_only_lines_elsewhere(awnas, search_cfg, tmp_path):
    written = at_a_terminal(awnas, "search", search_cfg, "--seed", 1)
    assert re.search("epoch 1 (evaluator|controller) ", plain(written))  # a quick phase may show no bar
    assert "\x1b[" in written
    done = awnas("search", search_cfg, "--seed", 1)
    assert [line.split("  ")[0] for line in done.err.splitlines()[:3]] == ["epoch 1", "epoch 2", "epoch 3"]
    assert "\x1b" not in done.err + done.out
    assert plain(written).splitlines()[-1] == done.out.strip()


def test_without_arguments_the_commands_are_shown(awnas):
    text = awnas("--help").out
    commands = re.findall(r"^  ([a-z-]+)  ", text.partition("Commands:")[2], re.MULTILINE)
    assert commands[:4] == ["search", "mpsearch", "random-sample", "sample"]
    assert {"show", "registry", "plugins", "presets", "check", "schema", "data"} <= set(commands)
    assert "Did you mean 'search'" in awnas("serch", code=2).err


def test_the_help_of_each_command_shows_an_example(awnas):
    text = awnas("--help").out.partition("Commands:")[2]
    for command in re.findall(r"^  ([a-z-]+)  ", text, re.MULTILINE):
        shown = awnas(command, "--help").out
        assert "Example: " in shown or "Commands:" in shown, command
        assert "<list[" not in shown, command


def test_the_version_is_that_of_the_core(awnas):
    from importlib.metadata import version

    assert awnas("--version").out == f"awnas-core {version('awnas-core')}\n"


def test_the_level_of_the_log_is_chosen_by_a_variable(awnas, search_cfg, monkeypatch):
    monkeypatch.setenv("AWNAS_LOG_LEVEL", "ERROR")
    assert "epoch" not in awnas("search", search_cfg, "--set", "trainer_cfg.epochs=1").err
    monkeypatch.setenv("AWNAS_LOG_LEVEL", "verbos")
    assert (
        "must be one of debug, info, warning, error, critical, got 'verbos'" in awnas("presets", code=2).err
    )


def test_what_nobody_foresaw_is_told_in_short_and_shown_in_full_on_request(awnas, search_cfg, tmp_path):
    plugin = tmp_path / "breaks.py"
    plugin.write_text(BREAKS)
    search = ["search", search_cfg, "--plugin", plugin, "--train-dir", tmp_path / "run"]
    breaking = ["--set", "controller_type=breaks", "--set", "controller_cfg={}"]
    done = awnas.start(*search, *breaking).wait()
    assert done.code == 1
    assert done.err.splitlines()[-2:] == [
        "error: KeyError: 'no such thing'",
        "This is a defect of awnas or of a plugin; 'awnas --debug ...' shows where",
    ]
    assert "Traceback" not in done.err
    done = awnas.start("--debug", *search, *breaking, "--resume").wait()
    assert f'File "{plugin}", line 7, in sample' in done.err


def test_an_error_with_debug_shows_where_it_came_from(awnas):
    done = awnas.start("--debug", "check", "nowhere.yaml").wait()
    assert done.code == 2
    assert "Traceback" in done.err
    assert "error: nowhere.yaml: no such file" in done.err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "must be a YAML list of genotypes"),
        ("- [1, 2", "cannot read the genotype list"),
        ("- {a: 1}\n", "entry 0: expected genotype text"),
        ("- CNNGenotype(\n", "genotype 0: "),
        ("- __import__('os').system('touch hacked')\n", "genotype 0: "),
        (b"\xff\xfe", "cannot read the genotype list"),
        (None, "cannot read the genotype list"),
    ],
)
def test_a_file_that_holds_no_genotypes_is_explained(
    awnas, search_cfg, tmp_path, monkeypatch, content, words
):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "genotypes.yaml"
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert words in awnas("eval-arch", search_cfg, file, code=2).err
    assert not (tmp_path / "hacked").exists()


def test_results_that_cannot_be_written_are_told_with_their_place(awnas, search_cfg, tmp_path):
    target = tmp_path / "search.yaml" / "archs.yaml"  # below a file
    done = awnas("random-sample", search_cfg, "-o", target, code=1)
    assert done.err.startswith(f"error: cannot write '{target}': ")
