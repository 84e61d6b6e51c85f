"""What is dropped stays dropped over time, whole words at once, and the mean is kept."""

import torch

from awnas_text.dropout import embed, keep_mask, locked_dropout


def test_kept_values_make_up_for_dropped_ones():
    torch.manual_seed(0)
    mask = keep_mask((200, 200), 0.25, torch.zeros(1))
    assert set(mask.unique().tolist()) == {0.0, torch.tensor(1 / 0.75).item()}
    assert abs(mask.mean().item() - 1) < 0.02


def test_one_mask_does_for_all_steps_and_differs_between_texts():
    torch.manual_seed(0)
    dropped = locked_dropout(torch.ones(5, 3, 40), 0.5)
    assert torch.equal(dropped, dropped[:1].expand_as(dropped))
    assert not torch.equal(dropped[0, 0], dropped[0, 1])


def test_a_dropped_word_is_zero_wherever_it_occurs():
    torch.manual_seed(0)
    tokens = torch.arange(50).repeat(2, 1)
    found = embed(tokens, torch.ones(50, 4), 0.5)
    assert torch.equal(found[0], found[1])
    assert {tuple(row) for row in found[0].tolist()} == {(0.0,) * 4, (2.0,) * 4}


def test_nothing_is_dropped_at_rate_0():
    values = torch.randn(2, 3, 4)
    assert locked_dropout(values, 0.0) is values
    tokens = torch.tensor([[1, 0]])
    assert torch.equal(embed(tokens, torch.eye(2), 0.0), torch.eye(2)[tokens])
