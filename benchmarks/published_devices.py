"""Writes the cost models that come with awnas-hardware, from latencies that others published.

    python benchmarks/published_devices.py --data FOLDER --out packages/awnas-hardware/src/awnas_hardware/data

FOLDER holds the three tables of HELP (Lee et al., NeurIPS 2021) and, for the order of the cells, ``hw_cifar10.csv.gz``
of HW-NAS-Bench. Every model is linear, fitted on all rows, and judged on rows left out.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from cost_models import ANALYTIC, load
from transfer import read as read_cells

from awnas_hardware.fitting import fit_model
from awnas_hardware.models.base import Matrix, Sample
from awnas_hardware.published import published_space
from awnas_hardware.vocabulary import Vocabulary

SOURCE = {
    "source": "github.com/HayeonLee/HELP, Lee et al., NeurIPS 2021",
    "licence": "MIT",
}
CELLS_SOURCE = {"pixel3", "raspi4", "fpga"}
CELLS = {
    "source": "github.com/GATECH-EIC/HW-NAS-Bench, Li et al., ICLR 2021",
    "licence": "MIT",
}


def tables(folder: Path) -> Iterator[tuple[str, Sample, dict[str, Matrix]]]:
    """Yield (space, networks without costs, device → latencies)."""
    for space in ("fbnet", "ofa"):
        yield space, *load(folder, space, analytic=True)
    genotypes, devices, latencies = read_cells(folder)
    networks = [published_space("nasbench-201").primitives(genotype) for genotype in genotypes]
    vocabulary = Vocabulary.of(networks)
    yield "nasbench-201", Sample.of(vocabulary, networks), dict(zip(devices, latencies.T, strict=True))


def main() -> None:
    """Write a file for each device and print how far it is off."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    for space, networks, devices in tables(arguments.data):
        for device, costs in devices.items():
            cells = space == "nasbench-201" and device in CELLS_SOURCE
            model, judged = fit_model(
                "linear",
                Vocabulary(networks.names),
                networks.costing(costs),
                device={"name": device},
                published=space,
                kind_of_data="look-up table" if device in ANALYTIC[space] else "measured",
                **(CELLS if cells else SOURCE),
            )
            model.write(arguments.out / space / f"{device}.safetensors")
            print(
                f"{space}/{device}: rRMSE {judged['linear'].rrmse:.3f}, tau {judged['linear'].tau:.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
