import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from longctx_edu.shapes import merge_heads, split_heads

few = settings(max_examples=30, deadline=None, derandomize=True)
sizes = st.tuples(st.integers(0, 2), st.integers(1, 3), st.integers(0, 5))


def split_by_loops(x, n_heads):
    batch, n, d_model = x.shape
    d_head = d_model // n_heads
    out = x.new_empty(batch, n_heads, n, d_head)
    for head in range(n_heads):
        for i in range(d_head):
            out[:, head, :, i] = x[:, :, head * d_head + i]
    return out


# equals the definition


@few
@given(sizes, st.integers(1, 4))
def test_split_equals_loops(size, d_head):
    batch, n_heads, n = size
    x = torch.randn(batch, n, n_heads * d_head)
    assert torch.equal(split_heads(x, n_heads), split_by_loops(x, n_heads))


# equals an outside reference


def test_heads_stand_where_torch_multihead_attention_puts_them():
    batch, n, n_heads, d_head = 2, 5, 3, 4
    layer = nn.MultiheadAttention(n_heads * d_head, n_heads, batch_first=True).double()
    x = torch.randn(batch, n, n_heads * d_head, dtype=torch.float64)
    out, weights = layer(x, x, x, average_attn_weights=False)
    v = split_heads(x @ layer.in_proj_weight.chunk(3)[2].T, n_heads)
    ours = layer.out_proj(merge_heads(weights @ v))
    torch.testing.assert_close(ours, out)


# properties


@few
@given(sizes, st.integers(1, 4))
def test_merge_undoes_split(size, d_head):
    batch, n_heads, n = size
    x = torch.randn(batch, n, n_heads * d_head)
    assert torch.equal(merge_heads(split_heads(x, n_heads)), x)


def test_split_passes_the_gradient_on():
    x = torch.randn(2, 5, 12, dtype=torch.float64, requires_grad=True)
    factor = torch.randn(2, 3, 5, 4, dtype=torch.float64)
    (split_heads(x, 3) * factor).sum().backward()
    assert torch.equal(x.grad, merge_heads(factor))


# edges


@pytest.mark.parametrize("batch", [(), (2,), (2, 3)])
def test_any_number_of_batch_axes(batch):
    x = torch.randn(*batch, 5, 12)
    assert split_heads(x, 3).shape == (*batch, 3, 5, 4)
    assert torch.equal(merge_heads(split_heads(x, 3)), x)


def test_one_head_is_the_whole_vector():
    x = torch.randn(2, 5, 12)
    assert torch.equal(split_heads(x, 1)[:, 0], x)


# messages


@pytest.mark.parametrize("n_heads", [5, 0, -3, 24])
def test_heads_that_do_not_divide_the_width(n_heads):
    text = f"need n_heads that divides d_model, got n_heads={n_heads} and d_model=12"
    with pytest.raises(ValueError, match=re.escape(text)):
        split_heads(torch.zeros(2, 5, 12), n_heads)
