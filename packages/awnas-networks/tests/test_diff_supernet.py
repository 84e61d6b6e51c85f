"""The supernet of gradient-based search, beside a plain one that is written out here."""

from collections import Counter

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from awnas_core import ConfigError
from awnas_core.rollout import RelaxedRollout
from awnas_core.testing import WeightsManagerContract, build
from awnas_networks.primitives.average_pool import AveragePool
from awnas_networks.primitives.dilated import DilatedConv2d
from awnas_networks.primitives.plain import ShiftedConvolutions, Zero
from awnas_spaces.cnn import CnnSpace

LAYERS, CHANNELS, STEPS, CLASSES = 3, 8, 2, 3
EDGES = STEPS * (STEPS + 3) // 2
BATCH = 4


def conv_bn(c_in, c_out, kernel, stride=1, dilation=1, groups=1):
    padding = dilation * (kernel - 1) // 2
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, kernel, stride, padding, dilation, groups, bias=False),
        nn.BatchNorm2d(c_out, affine=False),
    )


class PlainSeparable(nn.Module):
    def __init__(self, c, kernel, stride, dilation, repeats):
        super().__init__()
        self.parts = nn.ModuleList()
        for i in range(repeats):
            padding = dilation * (kernel - 1) // 2
            s = stride if i == 0 else 1
            self.parts.append(
                nn.Conv2d(c, c, kernel, s, padding, dilation, c, bias=False),
            )
            self.parts.append(conv_bn(c, c, 1))

    def forward(self, x):
        for depthwise, pointwise in zip(self.parts[::2], self.parts[1::2], strict=True):
            x = pointwise(depthwise(F.relu(x)))
        return x


