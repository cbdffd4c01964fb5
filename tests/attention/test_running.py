import itertools
import math

import pytest
import torch
from attention_cases import assert_close, few, normal
from hypothesis import given
from hypothesis import strategies as st

from longctx_edu.attention import dense_attention
from longctx_edu.attention.running import Running

BATCH, QUERY, KEY, D_HEAD, D_VALUE = 2, 5, 7, 4, 6


def make(n_key=KEY, seed=0):
    sizes = (QUERY, D_HEAD), (n_key, D_HEAD), (n_key, D_VALUE)
    return [normal(BATCH, *size, seed=seed + i) for i, size in enumerate(sizes)]


def draw(share, n_key=KEY, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(BATCH, QUERY, n_key, generator=generator) < share


def absorb_all(running, pieces, k, v, mask=None, factors=None):
    for piece in pieces:
        running.absorb(
            k[:, piece],
            v[:, piece],
            mask=None if mask is None else mask[..., piece],
            factors=None if factors is None else factors[..., piece],
        )
    return running


def lse_of(scores, mask):
    return scores.masked_fill(~mask, -math.inf).logsumexp(dim=-1)


# equals the definition


@few
@given(
    order=st.integers(1, 9).flatmap(lambda n: st.permutations(range(n))),
    cuts=st.sets(st.integers(1, 8)),
    share=st.sampled_from([0.0, 0.3, 0.8, 1.0]),
    seed=st.integers(0, 2**31),
)
def test_any_pieces_in_any_order_give_the_softmax(order, cuts, share, seed):
    q, k, v = make(len(order), seed)
    mask = draw(share, len(order), seed)
    ends = [0, *sorted(cut for cut in cuts if cut < len(order)), len(order)]
    pieces = [order[a:b] for a, b in itertools.pairwise(ends)]
    out, lse = absorb_all(Running(q, D_VALUE), pieces, k, v, mask).finish()
    assert_close(out, dense_attention(q, k, v, mask=mask, scale=1.0))
    assert_close(lse, lse_of(q @ k.mT, mask))


@few
@given(st.sampled_from([0.2, 1.0]), st.integers(0, 2**31))
def test_the_state_after_each_piece_is_relative_to_the_largest_score(share, seed):
    q, k, v = (x.detach() for x in make(seed=seed))
    mask = draw(share, seed=seed)
    running = Running(q, D_VALUE)
    for stop in range(1, KEY + 1):
        absorb_all(running, [slice(stop - 1, stop)], k, v, mask)
        so_far = mask[..., :stop]
        scores = (q @ k[:, :stop].mT).masked_fill(~so_far, -math.inf)
        peak = scores.amax(dim=-1, keepdim=True)
        parts = (scores - peak).exp().nan_to_num(0.0)  # 0 where there is no peak
        assert torch.equal(running.peak.isinf(), peak.isinf())
        assert_close(running.peak, peak)
        assert_close(running.total, parts.sum(dim=-1, keepdim=True))
        assert_close(running.gathered, parts @ v[:, :stop])


# an example by hand


def test_a_larger_score_shrinks_what_is_there():
    running = Running(torch.ones(1, 1), d_value=1)
    scores, values = torch.tensor([[2.0], [4.0]]).log(), torch.tensor([[8.0], [2.0]])
    running.absorb(scores[:1], values[:1])
    assert (running.total.item(), running.gathered.item()) == (1.0, 8.0)
    running.absorb(scores[1:], values[1:])  # twice as heavy: the first now counts half
    assert_close(running.total.item(), 1.5, atol=1e-6)
    assert_close(running.gathered.item(), 6.0, atol=1e-6)
    out, lse = running.finish()
    assert_close(out.item(), 4.0, atol=1e-6)
    assert_close(lse.exp().item(), 6.0, atol=1e-5)


# properties


def test_factors_weigh_the_values_and_leave_the_sum_as_it_was():
    q, k, v = make()
    factors = torch.where(draw(0.5), 2.0, 0.0).double()
    pieces = [slice(0, 3), slice(3, 7)]
    out, lse = absorb_all(Running(q, D_VALUE), pieces, k, v, factors=factors).finish()
    weights = (q @ k.mT).softmax(dim=-1)
    assert_close(out, weights * factors @ v)
    assert_close(lse, (q @ k.mT).logsumexp(dim=-1))


@pytest.mark.parametrize("shape", [(1, 1, KEY), (BATCH, 1, KEY), (1, QUERY, KEY)])
def test_a_mask_spreads_over_the_axes_that_it_lacks(shape):
    q, k, v = make()
    mask = draw(0.6)[: shape[0], : shape[1]]
    one, whole = (
        absorb_all(Running(q, D_VALUE), [slice(None)], k, v, m).finish()
        for m in (mask, mask.expand(BATCH, QUERY, KEY))
    )
    assert torch.equal(one[0], whole[0])
    assert torch.equal(one[1], whole[1])


def test_what_comes_in_is_not_changed():
    q, k, v = (x.detach() for x in make())
    mask, factors = draw(0.5), draw(0.5).double()
    given_in = (q, k, v, mask, factors)
    before = [x.clone() for x in given_in]
    absorb_all(Running(q, D_VALUE), [slice(None)], k, v, mask, factors).finish()
    assert all(torch.equal(a, b) for a, b in zip(given_in, before, strict=True))


# edges


@pytest.mark.parametrize("pieces", [[], [slice(0, 2)], [slice(0, 2), slice(2, 7)]])
def test_a_row_that_has_seen_nothing_is_0_with_lse_minus_infinity(pieces):
    q, k, v = (x.detach() for x in make())
    nothing = torch.zeros(BATCH, QUERY, KEY).bool()
    out, lse = absorb_all(Running(q, D_VALUE), pieces, k, v, nothing).finish()
    assert torch.equal(out, torch.zeros(BATCH, QUERY, D_VALUE).double())
    assert (lse == -math.inf).all()


def test_a_row_may_begin_to_see_after_a_piece_without_a_key():
    q, k, v = make()
    late = torch.arange(KEY).expand(BATCH, QUERY, KEY) >= 5
    pieces = [slice(0, 5), slice(5, 7)]
    out, lse = absorb_all(Running(q, D_VALUE), pieces, k, v, late).finish()
    assert_close(out, dense_attention(q, k[:, 5:], v[:, 5:], scale=1.0))
    assert_close(lse, (q @ k[:, 5:].mT).logsumexp(dim=-1))


@pytest.mark.parametrize("size", [1e4, -1e4])
def test_scores_of_a_large_size_neither_overflow_nor_vanish(size):
    running = Running(torch.full((1, 1), size), d_value=1)
    for value in (3.0, 5.0):
        running.absorb(torch.ones(1, 1), torch.full((1, 1), value))
    out, lse = running.finish()
    assert out.item() == 4.0
    assert_close(lse.item(), size + math.log(2), atol=1e-2)
