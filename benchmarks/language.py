"""Recurrent cells that searches find, against a vanilla RNN and random cells, at equal parameters and steps.

    python benchmarks/language.py                                    # the text that ships, three seeds
    python benchmarks/language.py --file words.txt --level word      # a text of one's own

For every seed: search with ENAS and with DARTS; train what they found, a vanilla RNN and ten random cells from scratch,
all as wide as ``--params`` allows and for the same number of steps. Prints validation perplexities, beside those of a
unigram and a 5-gram model (interpolated, Witten and Bell 1991). What is finished is kept in ``--folder``.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from awnas_core import api
from awnas_core.run.random_streams import RandomStreams
from awnas_core.run.run import Run
from awnas_core.session import open_session
from awnas_core.testing import build
from awnas_text.network import Outputs
from awnas_torch.sequences import Chunk

SEARCHES = {"ENAS": "enas-shakespeare", "DARTS": "darts-shakespeare"}
RANDOM_CELLS = 10
ORDER = 5


class VanillaRnn(nn.Module):
    """Embedding, ``h_t = tanh(W x_t + U h_{t-1} + b)``, and a decoder that is tied to the embedding (Elman 1990)."""

    max_grad_norm = 0.25

    def __init__(self, num_tokens: int, width: int, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.encoder, self.decoder = nn.Embedding(num_tokens, width), nn.Linear(width, num_tokens)
        nn.init.uniform_(self.encoder.weight, -0.04, 0.04)
        self.decoder.weight = self.encoder.weight
        self.cell = nn.RNN(width, width)

    def forward(self, inputs: Chunk) -> Outputs:
        """Return logits and hidden states for a chunk."""
        state = None if inputs.state is None else inputs.state[0]
        hidden, last = self.cell(self.encoder(inputs.tokens), state)
        return Outputs(self.decoder(hidden), hidden, hidden, (last.detach(),))


def parameters(model: nn.Module) -> int:
    """Return the number of parameters; tied ones count once."""
    return sum(weight.numel() for weight in model.parameters())


def widest(make: Callable[[int], nn.Module], params: int) -> nn.Module:
    """Return the widest model that has at most so many parameters."""
    low, high = 1, 2
    while parameters(make(high)) <= params:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if parameters(make(middle)) <= params else (low, middle)
    return make(low)


def trained(model: nn.Module, dataset: Any, args: argparse.Namespace, seed: int) -> dict[str, float]:
    """Train from scratch; return the best validation perplexity and the parameters."""
    options = {"epochs": args.epochs, "batch_size": 32, "learning_rate": args.lr, "weight_decay": 1e-7}
    parts = {"dataset": dataset, "final_model": model, "objective": build("objective", "language")}
    rng = np.random.default_rng(seed)
    trainer = build("final_trainer", "rnn-trainer", {**options, "random_bptt": False}, parts, rng)
    with Run({}, RandomStreams(seed)) as run:
        trainer.train(run)
    return {"perp": trainer.evaluate_split("valid")["perp"], "params": parameters(model)}


def cell_of(space: Any, genotype: str, num_tokens: int, seed: int) -> Callable[[int], nn.Module]:
    """Return what builds the model of a cell at a width."""

    def make(width: int) -> nn.Module:
        cfg = {"genotypes": genotype, "num_emb": width, "num_hid": width}
        cfg |= {"batchnorm_out": False, "max_grad_norm": 0.25}
        parts = {"search_space": space, "num_tokens": num_tokens}
        model: nn.Module = build("final_model", "rnn-model", cfg, parts, np.random.default_rng(seed))
        return model

    return make


def found(preset: str, dataset: Sequence[str], args: argparse.Namespace, seed: int) -> tuple[Any, str]:
    """Search, and return the space and the genotype of the winner."""
    session = open_session(preset, "search", overrides=[*dataset, *args.set], seed=seed)
    winner = api.search(session)[0]
    return session.get("search_space"), str(winner.genotype)


def seed_results(dataset: Any, texts: Sequence[str], args: argparse.Namespace, seed: int) -> dict[str, Any]:
    """Return what everybody's training gave with one seed."""
    num_tokens = dataset.facts()["num_tokens"]
    vanilla = widest(lambda width: VanillaRnn(num_tokens, width, seed), args.params)
    rows: dict[str, Any] = {"vanilla RNN": [trained(vanilla, dataset, args, seed)]}
    for name, preset in SEARCHES.items():
        space, genotype = found(preset, texts, args, seed)
        model = widest(cell_of(space, genotype, num_tokens, seed), args.params)
        rows[name] = [trained(model, dataset, args, seed) | {"genotype": genotype}]
    # All activations but "none", which DARTS may not choose either.
    plain = build("search_space", "rnn", {"num_steps": space.steps_of(0)})
    drawn = plain.random_samples(args.random_cells, np.random.default_rng(seed))
    rows["random cells"] = [
        trained(widest(cell_of(plain, str(one.genotype), num_tokens, seed), args.params), dataset, args, seed)
        for one in drawn
    ]
    return rows


