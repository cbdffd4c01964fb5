import inspect

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from longctx_edu.positions import extend_table, learned_positions

few = settings(max_examples=40, deadline=None, derandomize=True)


def table_of(n_rows, width=3):
    return torch.arange(float(n_rows * width)).reshape(n_rows, width).double()


# equals the definition


def test_each_token_gets_the_row_of_its_place():
    table = table_of(5)
    positions = torch.tensor([[4, 0, 2], [1, 1, 3]])
    rows = learned_positions(table, positions)
    assert rows.shape == (2, 3, 3)
    for text in range(2):
        for token in range(3):
            assert torch.equal(rows[text, token], table[positions[text, token]])


def test_the_gradient_of_a_row_is_the_sum_over_its_tokens():
    table = table_of(4).requires_grad_()
    learned_positions(table, torch.tensor([2, 0, 2])).sum().backward()
    assert table.grad.sum(dim=1).tolist() == [3.0, 0.0, 6.0, 0.0]


@few
@given(st.integers(1, 6), st.integers(0, 3), st.integers(1, 30))
def test_an_extended_table_repeats_its_rows(n_places, first, max_tokens):
    table = table_of(first + n_places)
    longer = extend_table(table, max_tokens, first=first)
    assert len(longer) == first + max(max_tokens, n_places)
    assert torch.equal(longer[:first], table[:first])
    for place in range(len(longer) - first):
        assert torch.equal(longer[first + place], table[first + place % n_places])


# equals an outside reference


def test_equals_the_embedding_of_torch():
    embedding = nn.Embedding(6, 4)
    positions = torch.tensor([5, 0, 3])
    assert torch.equal(
        learned_positions(embedding.weight, positions), embedding(positions)
    )


# properties


def test_a_short_text_reads_the_same_from_the_longer_table():
    table = table_of(5)
    places = torch.arange(5)
    assert torch.equal(learned_positions(extend_table(table, 12), places), table)


def test_a_longer_table_is_a_copy_of_its_own():
    table = table_of(5)
    longer = extend_table(table, 7)
    longer[0] = -1
    assert table[0].tolist() == [0, 1, 2]
    assert longer.untyped_storage().nbytes() == 7 * 3 * 8


def test_a_table_keeps_its_format():
    assert extend_table(table_of(2).bfloat16(), 9).dtype == torch.bfloat16


# edges


@pytest.mark.parametrize("max_tokens", [1, 5])
def test_a_table_that_is_long_enough_stays(max_tokens):
    table = table_of(5)
    assert extend_table(table, max_tokens) is table


def test_a_text_without_tokens():
    empty = torch.zeros(2, 0, dtype=torch.long)
    assert learned_positions(table_of(5), empty).shape == (2, 0, 3)


# messages


def said(call, *args, **how):
    with pytest.raises(ValueError) as error:
        inspect.unwrap(call)(*args, **how)
    return str(error.value)


@pytest.mark.parametrize(("places", "got"), [([0, 5], "0 to 5"), ([4, -1], "-1 to 4")])
def test_a_place_without_a_row(places, got):
    assert said(learned_positions, table_of(5), torch.tensor(places)) == (
        f"need positions from 0 to 4, the rows of the table, got {got}: cut the text, "
        "or use extend_table"
    )


@pytest.mark.parametrize("max_tokens", [0, -1])
def test_a_length_that_is_none(max_tokens):
    assert said(extend_table, table_of(5), max_tokens) == (
        f"need max_tokens that is a whole number >= 1, got {max_tokens}"
    )


@pytest.mark.parametrize("first", [5, -1, 1.0])
def test_rows_to_skip_that_leave_none(first):
    need = f"need first from 0 to below the 5 rows of the table, got {first}"
    assert said(extend_table, table_of(5), 9, first=first) == need
