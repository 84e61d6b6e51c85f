"""Cost models on latencies that others published: FBNet and Once-for-All on phones, CPUs and GPUs.

    python benchmarks/cost_models.py --data FOLDER --rows 900 2000

FOLDER holds ``fbnet_latency.csv.gz`` and ``ofa_latency.csv.gz`` of HELP (Lee et al., NeurIPS 2021), perhaps in folders
of their own. A model is fitted on the first rows of a table and tested on rows 2000 to 3000. Columns that are sums of a
look-up table themselves are left out.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from awnas_hardware.accuracy import Accuracy
from awnas_hardware.models.base import Matrix, Sample
from awnas_hardware.models.catalogue import model_class
from awnas_hardware.published import published_space
from awnas_hardware.vocabulary import Vocabulary

ANALYTIC = {"fbnet": ("fpga", "pixel3"), "ofa": (), "nasbench-201": ("fpga",)}
KINDS = ("linear", "boosting", "gaussian")
TEST = slice(2000, 3000)


def read(folder: Path, file: str) -> list[dict[str, str]]:
    """Return the rows of a table below a folder."""
    with gzip.open(next(folder.rglob(f"{file}_latency.csv.gz")), "rt", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def genotype(space: str, row: Mapping[str, str]) -> str:
    """Return how the architecture of a row reads."""
    if space == "fbnet":
        return row["ops"]
    blocks = [f"k{k}e{e}" for k, e in zip(row["ks"].split(), row["e"].split(), strict=True)]
    stages = (",".join(blocks[4 * s : 4 * s + int(d)]) for s, d in enumerate(row["d"].split()))
    return " ".join([f"r{row['resolution']}", *stages])


def load(folder: Path, space: str, *, analytic: bool = False) -> tuple[Sample, dict[str, Matrix]]:
    """Return the architectures of a table, without costs yet, and device → latencies in ms."""
    rows = read(folder, space)
    networks = [published_space(space).primitives(genotype(space, row)) for row in rows]
    vocabulary = Vocabulary.of(networks)
    sample = Sample.of(vocabulary, networks, descriptors=published_space(space).descriptors(vocabulary.names))
    left_out = {"idx", "ops", "ks", "e", "d", "resolution", *(() if analytic else ANALYTIC[space])}
    return sample, {
        name: np.array([float(row[name]) for row in rows]) for name in rows[0] if name not in left_out
    }


def study(
    folder: Path, space: str, rows: int, kinds: tuple[str, ...] = KINDS
) -> Iterator[tuple[str, dict[str, Accuracy]]]:
    """Yield (device, kind of model → how good it is)."""
    sample, devices = load(folder, space)
    for device, costs in devices.items():
        training = Sample(
            sample.counts[:rows],
            costs[:rows],
            sample.names,
            sample.parts,
            sample.descriptors,
            sample.order[:rows],
        )
        fitted = {kind: model_class(kind).fit(training) for kind in kinds}
        yield (
            device,
            {k: Accuracy.of(model.predict(sample.counts[TEST]), costs[TEST]) for k, model in fitted.items()},
        )


def speed(folder: Path, kind: str = "linear") -> float:
    """Return predictions per second on networks that are counted."""
    sample, devices = load(folder, "fbnet")
    model = model_class(kind).fit(sample.costing(next(iter(devices.values()))))
    counts = np.tile(sample.counts, (20, 1))
    begin = time.perf_counter()
    model.predict(counts)
    return len(counts) / (time.perf_counter() - begin)


def main() -> None:
    """Print a row for each device, then how often a model beats the linear one in both figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rows", type=int, nargs="+", default=[900])
    parser.add_argument("--spaces", nargs="+", default=["fbnet", "ofa"])
    parser.add_argument("--kinds", nargs="+", default=KINDS)
    arguments = parser.parse_args()
    for rows in arguments.rows:
        better = dict.fromkeys(arguments.kinds, 0)
        total = 0
        print(f"{rows} training rows; rRMSE and tau of each model")
        for space in arguments.spaces:
            for device, judged in study(arguments.data, space, rows, tuple(arguments.kinds)):
                figures = "  ".join(f"{kind} {a.rrmse:.4f} {a.tau:.4f}" for kind, a in judged.items())
                print(f"{space:6} {device:15} {figures}", flush=True)
                total += 1
                for kind, a in judged.items():
                    better[kind] += a.rrmse < judged["linear"].rrmse and a.tau > judged["linear"].tau
        for kind, count in better.items():
            print(f"{kind}: better than linear in both on {count} of {total} columns")
    print(f"linear: {speed(arguments.data):,.0f} predictions per second")


if __name__ == "__main__":
    main()
