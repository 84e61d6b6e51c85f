"""Commands about architectures: drawing, sampling, measuring, deriving and showing them."""

from __future__ import annotations

import itertools
import json
import math
import re
import signal
import xml.etree.ElementTree as ET

import pytest
import safetensors.torch
import yaml

TINY = [
    *(
        "--set",
        "search_space_cfg={num_cell_groups: 1, cell_layout: [0, 0], num_layers: 2, reduce_cell_groups: []}",
    ),
    *("--set", "search_space_cfg.num_steps=1"),
    *("--set", "search_space_cfg.num_node_inputs=1"),
    *("--set", "search_space_cfg.shared_primitives=[skip_connect, conv_bn_relu_1x1]"),
]
"""One node with one input: from two nodes, with two operations, so four architectures."""
ALL_TINY = {
    f"CNNGenotype(normal_0=(('{op}', {source}, 2),), normal_0_concat=(2,))"
    for op, source in itertools.product(("skip_connect", "conv_bn_relu_1x1"), (0, 1))
}


def genotypes(path):
    return yaml.safe_load(path.read_text())


def headers(path):
    return re.findall("# ---- Arch (.*) ----", path.read_text())


def test_random_samples_without_repetition_are_the_whole_of_a_small_space(awnas, search_cfg, tmp_path):
    out = tmp_path / "all.yaml"
    done = awnas("random-sample", search_cfg, "-o", out, "-n", 4, "--unique", *TINY)
    assert "4 architectures" in done.err
    assert set(genotypes(out)) == ALL_TINY


def test_more_than_there_are_is_refused_at_once(awnas, search_cfg, tmp_path):
    out = tmp_path / "all.yaml"
    done = awnas("random-sample", search_cfg, "-o", out, "-n", 5, "--unique", *TINY, code=2)
    assert "5 different architectures were asked for, the search space holds 4" in done.err
    assert not out.exists()


def test_a_random_sample_follows_from_its_seed(awnas, search_cfg, tmp_path):
    def drawn(seed):
        awnas("random-sample", search_cfg, "-o", tmp_path / "r.yaml", "-n", 3, "--seed", seed)
        return genotypes(tmp_path / "r.yaml")

    assert drawn(1) == drawn(1) != drawn(2)


def test_codes_and_texts_of_a_genotype_list_mean_the_same(awnas, trained, tmp_path):
    for mode in ("str", "list"):
        out = tmp_path / f"{mode}.yaml"
        awnas("random-sample", trained / "search.yaml", "-o", out, "-n", 2, "--seed", 1, "--dump-mode", mode)
    assert all(isinstance(entry, list) for entry in genotypes(tmp_path / "list.yaml"))
    cfg, load = trained / "search.yaml", ["--load", trained / "search"]
    by_text = awnas("eval-arch", cfg, tmp_path / "str.yaml", *load).out
    assert by_text == awnas("eval-arch", cfg, tmp_path / "list.yaml", *load).out


def test_what_is_no_list_of_genotypes_is_refused(awnas, trained, tmp_path):
    (tmp_path / "number.yaml").write_text("- 3.5\n")
    done = awnas("eval-arch", trained / "search.yaml", tmp_path / "number.yaml", code=2)
    assert "expected genotype text" in done.err


def test_samples_come_from_the_controller_of_the_run_with_their_probabilities(awnas, trained, tmp_path):
    out = tmp_path / "s.yaml"
    awnas("sample", trained / "search.yaml", "--load", trained / "search", "-o", out, "-n", 4, "--unique")
    found = [re.fullmatch(r"(\d) log_prob: (\S+) prob: (\S+)", header).groups() for header in headers(out)]
    assert [number for number, _, _ in found] == ["0", "1", "2", "3"]
    for _, log_prob, prob in found:
        assert math.exp(float(log_prob)) == pytest.approx(float(prob), rel=2e-3)
    assert len(set(genotypes(out))) == 4


