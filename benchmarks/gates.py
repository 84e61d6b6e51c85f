"""Training throughput of GATES: a batch at once against a loop over its architectures, the same arithmetic.

python benchmarks/gates.py --repeats 5
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from awnas_predictors.encoding import encode
from awnas_predictors.gates import Gates
from awnas_predictors.losses import hinge_loss
from awnas_spaces.nasbench101 import NasBench101Space
from awnas_spaces.nasbench201 import NasBench201Space
from awnas_spaces.nb301 import Nb301Space

BATCH = 128


def seconds(embed: Callable[[], Tensor], targets: Tensor, gates: Gates) -> float:
    """Return how long one step of training takes, without the optimizer, which both share."""
    started = time.perf_counter()
    gates.zero_grad()
    hinge_loss(embed().sum(1), targets).backward()
    return time.perf_counter() - started


def main() -> None:
    """Print architectures per second of both, best of the repeats, interleaved."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    print("space,steps,batched/s,loop/s,ratio")
    for name, space in {"201": NasBench201Space(), "101": NasBench101Space(), "301": Nb301Space()}.items():
        graphs = encode(space, space.sample_codes(BATCH, rng))
        edges, targets = torch.from_numpy(graphs.edges), torch.from_numpy(rng.random(BATCH))
        for steps in (1, 2):
            gates = Gates(graphs, rng, steps=steps)
            ways = (
                lambda: gates(edges),  # noqa: B023  called at once
                lambda: torch.cat([gates(edge[None]) for edge in edges]),  # noqa: B023
            )
            torch.testing.assert_close(ways[0](), ways[1](), atol=1e-4, rtol=1e-4)
            times = [[seconds(way, targets, gates) for way in ways] for _ in range(options.repeats)]
            batched, loop = np.min(times, axis=0)
            print(f"{name},{steps},{BATCH / batched:.0f},{BATCH / loop:.0f},{loop / batched:.1f}", flush=True)


if __name__ == "__main__":
    main()
