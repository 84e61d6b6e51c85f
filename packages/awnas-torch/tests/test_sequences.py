"""Texts are read in columns, chunk after chunk, and every token but the first of a column is predicted once."""

import numpy as np
import pytest
import torch

from awnas_core.errors import ConfigError
from awnas_core.world import World
from awnas_torch.queues import DataQueue
from awnas_torch.sequences import Chunk, TokenSequence, continued


def sequence(count=23):
    return TokenSequence(torch.arange(100, 100 + count))


def test_a_text_becomes_columns_of_equal_length_without_its_rest():
    matrix = sequence().columns(np.arange(23), 3).matrix
    assert matrix.tolist() == [[100 + row, 107 + row, 114 + row] for row in range(7)]


def test_a_queue_hands_out_chunks_whose_targets_are_the_next_tokens():
    columns = sequence().columns(np.arange(2, 23), 3)
    queue = DataQueue(columns, columns.rows, batch_size=4, seed=0, shuffle=False)
    assert len(queue) == 2
    for _ in range(2):  # two passes, the same
        (first, targets), (second, last) = queue.next(), queue.next()
        assert first.tokens[:, 0].tolist() == [102, 103, 104, 105]
        assert targets[:, 0].tolist() == [103, 104, 105, 106]
        assert second.tokens[:, 2].tolist() == [120, 121]
        assert last[:, 2].tolist() == [121, 122]
        assert (first.is_first, second.is_first) == (True, False)


def test_a_chunk_goes_on_where_the_last_one_ended_but_a_beginning_is_a_beginning():
    tokens = torch.zeros(2, 1)
    assert Chunk(tokens, is_first=False).after("state").state == "state"
    assert Chunk(tokens).after("state").state is None
    inputs, targets = continued((torch.ones(3), torch.ones(3)), "state")
    assert inputs.tolist() == targets.tolist()


def test_processes_read_different_columns():
    mine = [sequence().columns(np.arange(23), 2, World(rank=rank, size=2)).matrix for rank in range(2)]
    whole = sequence().columns(np.arange(23), 4).matrix
    assert torch.equal(torch.cat(mine, 1), whole)


def test_a_permuted_text_is_refused():
    with pytest.raises(ConfigError, match="shuffle_data_before_split"):
        sequence().columns(np.array([3, 1, 2]), 1)


def test_a_text_shorter_than_its_columns_has_no_rows():
    assert len(sequence(3).columns(np.arange(3), 8).rows) == 0
    assert len(sequence(3).columns(np.arange(0), 8).rows) == 0
