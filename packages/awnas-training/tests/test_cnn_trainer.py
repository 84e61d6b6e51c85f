"""Final training: each option against a training loop written here."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from awnas_core import ConfigError, Dataset, FinalModel
from awnas_core.device import Device
from awnas_core.run.random_streams import RandomStreams
from awnas_core.run.run import Run
from awnas_core.testing import build

COUNT, SIZE = 24, 8


class Points(Dataset):
    """Noise with labels; ``valid`` only when asked for."""

    def __init__(self, *, valid: int = 0) -> None:
        generator = torch.Generator().manual_seed(3)
        self._splits = {
            name: [(torch.randn(3, 4, 4, generator=generator), i % 4) for i in range(count)]
            for name, count in (("train", COUNT), ("test", 10), ("valid", valid))
            if count
        }

    def splits(self):
        return self._splits

    def facts(self):
        return {"num_classes": 4, "input_shape": (3, 4, 4)}


class Small(FinalModel, nn.Module):
    """One convolution and a classifier, perhaps with an auxiliary one."""

    def __init__(self, *, auxiliary: bool = False, norm: bool = False) -> None:
        nn.Module.__init__(self)
        with torch.random.fork_rng():
            torch.manual_seed(1)
            self.conv = nn.Conv2d(3, 5, 3)
            self.norm = nn.BatchNorm2d(5) if norm else nn.Identity()
            self.classifier = nn.Linear(5, 4)
            self.auxiliary = nn.Linear(5, 4) if auxiliary else None

    def forward(self, images):
        features = self.norm(self.conv(images)).relu().mean((2, 3))
        logits = self.classifier(features)
        if self.auxiliary is not None and self.training:
            return logits, self.auxiliary(features)
        return logits

    def layers(self):
        return []

    def state(self):
        return {"weights": dict(self.state_dict())}

    def load_state(self, state):
        self.load_state_dict(state["weights"])


class Trained:
    """A trainer and what it trains, on :class:`Points`."""

    def __init__(self, model=None, dataset=None, objective=None, device: Device = Device(), **cfg):
        self.model = Small() if model is None else model
        self.dataset = dataset or Points()
        usual = {"epochs": 2, "batch_size": SIZE, "workers_per_queue": 0, "optimizer_scheduler": None}
        shared = {
            "dataset": self.dataset,
            "final_model": self.model,
            "objective": objective or build("objective", "classification"),
            "device": device,
        }
        self.trainer = build("final_trainer", "cnn-trainer", usual | cfg, shared, np.random.default_rng(0))
        self.reports: list[dict] = []

    def run(self) -> Trained:
        trained = self

        class Watched(Run):
            def report(self, epoch, values, phase=""):
                super().report(epoch, values, phase)
                trained.reports.append({"epoch": epoch, "phase": phase, **values})

        components = {"final_model": self.model, "final_trainer": self.trainer}
        with Watched(components, RandomStreams(0)) as run:
            self.trainer.train(run)
        return self

    def of(self, phase: str, name: str) -> list[float]:
        return [report[name] for report in self.reports if report["phase"] == phase]


def expected(
    model, epochs=2, lr=0.025, momentum=0.9, decay=3e-4, clip=5.0, smooth=0.0, auxiliary=0.4, bias_decay=True
):
    """Train ``model`` by hand on the batches that a trainer of the same seed draws."""
    batches = Trained(batch_size=SIZE).trainer.queue
    velocity = {name: torch.zeros_like(p) for name, p in model.named_parameters()}
    rates = lr if isinstance(lr, list) else [lr] * epochs
    for rate in rates:
        for _ in range(COUNT // SIZE):
            inputs, targets = batches.next()
            outputs = model.train()(inputs)
            logits, extra = outputs if isinstance(outputs, tuple) else (outputs, None)
            loss = functional.cross_entropy(logits, targets, label_smoothing=smooth)
            if extra is not None:
                loss = loss + auxiliary * functional.cross_entropy(extra, targets)
            names, parameters = zip(*model.named_parameters(), strict=True)
            gradients = torch.autograd.grad(loss, parameters)
            norm = torch.cat([gradient.flatten() for gradient in gradients]).norm()
            with torch.no_grad():
                for name, parameter, gradient in zip(names, parameters, gradients, strict=True):
                    slope = gradient * clip / norm if clip and norm > clip else gradient
                    own_decay = decay if bias_decay or not name.endswith("bias") else 0
                    velocity[name] = momentum * velocity[name] + slope + own_decay * parameter
                    parameter.sub_(rate * velocity[name])
    return model.state_dict()


def same(model, reference) -> bool:
    return all(torch.allclose(a, reference[name], atol=1e-5) for name, a in model.state_dict().items())


CASES = {
    "the defaults": ({}, {}),
    "momentum and decay": ({"momentum": 0.5, "weight_decay": 0.1}, {"momentum": 0.5, "decay": 0.1}),
    "biases that do not decay": (
        {"weight_decay": 0.5, "no_bias_decay": True},
        {"decay": 0.5, "bias_decay": False},
    ),
    "gradients clipped": ({"grad_clip": 0.1}, {"clip": 0.1}),
    "gradients not clipped": ({"grad_clip": 0, "learning_rate": 1.0}, {"clip": 0, "lr": 1.0}),
    "other options of the optimizer": ({"optimizer_kwargs": {"momentum": 0.0}}, {"momentum": 0.0}),
}


@pytest.mark.parametrize("case", CASES)
def test_the_weights_are_those_of_a_loop_by_hand(case):
    cfg, by_hand = CASES[case]
    assert same(Trained(**cfg).run().model, expected(Small(), **by_hand))


def test_no_two_of_these_cases_end_alike():
    ends = [expected(Small(), **by_hand)["conv.weight"] for _, by_hand in CASES.values()]
    assert all(not torch.allclose(a, b, atol=1e-4) for i, a in enumerate(ends) for b in ends[:i])


@pytest.mark.parametrize("weight", [0.4, 2.0])
def test_the_auxiliary_head_adds_its_weighted_loss(weight):
    trained = Trained(Small(auxiliary=True), auxiliary_weight=weight).run()
    assert same(trained.model, expected(Small(auxiliary=True), auxiliary=weight))


def test_labels_are_smoothed_in_training_and_not_when_measured():
    objective = build("objective", "classification", {"label_smooth": 0.3})
    trained = Trained(objective=objective).run()
    assert same(trained.model, expected(Small(), smooth=0.3))
    inputs, targets = (
        torch.stack(list(map(torch.as_tensor, column)))
        for column in zip(*Points().splits()["test"], strict=True)
    )
    perf = trained.trainer.evaluate_split("test")
    logits = trained.model.eval()(inputs)
    assert perf["loss"] == pytest.approx(functional.cross_entropy(logits, targets).item())
    assert perf["acc"] == pytest.approx((logits.argmax(1) == targets).float().mean().item())
    assert perf["reward"] == perf["acc"]


def test_the_rate_rises_to_its_peak_and_then_the_scheduler_starts():
    cosine = {"type": "CosineAnnealingLR", "T_max": 4, "eta_min": 0.0}
    trained = Trained(epochs=6, warmup_epochs=2, learning_rate=0.1, optimizer_scheduler=cosine).run()
    after = [0.05 * (1 + np.cos(np.pi * step / 4)) for step in range(4)]
    np.testing.assert_allclose(trained.of("train", "lr"), [0.05, 0.1, *after], atol=1e-9)


def test_without_warm_up_the_first_epoch_runs_at_the_base_rate():
    step = {"type": "StepLR", "step_size": 1, "gamma": 0.5}
    assert Trained(epochs=3, learning_rate=0.4, optimizer_scheduler=step).run().of("train", "lr") == [
        0.4,
        0.2,
        0.1,
    ]


def test_a_plateau_scheduler_is_told_the_training_loss():
    options = {"patience": 0, "threshold": 0.05, "factor": 0.5}
    trained = Trained(
        epochs=8, optimizer_scheduler={"type": "ReduceLROnPlateau", **options}, learning_rate=0.5
    ).run()
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.5)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **options)
    rates = []
    for loss in trained.of("train", "loss"):
        rates.append(optimizer.param_groups[0]["lr"])
        plateau.step(loss)
    assert trained.of("train", "lr") == rates
    assert 1 < len(set(rates)) < 8


def test_other_optimizers_get_what_they_know():
    trained = Trained(
        optimizer_type="AdamW", optimizer_kwargs={"betas": [0.5, 0.9]}, learning_rate=0.01
    ).run()
    assert trained.of("train", "loss")[1] < trained.of("train", "loss")[0]
    with pytest.raises(ConfigError, match="no optimizer 'SDG'; did you mean 'SGD'"):
        Trained(optimizer_type="SDG")


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "Adagrad", "RMSprop", "ASGD", "Rprop", "NAdam"])
def test_optimizers_with_and_without_momentum_train(name):
    trained = Trained(optimizer_type=name, weight_decay=0.0, epochs=1).run()
    assert not same(trained.model, Small().state_dict())


def test_a_decay_that_the_optimizer_cannot_do_is_refused():
    with pytest.raises(ConfigError, match="weight_decay: no such option of Rprop"):
        Trained(optimizer_type="Rprop", weight_decay=1e-4)


class Dropping(Small):
    """A model with something to schedule."""

    schedulable = ("dropout_path_rate",)

    def __init__(self, *, dropout_path_rate: float = 0.2) -> None:
        super().__init__()
        self.dropout_path_rate = dropout_path_rate


def test_a_schedule_reaches_the_model_every_epoch():
    schedule = {"type": "add", "start": 0.0, "every": 1, "step": 0.1}
    model = build("final_model", Dropping, {"schedule_cfg": {"dropout_path_rate": schedule}})
    seen = []
    model.register_forward_pre_hook(lambda module, _inputs: seen.append(module.dropout_path_rate))
    Trained(model, epochs=3, batch_size=COUNT).run()
    assert seen == pytest.approx([0.0, 0.1, 0.2])


def test_nothing_is_watched_by_default_and_test_is_never_looked_at():
    dataset = Points()
    dataset._splits["test"] = None  # whoever looks at it fails
    assert Trained(dataset=dataset).run().of("valid", "acc") == []


def test_the_end_of_train_can_be_held_out_and_watched():
    trained = Trained(valid_portion=0.25, epochs=4, eval_every=2).run()
    assert sorted(trained.trainer.queue.indices) == list(range(18))
    assert [report["epoch"] for report in trained.reports if report["phase"] == "valid"] == [2, 4]
    held_out = Points().splits()["train"][18:]
    logits = trained.model.eval()(torch.stack([image for image, _ in held_out]))
    targets = torch.tensor([label for _, label in held_out])
    assert trained.of("valid", "loss")[-1] == pytest.approx(functional.cross_entropy(logits, targets).item())


def test_a_split_called_valid_is_watched_and_train_stays_whole():
    trained = Trained(dataset=Points(valid=5), eval_batch_size=2).run()
    assert len(trained.trainer.queue.indices) == COUNT
    logits = trained.model.eval()(torch.stack([image for image, _ in Points(valid=5).splits()["valid"]]))
    assert (
        trained.of("valid", "acc")[-1] == (logits.argmax(1) == torch.tensor([0, 1, 2, 3, 0])).float().mean()
    )


def test_statistics_of_normalisation_can_be_estimated_before_the_first_epoch():
    model = Small(norm=True)
    inputs = torch.stack([image for image, _ in Points().splits()["train"]])
    activations = model.conv(inputs).detach().transpose(0, 1).flatten(1)
    Trained(model, calib_bn_setup=True, learning_rate=1e-12, epochs=1).run()
    momentum_steps = COUNT // SIZE  # the epoch itself moves them on, towards the same statistics
    start = Small(norm=True).norm.running_mean
    assert (model.norm.running_mean - activations.mean(1)).abs().max() < 0.1
    assert (start - activations.mean(1)).abs().max() * 0.9**momentum_steps > 0.1


def test_an_unknown_split_is_told():
    with pytest.raises(ConfigError, match="no split 'validation'; the data set has train, test"):
        Trained().trainer.evaluate_split("validation")


def test_half_precision_trains_to_nearly_the_same_weights_and_resumes():
    precise = Trained().run()
    for dtype in ("bfloat16", "float16"):
        half = Trained(device=Device(dtype=dtype)).run()
        for name, weight in half.model.state_dict().items():
            torch.testing.assert_close(weight, precise.model.state_dict()[name], atol=0.02, rtol=0.02)
    assert half.trainer.state()["scaler"]["scale"] > 1
    again = Trained(device=Device(dtype="float16"))
    again.trainer.load_state(half.trainer.state())
    assert again.trainer.state()["scaler"] == half.trainer.state()["scaler"]


@pytest.mark.slow
def test_a_compiled_network_trains_alike():
    assert same(Trained(torch_compile=True).run().model, Trained().run().model.state_dict())


def test_a_resumed_training_ends_like_one_that_was_never_interrupted():
    scheduler = {"type": "CosineAnnealingLR", "T_max": 4}
    whole = Trained(epochs=4, optimizer_scheduler=scheduler).run()
    half = Trained(epochs=2, optimizer_scheduler=scheduler).run()
    rest = Trained(epochs=4, optimizer_scheduler=scheduler)
    rest.model.load_state(half.model.state())
    rest.trainer.load_state(half.trainer.state())
    with Run({"final_model": rest.model, "final_trainer": rest.trainer}, RandomStreams(0)) as run:
        run.epoch = 2
        rest.trainer.train(run)
    assert same(rest.model, whole.model.state_dict())
