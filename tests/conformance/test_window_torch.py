"""torch 2.13: what its attentions let a token see, beside ours."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch.nn.attention.bias import causal_lower_right
from torch.nn.attention.flex_attention import (
    AuxRequest,
    create_block_mask,
    flex_attention,
)

from longctx_edu.attention import dense_attention, window_attention
from longctx_edu.masks import causal, dense_mask, padding, window

pytestmark = pytest.mark.filterwarnings(
    "ignore:flex_attention called without torch.compile"
)
TOKEN, LEFT, RIGHT = 11, 3, 1  # no multiple of any block size
SEES_ALL = torch.ones(TOKEN, dtype=torch.bool)
KEEP = torch.arange(TOKEN) < 5  # then token 9 and 10 have no real key in reach


def predicate(keep):
    return window(left=LEFT, right=RIGHT) & padding(keep)


def flex_mask(keep, n=TOKEN):
    def mask_mod(batch, head, query, key):
        return (key >= query - LEFT) & (key <= query + RIGHT) & keep[key]

    return create_block_mask(mask_mod, None, None, n, n, device="cpu")


def by_ours(q, k, v, keep):
    return window_attention(q, k, v, left=LEFT, right=RIGHT, keep=keep[None])


def by_dense(q, k, v, keep):
    return dense_attention(q, k, v, mask=dense_mask(predicate(keep), TOKEN))


def by_sdpa(q, k, v, keep):
    mask = dense_mask(predicate(keep), TOKEN)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def by_flex(q, k, v, keep):
    return flex_attention(q, k, v, block_mask=flex_mask(keep))


PEERS = [by_ours, by_dense, by_sdpa, by_flex]
each = pytest.mark.parametrize("attend", PEERS, ids=lambda peer: peer.__name__)


# the same intent


@each
def test_a_window_is_what_the_mask_says(weights_by_values, attend):
    weights = weights_by_values(partial(attend, keep=SEES_ALL), TOKEN)
    sees = weights != 0
    assert torch.equal(sees, dense_mask(window(left=LEFT, right=RIGHT), TOKEN))
    first, inner, last = sees.sum(dim=-1)[[0, TOKEN // 2, -1]].tolist()
    assert (first, inner, last) == (1 + RIGHT, LEFT + 1 + RIGHT, LEFT + 1)


@each
def test_padding_is_seen_by_nobody_and_still_looks(weights_by_values, attend):
    weights = weights_by_values(partial(attend, keep=KEEP), TOKEN)
    assert torch.equal(weights != 0, dense_mask(predicate(KEEP), TOKEN))
    assert (weights[5] != 0).sum() == 3, "a padded query reads the real keys in reach"
    assert weights[9:].eq(0).all(), "a query that sees nothing is 0"


@each
def test_all_peers_give_the_same_weights(weights_by_values, attend):
    ours = weights_by_values(partial(by_ours, keep=KEEP), TOKEN)
    peer = weights_by_values(partial(attend, keep=KEEP), TOKEN)
    torch.testing.assert_close(peer, ours, rtol=0, atol=1e-12)


# SDPA


def test_sdpa_gives_0_to_a_row_that_sees_nothing(weights_by_values):
    """Before torch 2.5 such a row was nan (pytorch/pytorch#103749, #133882)."""
    mask = torch.eye(7, dtype=torch.bool)
    mask[2] = False
    bias = torch.zeros(7, 7, dtype=torch.float64).masked_fill(~mask, -torch.inf)
    for hidden in (mask, bias):
        attend = partial(F.scaled_dot_product_attention, attn_mask=hidden)
        weights = weights_by_values(attend, 7)
        assert weights[2].eq(0).all()
        assert weights.sum(dim=-1).tolist() == [1, 1, 0, 1, 1, 1, 1]


def test_a_large_negative_number_is_no_mask(weights_by_values):
    """With finfo.min in place of -inf, the row that sees nothing averages all keys."""
    lowest = torch.finfo(torch.float64).min
    bias = torch.full((7, 7), lowest, dtype=torch.float64)
    attend = partial(F.scaled_dot_product_attention, attn_mask=bias)
    torch.testing.assert_close(
        weights_by_values(attend, 7), torch.full_like(bias, 1 / 7)
    )


def test_is_causal_aligns_the_first_query_with_the_first_key(weights_by_values):
    """Wrong for cached keys, where the last belong together (pytorch/pytorch#108108).

    flash-attn has aligned the last query with the last key since its version 2.1.
    """
    attend = partial(F.scaled_dot_product_attention, is_causal=True)
    fewer = weights_by_values(attend, 5, n_query=3) != 0
    assert torch.equal(fewer, dense_mask(causal(), 3, 5))
    assert not torch.equal(fewer, dense_mask(causal(offset=5 - 3), 3, 5))
    more = weights_by_values(attend, 3, n_query=5) != 0
    assert more.sum(dim=-1).tolist() == [1, 2, 3, 3, 3]


def test_causal_lower_right_aligns_the_last_with_the_last(weights_by_values):
    attend = partial(F.scaled_dot_product_attention, attn_mask=causal_lower_right(3, 5))
    sees = weights_by_values(attend, 5, n_query=3) != 0
    assert torch.equal(sees, dense_mask(causal(offset=5 - 3), 3, 5))


@pytest.mark.filterwarnings("ignore:Lower right causal bias will produce NaNs")
def test_causal_lower_right_warns_of_nan_and_gives_0(weights_by_values):
    """In torch 2.13 the warning is out of date: queries before all keys come out 0."""
    attend = partial(F.scaled_dot_product_attention, attn_mask=causal_lower_right(5, 3))
    weights = weights_by_values(attend, 3, n_query=5)
    assert torch.equal(weights != 0, dense_mask(causal(offset=3 - 5), 5, 3))


# FlexAttention


def test_flex_wants_a_block_mask_of_exactly_this_length(weights_by_values):
    """Before torch 2.6 a longer one was accepted (pytorch/pytorch#137255, #141625)."""
    for n in (TOKEN - 1, TOKEN + 1):
        mask = flex_mask(torch.ones(n, dtype=torch.bool), n)
        with pytest.raises(ValueError, match="block_mask was created for"):
            weights_by_values(partial(flex_attention, block_mask=mask), TOKEN)


def test_flex_has_no_backward_on_a_cpu(weights_by_values):
    """Compiled or not, in torch 2.13; window attention trains on a CPU."""

    def attend(q, k, v):
        return flex_attention(q.requires_grad_(), k, v)

    with pytest.raises(NotImplementedError, match="does not support backward on CPU"):
        weights_by_values(attend, TOKEN)


def test_flex_by_scores_hides_the_same_keys(weights_by_values):
    """A score of -inf hides a key as mask_mod does, but every block is computed."""

    def score_mod(score, batch, head, query, key):
        near = (key >= query - LEFT) & (key <= query + RIGHT) & KEEP[key]
        return torch.where(near, score, -torch.inf)

    by_scores = weights_by_values(partial(flex_attention, score_mod=score_mod), TOKEN)
    by_mask = weights_by_values(partial(by_flex, keep=KEEP), TOKEN)
    torch.testing.assert_close(by_scores, by_mask, rtol=0, atol=1e-12)


def test_flex_has_a_log_sum_of_minus_infinity_where_a_row_sees_nothing():
    q = torch.zeros(1, 1, TOKEN, 4)
    _, aux = flex_attention(
        q, q, q, block_mask=flex_mask(KEEP), return_aux=AuxRequest(lse=True)
    )
    expected = dense_mask(predicate(KEEP), TOKEN).sum(dim=-1).log()
    torch.testing.assert_close(aux.lse[0, 0], expected)
