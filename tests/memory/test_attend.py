"""Attention to what a cache shows: edges, memory, messages.

That it equals the definition stands in `test_cached_equals_uncached`.
"""

import inspect

import pytest
import torch
from memory_cases import D_HEAD, D_VALUE, assert_close, make, normal, read, refused

from longctx_edu.attention import dense_attention
from longctx_edu.attention.sinks import sink_attention
from longctx_edu.checks.largest import largest_tensor
from longctx_edu.memory import KVCache, Seen, attend_seen

QUERY, KEY = 5, 9


def given(n_query=QUERY, *, sinks=2, heads=(4, 2), **kind):
    """Queries at the end of a text, all of which is seen; in two forms."""
    q, q_sinks, k, v = make(KEY, heads=heads, **kind)
    places = torch.arange(KEY)
    last = slice(KEY - n_query, KEY)
    seen = Seen(k, v, places, sinks)
    return q[:, :, last], q_sinks[:, :, last], seen, places[last]


# properties


@pytest.mark.parametrize("left", [None, 3])
def test_queries_may_come_in_any_order(left):
    q, q_sinks, seen, places = given(sinks=0 if left is None else 2)
    order = torch.tensor([3, 0, 4, 1, 2])
    options = {"left": left, "block": 2}
    ours = attend_seen(q, seen, places, q_sinks=q_sinks, **options)
    mixed = attend_seen(
        q[:, :, order], seen, places[order], q_sinks=q_sinks[:, :, order], **options
    )
    assert_close(mixed, ours[:, :, order])


@pytest.mark.parametrize("left", [0, 1, 5, 8, 30])
@pytest.mark.parametrize("place", [0, 1, 2, 5, 8])
def test_one_query_anywhere_needs_no_mask_and_sees_its_own(place, left):
    q, q_sinks, seen, places = given(KEY)
    one = slice(place, place + 1)
    ours = attend_seen(
        q[:, :, one], seen, places[one], left=left, q_sinks=q_sinks[:, :, one]
    )
    whole = sink_attention(q, seen.k, seen.v, left=left, sinks=2, q_sinks=q_sinks)
    assert_close(ours, whole[:, :, one])


def test_a_smaller_window_than_the_cache_keeps():
    q, _, seen, places = given()
    k, v = (x.repeat_interleave(2, dim=1) for x in (seen.k, seen.v))
    mask = (torch.arange(KEY) < 2) | (places[:, None] - torch.arange(KEY) <= 1)
    mask = mask & (torch.arange(KEY) <= places[:, None])
    ours = attend_seen(q, seen, places, left=1)
    assert_close(ours, dense_attention(q, k, v, mask=mask))


@pytest.mark.parametrize(
    "shape", [(1, 1), (QUERY, 1), (1, KEY), (4, 1, 1), (2, 1, 1, KEY)]
)
def test_a_bias_of_any_shape_that_stretches(shape):
    q, q_sinks, seen, places = given()
    bias = normal(*shape)
    options = {"left": 3, "q_sinks": q_sinks, "block": 2}
    ours = attend_seen(q, seen, places, bias=bias, **options)
    whole = bias.expand(2, 4, QUERY, KEY)
    assert_close(ours, attend_seen(q, seen, places, bias=whole, **options))


# number formats


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("lengths", [[1] * 30, [22, 8]])
def test_shorter_numbers(dtype, lengths):
    text = make(30, heads=(4, 2), d_value=D_HEAD, dtype=dtype)
    q, q_sinks, k, v = text
    cache = KVCache(1, left=6, sinks=2)
    ours = read(cache, q, k, v, lengths, q_sinks=q_sinks)
    q, q_sinks, k, v = (x.double() for x in text)
    exact = sink_attention(q, k, v, left=6, sinks=2, q_sinks=q_sinks)
    assert ours.dtype == dtype
    assert_close(ours.double(), exact, atol=8 * torch.finfo(dtype).eps)