def n_gram_perplexity(train: Sequence[int], valid: Sequence[int], num_tokens: int, order: int) -> float:
    """Return the perplexity of an interpolated n-gram model with the smoothing of Witten and Bell.

    ``p(w | h) = (c(h w) + t(h) · p(w | shorter h)) / (c(h) + t(h))``, where t(h) is the number of different tokens
    seen after h; the shortest history of all gives the uniform distribution.
    """
    counts: Counter[tuple[int, ...]] = Counter()
    for length in range(1, order + 1):
        counts.update(zip(*(train[offset:] for offset in range(length)), strict=False))
    seen, kinds = Counter[tuple[int, ...]](), Counter[tuple[int, ...]]()
    for gram, count in counts.items():
        seen[gram[:-1]] += count
        kinds[gram[:-1]] += 1
    total = 0.0
    for place, token in enumerate(valid):
        p = 1 / num_tokens
        for length in range(min(order, place + 1)):
            history = tuple(valid[place - length : place])
            if seen[history]:
                p = (counts[(*history, token)] + kinds[history] * p) / (seen[history] + kinds[history])
        total -= math.log(p)
    return math.exp(total / len(valid))


def results(dataset: Any, texts: Sequence[str], args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what every seed gave, computing what is not there yet."""
    for seed in args.seeds:
        path = args.folder / f"seed-{seed}.json"
        if not path.exists():
            rows = seed_results(dataset, texts, args, seed)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(rows, indent=2))
        yield json.loads(path.read_text())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--file", help="a text file; the text that ships by default")
    parser.add_argument("--level", choices=("word", "character"), default="character")
    parser.add_argument("--vocabulary-size", type=int, help="most tokens there are")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--params", type=int, default=100_000)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--lr", type=float, default=10.0)
    parser.add_argument("--random-cells", type=int, default=RANDOM_CELLS)
    parser.add_argument(
        "--set", nargs="*", default=[], help="changes to the searches, as for awnas search --set"
    )
    parser.add_argument("--folder", type=Path, default=Path("runs/language"))
    args = parser.parse_args()
    name = "text-file" if args.file else "shakespeare"
    cfg: dict[str, Any] = {"level": args.level, "vocabulary_size": args.vocabulary_size}
    if args.file:
        cfg["file"] = str(Path(args.file).resolve())
    dataset = build("dataset", name, cfg)
    texts = [f"dataset_type={name}", f"dataset_cfg={json.dumps(cfg)}"]
    splits = {key: split.tokens.tolist() for key, split in dataset.splits().items()}
    print(
        "| model | parameters | validation perplexity, mean over seeds ± standard deviation |\n|---|---|---|"
    )
    for order in (1, ORDER):
        value = n_gram_perplexity(splits["train"], splits["valid"], len(dataset.vocabulary), order)
        print(f"| {order}-gram | | {value:.3f} |")
    by_seed = list(results(dataset, texts, args))
    for row in by_seed[0]:
        means = [statistics.mean(one["perp"] for one in seed[row]) for seed in by_seed]
        spread = statistics.stdev(means) if len(means) > 1 else 0.0
        params = statistics.mean(one["params"] for seed in by_seed for one in seed[row])
        print(f"| {row} | {params:,.0f} | {statistics.mean(means):.3f} ± {spread:.3f} |")


if __name__ == "__main__":
    main()
