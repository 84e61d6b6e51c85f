"""A queue's batches depend on seed, pass and index alone: not on workers, interruptions or the number of processes."""

import itertools
from collections import Counter

import numpy as np
import pytest
import torch

from awnas_core.errors import ConfigError
from awnas_core.world import World
from awnas_torch.queues import DataQueue


class Noisy:
    """Examples (index, noise); the noise comes from the global generator, as in torchvision."""

    def __len__(self):
        return 10

    def __getitem__(self, index):
        return torch.tensor(index), torch.rand(())


class Fetching(Noisy):
    """The same, a batch at a time."""

    def fetch(self, indices, seeds):
        return torch.from_numpy(indices.copy()), torch.from_numpy(seeds.astype(np.int64))


def queue(split=None, n=10, **options):
    options = {"batch_size": 4, "seed": 5} | options
    return DataQueue(split or Noisy(), np.arange(n), **options)


def take(queue, batches):
    return [tuple(part.tolist() for part in queue.next()) for _ in range(batches)]


def test_a_pass_holds_every_example_once_in_an_order_of_its_own():
    source = queue()
    passes = [list(itertools.chain(*(batch[0] for batch in take(source, 3)))) for _ in range(4)]
    assert all(sorted(order) == list(range(10)) for order in passes)
    assert len({tuple(order) for order in passes}) == 4


def test_without_shuffling_every_pass_has_the_order_of_the_indices():
    source = DataQueue(Noisy(), np.array([3, 1, 4]), batch_size=2, seed=0, shuffle=False)
    assert [batch[0] for batch in take(source, 4)] == [[3, 1], [4], [3, 1], [4]]


@pytest.mark.parametrize("split", [Noisy(), Fetching()])
@pytest.mark.parametrize("workers", [0, 2])
def test_a_queue_resumed_anywhere_gives_the_batches_of_one_never_stopped(split, workers):
    expected = take(queue(split), 8)
    for done in range(0, 8, 1 if workers == 0 else 3):
        stopped, resumed = queue(split, workers=workers), queue(split, workers=workers)
        assert take(stopped, done) == expected[:done]
        resumed.load_state(stopped.state())
        assert take(resumed, 8 - done) == expected[done:]


def test_the_noise_of_an_item_follows_from_seed_pass_and_index_and_not_from_its_batch():
    by_size = []
    for size in (1, 4, 10):
        source = queue(batch_size=size)
        batches = take(source, len(source))
        by_size.append(
            dict(zip(*(itertools.chain(*part) for part in zip(*batches, strict=True)), strict=True))
        )
    assert by_size[0] == by_size[1] == by_size[2]
    assert len(set(by_size[0].values())) == 10
    (next_pass,) = (source.next() for _ in range(1))
    assert by_size[0] != dict(zip(*(part.tolist() for part in next_pass), strict=True))


def test_another_seed_gives_another_order_and_other_noise():
    (first,), (other,) = take(queue(batch_size=10), 1), take(queue(batch_size=10, seed=6), 1)
    assert first[0] != other[0]
    assert not set(first[1]) & set(other[1])


def test_looking_at_a_whole_pass_moves_nothing():
    source = queue()
    before = source.state()
    first = [tuple(part.tolist() for part in batch) for batch in source.pass_over()]
    again = [tuple(part.tolist() for part in batch) for batch in source.pass_over()]
    assert first == again
    assert [batch[0] for batch in first] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert source.state() == before
    assert len(list(source.pass_over(2))) == 2


def test_a_batch_that_is_not_full_can_be_left_out():
    assert (len(queue()), len(queue(drop_last=True))) == (3, 2)
    counts = Counter(len(batch[0]) for batch in take(queue(drop_last=True), 6))
    assert counts == {4: 6}


@pytest.mark.parametrize("split", [Noisy(), Fetching()])
def test_two_processes_see_together_what_one_with_the_doubled_batch_sees(split):
    one = queue(split, batch_size=4, drop_last=True)
    two = [queue(split, batch_size=2, world=World(rank, 2)) for rank in (0, 1)]
    assert len(one) == len(two[0]) == len(two[1])
    for whole in take(one, 5):
        halves = [take(part, 1)[0] for part in two]
        for field, parts in zip(whole, zip(*halves, strict=True), strict=True):
            assert field == [*parts[0], *parts[1]]


def test_a_pass_over_two_processes_leaves_no_example_out_and_takes_none_twice():
    parts = [queue(n=9, batch_size=2, world=World(rank, 2)) for rank in (0, 1)]
    seen = [index for part in parts for batch in part.pass_over() for index in batch[0].tolist()]
    assert sorted(seen) == list(range(9))


def test_fetching_leaves_the_global_generators_alone():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    take(queue(), 3)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(("n", "options"), [(0, {}), (3, {"drop_last": True}), (7, {"world": World(0, 2)})])
def test_a_queue_without_a_batch_says_what_to_change(n, options):
    with pytest.raises(
        ConfigError, match=f"'valid' has {n} examples.*larger data_portion or a smaller batch_size"
    ):
        queue(n=n, name="valid", **options).next()


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("n", [3, 4, 9, 10, 12])
def test_in_a_fixed_pass_every_process_has_a_part_of_every_batch_and_together_they_have_all(size, n):
    shares = [
        [batch[0].tolist() for batch in queue(n=n, batch_size=2, world=World(rank, size)).pass_over()]
        for rank in range(size)
    ]
    assert len({len(share) for share in shares}) == 1
    assert all(batch for share in shares for batch in share)
    assert sorted(itertools.chain(*(batch for share in shares for batch in share))) == list(range(n))


def test_a_queue_smaller_than_the_number_of_processes_is_refused():
    with pytest.raises(ConfigError, match="too few for 3 processes"):
        list(queue(n=2, world=World(0, 3)).pass_over())