def test_a_threshold_keeps_the_probable_and_ends_when_none_is(awnas, trained, tmp_path):
    cfg, out = trained / "search.yaml", tmp_path / "s.yaml"
    command = ["sample", cfg, "--load", trained / "search", "-o", out, "-n", 3]
    awnas(*command, "--prob-thresh", 1e-7)
    assert all(float(header.rpartition(" ")[2]) >= 1e-7 for header in headers(out))
    assert "only 0 of 3 architectures turned up" in awnas(*command, "--prob-thresh", 0.9, code=2).err
    done = awnas(
        *command,
        "--prob-thresh",
        0.1,
        "--set",
        "controller_type=random-sample",
        "--set",
        "controller_cfg={}",
        code=2,
    )
    assert "knows the probability" in done.err


def test_a_run_is_sampled_on_where_it_ended_or_with_a_seed_of_ones_own(awnas, trained, tmp_path):
    def drawn(*options, load=trained / "search"):
        awnas("sample", trained / "search.yaml", "--load", load, "-o", tmp_path / "s.yaml", "-n", 3, *options)
        return genotypes(tmp_path / "s.yaml")

    assert drawn() == drawn() == drawn(load=trained / "search" / "final")
    assert drawn("--seed", 1) == drawn("--seed", 1) != drawn()


def test_deriving_again_gives_what_the_search_wrote_byte_by_byte(awnas, trained, tmp_path):
    out = tmp_path / "g.yaml"
    command = ["derive", trained / "search.yaml", "--load", trained / "search", "-o", out, "-n", 3]
    awnas(*command, "--test", "--json", tmp_path / "g.json", "--save-plot", tmp_path / "plots")
    assert out.read_bytes() == (trained / "search" / "genotypes.yaml").read_bytes()
    records = json.loads((tmp_path / "g.json").read_text())
    assert [record["genotype"] for record in records] == genotypes(out)
    rewards = [record["evaluation"]["perf"]["reward"] for record in records]
    assert rewards == sorted(rewards, reverse=True)
    assert rewards == [float(re.search(r"Reward (\S+)\)", header)[1]) for header in headers(out)]
    assert len(list((tmp_path / "plots").glob("arch-2-*.svg"))) == 2
    awnas(*command)
    assert set(genotypes(out)) == set(genotypes(trained / "search" / "genotypes.yaml"))
    assert headers(out) == ["0", "1", "2"]


def test_measuring_what_a_search_derived_gives_what_it_measured(awnas, trained, tmp_path):
    derived = trained / "search" / "genotypes.yaml"
    out = tmp_path / "e.json"
    done = awnas("eval-arch", trained / "search.yaml", derived, "--load", trained / "search", "--json", out)
    perfs = [record["evaluation"]["perf"] for record in json.loads(out.read_text())]
    noted = [
        dict(re.findall(r"(\w+): ([^,\s]+)", line))
        for line in re.findall("# Perfs: (.*)", derived.read_text())
    ]
    assert [{name: repr(value) for name, value in perf.items()} for perf in perfs] == noted
    assert [line.split(":")[0] for line in done.out.splitlines()] == ["Arch 0", "Arch 1", "Arch 2"]


def test_measuring_needs_no_run_but_says_that_weights_are_untrained(awnas, trained):
    cfg, derived = trained / "search.yaml", trained / "search" / "genotypes.yaml"
    done = awnas("eval-arch", cfg, derived, "--steps", 1, "--seed", 0)
    assert "the weights are untrained" in done.err
    assert done.out.count("acc: ") == 3


def test_a_genotype_of_another_space_is_named_before_anything_is_measured(awnas, trained, tmp_path):
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(
        (trained / "search" / "genotypes.yaml").read_text().replace("conv_bn_relu_1x1", "conv_9x9")
    )
    done = awnas("eval-arch", trained / "search.yaml", wrong, "--load", trained / "search", code=2)
    assert re.search(r"error: genotype \d: .*conv_9x9", done.err)
    assert done.out == ""


