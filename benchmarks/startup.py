"""How long ``awnas --help`` takes, against a bare Typer application with as many commands in the same help style.

Prints the medians, their ratio, and what ``awnas registry`` takes. Both applications take turns in one run, each as a
fresh process, since a machine is never equally fast twice.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 15
BARE_HEAD = """\
import typer
app = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)
"""
BARE_COMMAND = """
@app.command()
def command_{number}(cfg: str, seed: int = 0, device: str = "auto") -> None:
    \"\"\"Do the thing of number {number}.\"\"\"
"""


def number_of_commands() -> int:
    """Return how many commands ``awnas --help`` lists."""
    done = subprocess.run(
        [sys.executable, "-m", "awnas_core", "--help"], capture_output=True, text=True, check=True
    )
    section = done.stdout.partition("Commands:")[2].splitlines()
    return sum(line.startswith("  ") and not line.startswith("   ") for line in section)


def bare_application(folder: Path, commands: int) -> Path:
    """Write a Typer application without anything behind it."""
    body = "".join(BARE_COMMAND.format(number=number) for number in range(commands))
    script = folder / "bare.py"
    script.write_text(f"{BARE_HEAD}{body}\napp()\n")
    return script


def milliseconds(*command: str) -> float:
    """Return how long a command takes, from its start to its end."""
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - start) * 1000


def main() -> None:
    """Measure and print."""
    commands = number_of_commands()
    with tempfile.TemporaryDirectory() as folder:
        candidates = {
            "bare --help": (sys.executable, str(bare_application(Path(folder), commands)), "--help"),
            "awnas --help": (sys.executable, "-m", "awnas_core", "--help"),
            "awnas registry": (sys.executable, "-m", "awnas_core", "registry"),
        }
        times: dict[str, list[float]] = {name: [] for name in candidates}
        for _ in range(ROUNDS):
            for name, command in candidates.items():
                times[name].append(milliseconds(*command))
    medians = {name: statistics.median(values) for name, values in times.items()}
    print(f"{commands} commands, medians of {ROUNDS} fresh processes each")
    for name, median in medians.items():
        print(f"{name:<16}{median:8.0f} ms")
    print(f"awnas --help / bare --help = {medians['awnas --help'] / medians['bare --help']:.2f} (at most 2)")


if __name__ == "__main__":
    main()
