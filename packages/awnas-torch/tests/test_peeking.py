"""A look at the next batch of a queue."""

import pytest
import torch

from awnas_torch.queues import DataQueue


def queue(workers=0):
    split = [(torch.tensor(i), i) for i in range(7)]
    return DataQueue(split, range(7), batch_size=3, seed=4, workers=workers)


@pytest.mark.parametrize("workers", [0, 1])
def test_peeking_changes_nothing_of_what_follows(workers):
    plain, peeked = queue(), queue(workers)
    for _ in range(5):
        expected = plain.next()
        for _ in range(2):
            torch.testing.assert_close(peeked.peek(), expected)
        torch.testing.assert_close(peeked.next(), expected)
        assert peeked.state() == plain.state()


def test_a_batch_that_was_only_looked_at_comes_again_after_a_resume():
    stopped, resumed = queue(), queue()
    stopped.next()
    seen = stopped.peek()
    resumed.peek()
    resumed.load_state(stopped.state())
    torch.testing.assert_close(resumed.next(), seen)