class PlainReduce(nn.Module):
    def __init__(self, c_in, c_out):
        super().__init__()
        self.even = nn.Conv2d(c_in, c_out // 2, 1, 2, bias=False)
        self.odd = nn.Conv2d(c_in, c_out // 2, 1, 2, bias=False)
        self.bn = nn.BatchNorm2d(c_out, affine=False)

    def forward(self, x):
        x = F.relu(x)
        return self.bn(torch.cat([self.even(x), self.odd(x[:, :, 1:, 1:])], 1))


def plain_primitive(name, c, stride):
    if name == "none":
        return None
    if name.startswith("max_pool"):
        return nn.Sequential(nn.MaxPool2d(3, stride, 1), nn.BatchNorm2d(c, affine=False))
    if name.startswith("avg_pool"):
        pool = nn.AvgPool2d(3, stride, 1, count_include_pad=False)
        return nn.Sequential(pool, nn.BatchNorm2d(c, affine=False))
    if name == "skip_connect":
        return nn.Identity() if stride == 1 else PlainReduce(c, c)
    separable = name.startswith("sep")
    return PlainSeparable(c, int(name[-1]), stride, 1 if separable else 2, 2 if separable else 1)


class PlainCell(nn.Module):
    """One operation after the other, on every edge, on the first of K parts of the channels."""

    def __init__(self, c_inputs, c, stride, strides_before, partial, primitives):
        super().__init__()
        self.partial, self.stride = partial, stride
        self.preprocess = nn.ModuleList(
            PlainReduce(c_in, c) if s == 2 else nn.Sequential(nn.ReLU(), conv_bn(c_in, c, 1))
            for c_in, s in zip(c_inputs, strides_before, strict=True)
        )
        self.edges = nn.ModuleList(
            nn.ModuleList(
                plain_primitive(name, c // partial, stride if source < 2 else 1) or nn.Module()
                for name in primitives
            )
            for to in range(STEPS)
            for source in range(to + 2)
        )

    def edge(self, ops, weights, x, stride):
        lead, rest = x[:, : x.shape[1] // self.partial], x[:, x.shape[1] // self.partial :]
        mixed = torch.zeros_like(lead[:, :, ::stride, ::stride])
        for op, weight in zip(ops, weights.unbind(-1), strict=True):
            if list(op.children()) or isinstance(op, nn.Identity):
                mixed = mixed + op(lead) * weight.view(-1, 1, 1, 1)
        if self.partial == 1:
            return mixed
        if stride == 2:
            rest = F.max_pool2d(rest, 2, 2)
        both = torch.cat([mixed, rest], 1)
        n, c, h, w = both.shape
        return both.view(n, self.partial, c // self.partial, h, w).transpose(1, 2).reshape(n, c, h, w)

    def forward(self, inputs, weights, edges):
        states = [op(x) for op, x in zip(self.preprocess, inputs, strict=True)]
        at = 0
        for _ in range(STEPS):
            value = 0
            for i, state in enumerate(states):
                stride = self.stride if i < 2 else 1
                beta = 1 if edges is None else edges[at + i]
                value = value + beta * self.edge(self.edges[at + i], weights[at + i], state, stride)
            at += len(states)
            states.append(value)
        return torch.cat(states[2:], 1)


class PlainSupernet(nn.Module):
    """Normal, reduction, normal; weights per group (E, P) or (E, N, P), and perhaps weights of edges (E,)."""

    def __init__(self, partial=1, primitives=CnnSpace().primitives_of(0)):
        super().__init__()
        c = 3 * CHANNELS
        self.stem = nn.Sequential(nn.Conv2d(3, c, 3, padding=1, bias=False), nn.BatchNorm2d(c))
        shapes, c = [(c, 1), (c, 1)], CHANNELS
        self.cells = nn.ModuleList()
        for group in (0, 1, 0):
            stride = 1 + group
            c, latest = c * stride, shapes[-1][1]
            inputs = shapes[-2:]
            before = [latest // s for _, s in inputs]
            self.cells.append(PlainCell([n for n, _ in inputs], c, stride, before, partial, primitives))
            shapes.append((STEPS * c, latest * stride))
        self.classifier = nn.Linear(STEPS * c, CLASSES)

    def forward(self, images, relaxed):
        states = [self.stem(images)] * 2
        for cell, name in zip(self.cells, ("normal_0", "reduce_1", "normal_0"), strict=True):
            states = [states[1], cell(states, relaxed[name], relaxed.get(f"{name}.edges"))]
        return self.classifier(states[-1].mean((2, 3)))


def space(**options):
    return build(
        "search_space", "cnn", {"num_layers": LAYERS, "num_steps": STEPS, "cell_layout": [0, 1, 0]} | options
    )


def supernet(of=None, image=(3, 8, 8), **options):
    cfg = {"init_channels": CHANNELS, "dropout_rate": 0.0, **options}
    facts = {"search_space": of or space(), "num_classes": CLASSES, "input_shape": image}
    return build("weights_manager", "diff-supernet", cfg, facts)


def plain_twin(manager, **options):
    """A plain supernet with the same weights."""
    plain = PlainSupernet(**options)
    for theirs, ours in zip(plain.parameters(), manager.parameters(), strict=True):
        theirs.data.copy_(ours.data)
    return plain


def images(n=BATCH):
    return torch.rand(n, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def relaxed_weights(samples=None, edges=False, primitives=8, seed=1):
    generator = torch.Generator().manual_seed(seed)
    shape = (EDGES, primitives) if samples is None else (EDGES, samples, primitives)
    relaxed = {name: torch.randn(shape, generator=generator).softmax(-1) for name in ("normal_0", "reduce_1")}
    if edges:
        relaxed |= {
            f"{name}.edges": torch.rand(EDGES, generator=generator) for name in ("normal_0", "reduce_1")
        }
    return relaxed


def rollout_of(manager, relaxed):
    return RelaxedRollout(manager.search_space, relaxed)


def leaves(relaxed):
    return {key: value.clone().requires_grad_() for key, value in relaxed.items()}


def assert_same_step(manager, plain, relaxed, plain_relaxed=None):
    """Logits, gradients of weights and of the mixture, and running statistics are those of the plain supernet."""
    ours, theirs = leaves(relaxed), leaves(plain_relaxed or relaxed)
    candidate = manager.assemble_candidate(rollout_of(manager, relaxed))
    logits, expected = candidate(images(), ours), plain(images(), theirs)
    torch.testing.assert_close(logits, expected, atol=1e-4, rtol=1e-4)
    target = torch.arange(BATCH) % CLASSES
    F.cross_entropy(logits, target).backward()
    F.cross_entropy(expected, target).backward()
    for mine, plain_parameter in zip(manager.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, plain_parameter.grad, atol=1e-4, rtol=1e-3)
    gradients = {key: value.grad for key, value in theirs.items()}
    if plain_relaxed is None:
        for key, value in ours.items():
            torch.testing.assert_close(value.grad, gradients[key], atol=1e-4, rtol=1e-3)
    manager.eval(), plain.eval()
    torch.testing.assert_close(
        candidate(images()), plain(images(), plain_relaxed or relaxed), atol=1e-4, rtol=1e-4
    )


class TestDiffSupernet(WeightsManagerContract):
    component = "diff-supernet"
    cfg = {"init_channels": 4}

    def space(self):
        return space(num_layers=3)

    def collaborators(self):
        return {"search_space": self.space(), "num_classes": 3, "input_shape": (3, 8, 8)}

    def inputs(self):
        return images(2)


def test_a_step_is_that_of_a_plain_darts_supernet():
    manager = supernet()
    assert_same_step(manager, plain_twin(manager), relaxed_weights())


def test_weights_of_edges_multiply_what_the_edge_delivers():
    manager = supernet()
    assert_same_step(manager, plain_twin(manager), relaxed_weights(edges=True))


@pytest.mark.parametrize("edges", [False, True])
def test_a_step_with_partial_channels_is_that_of_a_plain_pc_darts_supernet(edges):
    manager = supernet(cell_group_kwargs=[{"partial_channel_proportion": 4}] * 2)
    assert_same_step(manager, plain_twin(manager, partial=4), relaxed_weights(edges=edges))


def test_samples_take_turns_over_the_batch():
    manager = supernet()
    two = relaxed_weights(samples=2)
    each = {name: weights.repeat(1, BATCH // 2, 1) for name, weights in two.items()}
    assert_same_step(manager, plain_twin(manager), two, each)


def test_of_samples_that_choose_one_operation_each_all_are_run():
    manager = supernet()
    two = {name: F.one_hot(w.argmax(-1), 8).float() for name, w in relaxed_weights(samples=2).items()}
    each = {name: weights.repeat(1, BATCH // 2, 1) for name, weights in two.items()}
    logits = manager.assemble_candidate(rollout_of(manager, two))(images())
    torch.testing.assert_close(logits, plain_twin(manager)(images(), each), atol=1e-4, rtol=1e-4)


def test_a_batch_that_samples_cannot_share_is_refused():
    manager = supernet()
    candidate = manager.assemble_candidate(rollout_of(manager, relaxed_weights(samples=3)))
    with pytest.raises(ConfigError, match=r"3 samples .* batch of 4"):
        candidate(images())


def test_weights_of_another_shape_are_refused():
    manager = supernet()
    with pytest.raises(
        ConfigError, match=r"'normal_0' must have shape \(5, 8\) or \(5, B, 8\), got \(5, 7\)"
    ):
        manager.assemble_candidate(rollout_of(manager, relaxed_weights(primitives=7)))


def test_channels_that_cannot_be_divided_are_refused():
    with pytest.raises(ConfigError, match="partial_channel_proportion 3 must divide"):
        supernet(cell_group_kwargs=[{"partial_channel_proportion": 3}] * 2)


def test_options_for_too_few_groups_are_refused():
    with pytest.raises(ConfigError, match="lists 1 groups, the search space has 2"):
        supernet(cell_group_kwargs=[{"partial_channel_proportion": 2}])


@pytest.mark.parametrize("partial", [1, 4])
def test_one_hot_weights_give_what_the_discrete_architecture_gives(partial):
    of = space()
    manager = supernet(of, cell_group_kwargs=[{"partial_channel_proportion": partial}] * 2).eval()
    for rollout in of.random_samples(5, np.random.default_rng(3)):
        relaxed = {name: torch.from_numpy(weights) for name, weights in of.relax(rollout.arch).items()}
        if partial > 1:  # what goes round the operations of an edge has only the weight of the edge
            counts = {m.name: edge_counts(rollout, of, m) for m in of.mixtures}
            relaxed = {name: w / counts[name].clamp(min=1)[:, None] for name, w in relaxed.items()}
            relaxed |= {f"{name}.edges": count for name, count in counts.items()}
        mixed = manager.assemble_candidate(rollout_of(manager, relaxed))(images())
        torch.testing.assert_close(mixed, manager.assemble_candidate(rollout)(images()), atol=1e-5, rtol=1e-4)


def edge_counts(rollout, of, mixture):
    """How often a discrete cell uses each edge."""
    cell = rollout.genotype.cells[of.group_names.index(mixture.name)]
    used = torch.zeros(mixture.shape[0])
    for _, source, to in cell.connections:
        used[mixture.slices[to - of.num_init_nodes].start + source] += 1
    return used


def test_operations_of_weight_zero_are_left_out():
    manager = supernet()
    relaxed = {name: F.one_hot(torch.full((EDGES,), 3), 8).float() for name in ("normal_0", "reduce_1")}
    candidate = manager.assemble_candidate(rollout_of(manager, relaxed))
    candidate(images()).sum().backward()
    used = {name for name, p in manager.named_parameters() if p.grad is not None}
    assert not any("f_0_t_2.4" in name for name in used)
    assert any("f_0_t_2.3" in name for name in used), "the strided skip connection has weights"
    tracked = {name: b for name, b in manager.named_buffers() if name.endswith("num_batches_tracked")}
    assert {int(b) for name, b in tracked.items() if "f_0_t_2.4" in name} == {0}


def test_the_gradient_of_a_weight_of_zero_is_complete_while_its_operation_gets_none():
    manager = supernet()
    plain = plain_twin(manager)
    relaxed = {name: F.one_hot(torch.full((EDGES,), 4), 8).float() for name in ("normal_0", "reduce_1")}
    ours, theirs = leaves(relaxed), leaves(relaxed)
    manager.assemble_candidate(rollout_of(manager, relaxed))(images(), ours).sum().backward()
    plain(images(), theirs).sum().backward()
    for key, value in ours.items():
        torch.testing.assert_close(value.grad, theirs[key].grad, atol=1e-3, rtol=1e-3)
        assert (value.grad[:, 5] != 0).all()
    assert all(p.grad is None for name, p in manager.named_parameters() if ".f_0_t_2.5." in name)


def test_nothing_is_back_propagated_through_operations_of_weight_zero():
    manager = supernet()
    relaxed = {name: F.one_hot(torch.full((EDGES,), 4), 8).float() for name in ("normal_0", "reduce_1")}
    logits = manager.assemble_candidate(rollout_of(manager, relaxed))(images(), leaves(relaxed))
    reached, steps = set(), [logits.grad_fn]
    while steps:
        step = steps.pop()
        if step is not None and step not in reached:
            reached.add(step)
            steps.extend(further for further, _ in step.next_functions)
    kinds = Counter(step.name() for step in reached)
    assert kinds["MaxPool2DWithIndicesBackward0"] == 0
    separable, around = 2 * 3 * EDGES * 2, 1 + 3 * 2 + 1  # stem, preprocessing (one of two convolutions)
    assert kinds["ConvolutionBackward0"] == separable + around


def test_a_node_whose_operations_all_weigh_zero_is_zero():
    manager = supernet().eval()
    relaxed = {name: torch.zeros(EDGES, 8) for name in ("normal_0", "reduce_1")}
    logits = manager.assemble_candidate(rollout_of(manager, relaxed))(images())
    torch.testing.assert_close(logits, manager.network.classifier.bias.expand(BATCH, -1))


def test_what_edges_have_in_common_is_computed_once_for_the_node_they_leave(monkeypatch):
    """Three cells, each with two inputs that the preprocessing made and one inner node that edges leave."""
    calls = Counter()

    def count(owner, name):
        call = getattr(owner, name)

        def counted(*arguments):
            calls[getattr(owner, "__name__", name)] += 1
            return call(*arguments)

        monkeypatch.setattr(owner, name, counted)

    manager = supernet()
    candidate = manager.assemble_candidate(rollout_of(manager, relaxed_weights()))
    for kind in (nn.MaxPool2d, AveragePool, Zero):
        count(kind, "forward")
    for kind in (DilatedConv2d, ShiftedConvolutions):
        count(kind, "prepare")
    count(torch, "relu")
    candidate(images())
    in_preprocessing, in_separable = 3 * 2, 3 * EDGES * 2
    assert calls == {
        "MaxPool2d": 9,
        "AveragePool": 9,
        "DilatedConv2d": 9,
        "ShiftedConvolutions": 2 + 1,  # one brings an older output to the resolution of the latest
        "torch": 9 + in_preprocessing + in_separable,
    }


def test_everything_stays_in_channels_last():
    manager = supernet(cell_group_kwargs=[{"partial_channel_proportion": 2}] * 2)
    layouts = []
    for module in manager.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(lambda m, i, o: layouts.append((i[0], o)))
    inputs = images().contiguous(memory_format=torch.channels_last)
    manager.assemble_candidate(rollout_of(manager, relaxed_weights()))(inputs)
    assert layouts
    assert all(tensor.stride(1) == 1 for pair in layouts for tensor in pair)


@pytest.mark.parametrize(
    ("partial", "published"),
    [(1, 1_930_618), (4, 299_578)],
    ids=["DARTS", "PC-DARTS"],
)
def test_its_size_is_the_published_one(partial, published):
    manager = supernet(
        CnnSpace(),
        (3, 32, 32),
        init_channels=16,
        cell_group_kwargs=[{"partial_channel_proportion": partial}] * 2,
    )
    manager.network.classifier = nn.Linear(256, 10)
    assert sum(p.numel() for p in manager.parameters()) == published


def test_a_space_without_mixtures_is_refused():
    with pytest.raises(ConfigError, match="cannot be relaxed"):
        supernet(space(num_node_inputs=3))


def test_a_mixture_is_one_graph_to_compile_which_serves_every_sample():
    manager = supernet(
        space(num_layers=1, cell_layout=[0], num_steps=1, reduce_cell_groups=[]),
        cell_group_kwargs=[{"partial_channel_proportion": 4}] * 2,
    )
    graphs = []

    def keep(graph, _):
        graphs.append(graph)
        return graph.forward

    for _ in range(2):
        relaxed = {m.name: torch.rand(m.shape) for m in manager.search_space.mixtures}
        candidate = manager.assemble_candidate(rollout_of(manager, relaxed))
        compiled = torch.compile(candidate, backend=keep, fullgraph=True)
        torch.testing.assert_close(compiled(images()), candidate(images()))
    assert len(graphs) == 1