def test_results_are_saved_as_they_come_and_never_measured_twice(awnas, trained, tmp_path):
    out = tmp_path / "g.yaml"
    command = [
        "derive",
        trained / "search.yaml",
        "--load",
        trained / "search",
        "-o",
        out,
        "--test",
        "--runtime-save",
    ]
    process = awnas.start(*command, "-n", 12)
    assert process.when(lambda: out.exists() and out.read_text().count("- CNN") >= 2)
    process.send(signal.SIGKILL)
    assert process.wait().code == -signal.SIGKILL
    measured = genotypes(out)
    assert 2 <= len(measured) < 12
    # whoever measures them again cannot know these numbers
    out.write_text(re.sub("# Perfs: .*", "# Perfs: reward: -2.5e-05, acc: 123.0", out.read_text()))
    awnas(*command, "-n", 12)
    assert len(genotypes(out)) == 12
    assert genotypes(out)[-len(measured) :] == measured  # the worst
    assert out.read_text().count("(Reward -2.5e-05)") == out.read_text().count("acc: 123.0") == len(measured)


def test_an_infeasible_result_stays_infeasible_when_it_is_kept(awnas, trained, tmp_path):
    out = tmp_path / "g.yaml"
    command = ["derive", trained / "search.yaml", "--load", trained / "search", "-o", out, "-n", 3, "--test"]
    bound = ["--set", "constraints=[{metric: loss, bound: 0.1}]"]
    awnas(*command, *bound, "--runtime-save")
    first = out.read_text()
    assert len(re.findall("# Infeasible: loss is .*, the bound is max 0.1", first)) == 3
    awnas(*command, *bound, "--runtime-save")
    assert out.read_text() == first


def test_keeping_results_without_measuring_is_refused(awnas, trained, tmp_path):
    load = ["--load", trained / "search", "-o", tmp_path / "g.yaml"]
    done = awnas("derive", trained / "search.yaml", *load, "--runtime-save", code=2)
    assert "add --test" in done.err


def weights_of(checkpoint, role):
    return safetensors.torch.load_file(checkpoint / role / "tensors.safetensors")


def test_show_counts_the_weights_that_training_saves(awnas, trained):
    shown = awnas.json("show", trained / "final.yaml", "--json")
    skeleton = json.loads((trained / "final/final/final_model/state.json").read_text())["weights"]
    saved = weights_of(trained / "final" / "final", "final_model")
    trainable = [
        name for name in skeleton if not name.rpartition(".")[2].startswith(("running_", "num_batches"))
    ]
    assert shown["params"] == sum(saved[skeleton[name]["name"]].numel() for name in trainable)
    assert shown["params"] == sum(layer["params"] * layer["calls"] for layer in shown["layers"])
    assert shown["flops"] == 2 * shown["macs"]


def test_show_multiplies_and_adds_as_one_does_by_hand(awnas, trained):
    layers = {
        layer["name"]: layer for layer in awnas.json("show", trained / "final.yaml", "--json")["layers"]
    }
    stem = layers["stems.0.0"]  # 3×3, 1 → 12 channels, 8×8 pixels
    assert (stem["params"], stem["macs"]) == (9 * 12, 9 * 12 * 64)
    assert layers["classifier"]["params"] == layers["classifier"]["input_shape"][0] * 10 + 10


def test_show_takes_a_text_a_file_or_the_configs_own_and_draws_it(awnas, trained, tmp_path):
    text = genotypes(trained / "search" / "genotypes.yaml")[0]
    by_text = awnas("show", trained / "search.yaml", text, "--save-plot", tmp_path)
    by_file = awnas("show", trained / "search.yaml", trained / "search" / "genotypes.yaml")
    assert by_text.out == by_file.out
    assert by_text.out.splitlines()[0] == text
    assert by_text.out.splitlines()[1].split("\t") == [
        "layer",
        "op",
        "input",
        "output",
        "params",
        "MACs",
        "calls",
    ]
    for file in tmp_path.glob("*.svg"):
        assert f"drawing: {file}" in by_text.err
        words = " ".join(ET.parse(file).getroot().itertext())
        assert any(op in words for op in ("skip_connect", "max_pool_3x3", "conv_bn_relu_1x1"))
    assert len(list(tmp_path.glob("*.svg"))) == 2
    assert "no architecture to show" in awnas("show", trained / "search.yaml", code=2).err


def test_an_option_given_with_set_is_what_show_counts(awnas, trained):
    small, large = (
        awnas.json("show", trained / "final.yaml", "--json", "--set", f"final_model_cfg.init_channels={n}")
        for n in (4, 8)
    )
    assert large["layers"][0]["params"] == 2 * small["layers"][0]["params"]
