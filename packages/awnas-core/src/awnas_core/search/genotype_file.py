"""The genotype list: what derive and random-sample write, and eval-arch and train read."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import yaml

from awnas_core.errors import GenotypeError
from awnas_core.rollout import Evaluation, Rollout
from awnas_core.run.files import write_atomically

DumpMode = Literal["str", "list"]
_PERF = re.compile(r"([^\s,:]+): (\S+?)(?:,|$)")


def format_rollouts(rollouts: Iterable[Rollout], mode: DumpMode = "str", first_index: int = 0) -> str:
    """Return a YAML list of genotypes, each under a comment with its number, reward and perfs in full precision.

    ``mode="str"`` writes the genotype text, ``"list"`` the codes of the architecture; both are read back.
    """
    parts = []
    for index, rollout in enumerate(rollouts, first_index):
        parts.append(f"# ---- Arch {index}{_remark(rollout)} ----\n")
        if rollout.perf:
            parts.append(
                "# Perfs: " + ", ".join(f"{name}: {value!r}" for name, value in rollout.perf.items()) + "\n"
            )
        if rollout.status in ("failed", "infeasible"):
            assert rollout.evaluation is not None, "pending before it"
            parts.append(f"# {rollout.status.title()}: {' '.join(str(rollout.evaluation.error).split())}\n")
        parts.append(_entry(str(rollout.genotype)) if mode == "str" else f"- {list(rollout.arch)}\n")
    return "".join(parts) or "[]\n"


def write_rollouts(path: Path, rollouts: Iterable[Rollout], mode: DumpMode = "str") -> None:
    """Write the genotype list, whole or not at all."""
    write_atomically(path, format_rollouts(rollouts, mode).encode())


def read_genotypes(path: Path) -> list[str | list[int]]:
    """Return the entries of a genotype list: texts, or codes where it was written with ``mode="list"``.

    Raises: GenotypeError when the file is missing or holds anything else.
    """
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise GenotypeError(f"cannot read the genotype list '{path}': {error}") from error
    if isinstance(entries, str):
        entries = [entries]
    if not isinstance(entries, list) or not entries:
        raise GenotypeError(f"'{path}' must be a YAML list of genotypes, as written by awnas derive")
    for index, entry in enumerate(entries):
        if not isinstance(entry, str) and not _is_codes(entry):
            raise GenotypeError(f"'{path}', entry {index}: expected genotype text, got {entry!r}")
    return entries


def first_genotype(text_or_file: str) -> str | list[int]:
    """Return a genotype given as text, or the first of a genotype list given as a path."""
    if os.path.isfile(text_or_file) or text_or_file.endswith((".yaml", ".yml")):  # noqa: PTH113 - of any length
        return read_genotypes(Path(text_or_file))[0]
    return text_or_file


def read_evaluated(path: Path) -> list[tuple[str | list[int], Evaluation]]:
    """Return the entries of a genotype list that were measured, with what was measured; failed ones are left out."""
    evaluated = []
    perf: dict[str, float] = {}
    broken: str | None = None
    bodies = iter(read_genotypes(path))
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("# Perfs: "):
            perf = {name: float(value) for name, value in _PERF.findall(line.removeprefix("# Perfs: "))}
        elif line.startswith("# Infeasible: "):
            broken = line.removeprefix("# Infeasible: ")
        elif line.startswith("# Failed: "):
            perf = {}
        elif line.startswith("- "):
            body = next(bodies)
            if broken is not None:
                evaluated.append((body, Evaluation(perf=perf, status="infeasible", error=broken)))
            elif perf:
                evaluated.append((body, Evaluation(perf=perf)))
            perf, broken = {}, None
    return evaluated


def _remark(rollout: Rollout) -> str:
    if rollout.reward is not None:
        return f" (Reward {rollout.reward!r})"
    log_prob = rollout.info.get("log_prob")
    return "" if log_prob is None else f" log_prob: {log_prob:.3f} prob: {math.exp(log_prob):.3e}"


def _entry(text: str) -> str:
    return yaml.safe_dump([text], width=1_000_000, allow_unicode=True, default_flow_style=False)


def _is_codes(entry: Any) -> bool:
    return isinstance(entry, list) and all(isinstance(code, int) for code in entry)