def test_autocast():
    q, q_sinks, seen, places = given(dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        ours = attend_seen(q, seen, places, left=3, q_sinks=q_sinks)
    exact = attend_seen(q, seen, places, left=3, q_sinks=q_sinks)
    assert_close(ours.float(), exact, atol=0.05)


# memory: the square is never formed


@pytest.mark.parametrize("d_value", [D_HEAD, D_VALUE])
@pytest.mark.parametrize("sinks", [0, 3])
def test_a_long_prefill_forms_no_square(sinks, d_value):
    n, left, block, heads = 1500, 20, 32, 4
    q, q_sinks, k, v = make(n, heads=(heads, 2), d_value=d_value, dtype=torch.float32)

    def prefill():
        cache = KVCache(1, left=left, sinks=sinks)
        seen = cache.extend(0, k, v)
        return attend_seen(
            q, seen, torch.arange(n), left=left, q_sinks=q_sinks, block=block
        )

    # Two texts; and no more than what comes in and goes out.
    scores = 2 * heads * block * (sinks + left + block)
    assert largest_tensor(prefill) <= max(scores, 2 * heads * n * d_value)
    assert largest_tensor(prefill) < n * n // 20


def test_a_step_forms_no_copy_of_what_is_kept():
    cache = KVCache(1, left=900, sinks=4)
    q, q_sinks, k, v = make(1000, heads=(2, 2), d_value=D_HEAD, dtype=torch.float32)
    cache.extend(0, k, v)
    one = slice(0, 1)
    kept = cache.extend(0, k[:, :, one], v[:, :, one])

    def step(*given):
        seen = cache.extend(0, k[:, :, one], v[:, :, one])
        places = torch.tensor([cache.n_tokens - 1])
        return attend_seen(
            q[:, :, one], seen, places, left=900, q_sinks=q_sinks[:, :, one]
        )

    # The places, and the sinks' second form among the scores of 2 texts and 2 heads.
    given = kept.k, kept.v, q, q_sinks, k, v  # and where they lie
    assert largest_tensor(step, *given) <= 2 * 2 * (900 + 4 + 1)


# edges


def test_no_query():
    q, _, seen, places = given(0)
    assert attend_seen(q, seen, places, left=3).shape == (2, 4, 0, D_VALUE)


def test_queries_that_see_nothing_get_0():
    q, _, seen, _ = given(3, sinks=0)
    behind = Seen(seen.k, seen.v, torch.arange(100, 100 + KEY), 0)
    places = torch.tensor([99, 100, 120])
    ours = attend_seen(q, behind, places, left=2)
    assert not ours[:, :, 0].any() and not ours[:, :, 2].any()
    assert torch.equal(ours[:, :, 1], seen.v[:, :, 0].repeat_interleave(2, dim=1))
    for one in (0, 2):
        alone = q[:, :, one : one + 1]
        assert not attend_seen(alone, behind, places[one : one + 1], left=2).any()
    nothing = Seen(seen.k[:, :, :0], seen.v[:, :, :0], torch.arange(0), 0)
    assert not attend_seen(q, nothing, places, left=None).any()


def test_a_text_that_is_padding_gets_0_and_a_gradient_that_is_a_number():
    q, q_sinks, seen, places = given()
    keep = torch.stack([torch.zeros(KEY).bool(), torch.ones(KEY).bool()])
    q.requires_grad_()
    ours = attend_seen(q, seen, places, left=3, q_sinks=q_sinks, keep=keep)
    assert not ours[0].any() and ours[1].all()
    (gradient,) = torch.autograd.grad(ours.sum(), q)
    assert not gradient[0].any() and gradient[1].isfinite().all()


# messages

# Unwrapped: a caller who runs no type checks gets the message of the function itself.
attend_alone = inspect.unwrap(attend_seen)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"q": torch.zeros(5, 4)},
            "need q of shape (batch, head, query, d), got (5, 4)",
        ),
        (
            {"q_sinks": torch.zeros(2, 4, 4, 4).double()},
            "need q_sinks of the shape of q, (2, 4, 5, 4), got (2, 4, 4, 4)",
        ),
        (
            {"q": torch.zeros(3, 4, 5, 4).double(), "q_sinks": None},
            "need queries and keys of one batch and one width, got q (3, 4, 5, 4) and "
            "k (2, 2, 9, 4)",
        ),
        (
            {"q": torch.zeros(2, 4, 5, 6).double(), "q_sinks": None},
            "need queries and keys of one batch and one width, got q (2, 4, 5, 6)",
        ),
        (
            {"q": torch.zeros(2, 3, 5, 4).double(), "q_sinks": None},
            "need heads of k that divide the heads of q, got q (2, 3, 5, 4) and k ",
        ),
        (
            {"q": torch.zeros(2, 4, 5, 4), "q_sinks": None},
            "need queries in the format and on the device of the keys, torch.float64 "
            "on cpu, got torch.float32 on cpu",
        ),
        (
            {"q_sinks": torch.zeros(2, 4, 5, 4)},
            "need queries in the format and on the device of the keys, torch.float64",
        ),
        (
            {"places": torch.arange(4)},
            "need one place a query, of shape (5,), got shape (4,)",
        ),
        (
            {"bias": torch.zeros(5, 8)},
            "need a bias of shape (..., query, key) = (2, 4, 5, 9), or 1 in an axis, "
            "got (5, 8)",
        ),
        ({"bias": torch.zeros(9)}, "need a bias of shape (..., query, key)"),
        ({"bias": torch.zeros(1, 1, 1, 5, 9)}, "need a bias of shape"),
        (
            {"keep": torch.ones(2, 8).bool()},
            "need keep with one bool a key that is seen, of shape (2, 9), got "
            "torch.bool of shape (2, 8)",
        ),
        (
            {"keep": torch.ones(2, 9).to(torch.uint8)},
            "need keep with one bool a key that is seen, of shape (2, 9), got "
            "torch.uint8 of shape (2, 9)",
        ),
        ({"block": 0}, "need block that is a whole number >= 1, got 0"),
        ({"left": None}, "need left beside sinks, got sinks=2 and left=None"),
        ({"left": -1}, "need left that is a whole number >= 0 or None, got -1"),
    ],
)
def test_what_does_not_fit(changes, text):
    q, q_sinks, seen, places = given()
    fits = {"q": q, "seen": seen, "places": places, "left": 3, "q_sinks": q_sinks}
    with refused(text):
        attend_alone(**{**fits, **changes})
