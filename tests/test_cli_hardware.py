"""``awnas hw`` from the first measurement to a prediction, on a search config and on a final one."""

from __future__ import annotations

import json

import pytest
import yaml

PASSES = ["--passes", 2, "--clock", "cpu"]


@pytest.fixture
def measured(awnas, tmp_path):
    path = tmp_path / "cpu.jsonl"
    awnas("hw", "measure", "germ-mobilenet-v2", "-n", 10, "-o", path, *PASSES)
    return path


def test_what_was_measured_is_predicted(awnas, tmp_path, measured):
    model, archs = tmp_path / "cpu.safetensors", tmp_path / "archs.yaml"
    judged = json.loads(awnas("hw", "genmodel", measured, "-o", model, "--kind", "table", "--json").out)
    assert set(judged) == {"table", "sum", "constant"}
    records = [json.loads(line) for line in measured.read_text().splitlines()[1:]]
    archs.write_text(yaml.safe_dump([record["genotype"] for record in records]))
    rows = json.loads(awnas("hw", "predict", "-m", model, "germ-mobilenet-v2", archs, "--json").out)
    for row, record in zip(rows, records, strict=True):
        assert row["genotype"] == record["genotype"]
        assert 1 / 3 < row["latency_ms"] / record["costs"]["latency_ms"] < 3
    own = json.loads(awnas("hw", "eval-model", "-m", model, measured, "--json").out)["table"]
    errors = [row["latency_ms"] / r["costs"]["latency_ms"] - 1 for row, r in zip(rows, records, strict=True)]
    assert own["rrmse"] == pytest.approx((sum(error**2 for error in errors) / len(errors)) ** 0.5)


def test_coverage_tells_what_a_model_does_not_know(awnas, tmp_path, measured):
    model = tmp_path / "cpu.safetensors"
    awnas("hw", "genmodel", measured, "-o", model, "--kind", "linear")
    wider = "search_space_cfg.network_cfg.stem_channels=16"
    done = awnas("hw", "coverage", "-m", model, "germ-mobilenet-v2", "-n", 4, "--set", wider, code=1)
    assert "conv2d(1x8x8->16x8x8,k=3)\t4" in done.out
    assert "4 of 4 networks lack some" in done.err
    archs = tmp_path / "archs.yaml"
    awnas("random-sample", "germ-mobilenet-v2", "-o", archs, "--seed", 0)
    refused = awnas("hw", "predict", "-m", model, "germ-mobilenet-v2", archs, "--set", wider, code=2)
    assert "conv2d(1x8x8->16x8x8,k=3); the nearest known differs in output 16x8x8 vs 8x8x8" in refused.err


def test_an_interrupted_measurement_measures_nothing_twice(awnas, measured):
    lines = measured.read_text().splitlines(keepends=True)
    measured.write_text("".join(lines[:5]) + lines[5][:30])
    awnas("hw", "measure", "germ-mobilenet-v2", "-n", 10, "-o", measured, *PASSES)
    again = measured.read_text().splitlines(keepends=True)
    assert again[:5] == lines[:5]
    assert [json.loads(line)["genotype"] for line in again[1:]] == [
        json.loads(line)["genotype"] for line in lines[1:]
    ]
    awnas("hw", "measure", "germ-mobilenet-v2", "-n", 10, "-o", measured, *PASSES, "--threads", 2, code=2)


def test_final_models_and_candidates_of_other_families_are_measured(awnas, tmp_path):
    for number, cfg in enumerate(("enas-digits", "enas-digits-final")):
        path = tmp_path / f"{number}.jsonl"
        awnas("hw", "measure", cfg, "-n", 2, "-o", path, *PASSES)
        records = [json.loads(line) for line in path.read_text().splitlines()[1:]]
        assert len(records) == 2
        assert all(any(name.startswith("conv2d(") for name, _, _ in record["parts"]) for record in records)


def test_the_primitives_that_are_predicted_are_those_that_were_measured(awnas, tmp_path):
    """The network that is timed and the layers that its space or supernet states agree."""
    from awnas_core.session import open_session
    from awnas_hardware.networks import Networks
    from awnas_hardware.primitive import primitives_of
    from awnas_torch.counting import count_module

    for cfg, family in (
        ("enas-digits", "search"),
        ("germ-mobilenet-v2", "search"),
        ("enas-digits-final", "final"),
        ("germ-final", "final"),
    ):
        networks = Networks(open_session(cfg, family, seed=0))
        for rollout in networks.sample(2):
            module = networks.module(rollout)
            assert networks.primitives(rollout) == primitives_of(count_module(module, networks.input_shape))


def test_a_space_of_a_benchmark_is_counted_without_a_network(awnas, tmp_path):
    profile = tmp_path / "profile.yaml"
    done = awnas("hw", "genprof", "nb201-random", "-o", profile, "-n", 50)
    assert "conv2d(16x32x32,k=3)" in done.out
    refused = awnas("hw", "measure", "nb201-random", "-n", 1, "-o", tmp_path / "r.jsonl", code=2)
    assert "weights_manager_type" in refused.err


def test_a_profile_runs_every_primitive_of_the_architectures_it_stands_for(awnas, tmp_path):
    from awnas_core.search.genotype_file import read_genotypes
    from awnas_core.session import open_session
    from awnas_hardware.networks import Networks

    profile = tmp_path / "profile.yaml"
    listed = awnas("hw", "genprof", "germ-mobilenet-v2", "-o", profile, "-n", 30, "--seed", 0).out
    names = {line.split("\t")[0] for line in listed.splitlines()[1:]}
    networks = Networks(open_session("germ-mobilenet-v2", "search", seed=0))
    chosen = networks.read(read_genotypes(profile))
    assert len(chosen) < 30
    assert {name for rollout in chosen for name in networks.primitives(rollout)} == names
    assert {name for rollout in networks.sample(30) for name in networks.primitives(rollout)} == names


def test_logs_of_a_vendor_become_a_model(awnas, tmp_path):
    archs, logs, records = tmp_path / "archs.yaml", tmp_path / "logs", tmp_path / "board.jsonl"
    awnas("random-sample", "nb201-random", "-o", archs, "-n", 12, "--seed", 0, "--unique")
    logs.mkdir()
    for number in range(12):
        (logs / f"{number}.txt").write_text(
            f"[I] Average on 10 runs - GPU latency: {1 + number / 8} ms - Host\n"
        )
    awnas("hw", "parse", "nb201-random", archs, logs, "-o", records, "--name", "board")
    times = [json.loads(line)["costs"]["latency_ms"] for line in records.read_text().splitlines()[1:]]
    assert times == [1 + number / 8 for number in range(12)]
    judged = json.loads(
        awnas("hw", "genmodel", records, "-o", tmp_path / "m", "--kind", "linear", "--json").out
    )
    assert set(judged) == {"linear", "constant"}  # layers were not measured by themselves
    (logs / "11.txt").unlink()
    refused = awnas("hw", "parse", "nb201-random", archs, logs, "-o", tmp_path / "other.jsonl", code=2)
    assert "one log of architecture 11" in refused.err


def test_the_old_command_is_the_new_one(monkeypatch, capsys):
    from awnas_hardware import command

    monkeypatch.setattr("sys.argv", ["awnas-hw", "--help"])
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == 0
    assert "genmodel" in capsys.readouterr().out
