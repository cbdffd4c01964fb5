"""A text read piece by piece gives what the whole text gives, for every split."""

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from memory_cases import (
    BATCH,
    D_HEAD,
    D_VALUE,
    assert_close,
    few,
    make,
    normal,
    pieces,
    read,
    splits,
    windows,
)

from longctx_edu.attention import dense_attention, online_attention, window_attention
from longctx_edu.attention.sinks import sink_attention
from longctx_edu.memory import KVCache, attend_seen, sink_places
from longctx_edu.positions import (
    alibi_bias,
    alibi_slopes,
    distances,
    rotary_frequencies,
    rotate,
    rotation,
)

head_pairs = st.sampled_from([(3, 3), (4, 2), (3, 1)])


# equals the definition


@few
@given(
    lengths=splits,
    window=windows,
    heads=head_pairs,
    d_value=st.sampled_from([D_HEAD, D_VALUE]),
    block=st.sampled_from([1, 3, 128]),
    two_forms=st.booleans(),
    with_bias=st.booleans(),
    keep_share=st.sampled_from([None, 0.0, 0.7]),
    seed=st.integers(0, 1000),
)
@example([30, 1, 1, 1], (4, 2), (4, 2), D_VALUE, 128, True, True, None, 0)
@example([1] * 40, (4, 2), (3, 1), D_HEAD, 128, True, False, 0.7, 1)
@example([90, 80], (7, 3), (4, 2), D_HEAD, 16, True, True, 0.7, 2)
def test_every_split_gives_what_the_whole_text_gives(
    lengths, window, heads, d_value, block, two_forms, with_bias, keep_share, seed
):
    (left, sinks), n = window, sum(lengths)
    q, q_sinks, k, v = make(n, heads=heads, d_value=d_value, seed=seed)
    options = {"q_sinks": q_sinks if two_forms else None, "scale": 0.4}
    if with_bias:
        options["bias"] = normal(heads[0], n, n, seed=seed)
    if keep_share is not None:
        options["keep"] = torch.rand(BATCH, n) < keep_share
    cache = KVCache(1, left=left, sinks=sinks)
    ours = read(cache, q, k, v, lengths, block=block, **options)
    whole = sink_attention(q, k, v, left=left, sinks=sinks, **options)
    assert_close(ours, whole)
    if not two_forms:
        i, j = torch.arange(n)[:, None], torch.arange(n)
        mask = ((j < sinks) | (i - j <= (n if left is None else left))) & (j <= i)
        if keep_share is not None:
            mask = mask & options["keep"][:, None, None]
        group = heads[0] // heads[1]
        k, v = (x.repeat_interleave(group, dim=1) for x in (k, v))
        bias = options.get("bias")
        dense = dense_attention(q, k, v, mask=mask, bias=bias, scale=0.4)
        assert_close(ours, dense)


@few
@given(splits, st.integers(0, 30), head_pairs)
def test_without_sinks_it_is_window_attention(lengths, left, heads):
    q, _, k, v = make(sum(lengths), heads=heads)
    ours = read(KVCache(1, left=left), q, k, v, lengths)
    assert_close(ours, window_attention(q, k, v, left=left, right=0))


@few
@given(splits, head_pairs, st.booleans())
def test_without_a_window_it_is_causal_attention(lengths, heads, reserve):
    q, _, k, v = make(sum(lengths), heads=heads)
    cache = KVCache(1, max_tokens=sum(lengths) if reserve else None)
    ours = read(cache, q, k, v, lengths)
    assert_close(ours, online_attention(q, k, v, causal=True))


# places inside the cache: turned once, with queries in two forms, or turned anew


def attend_as_streaming_llm(q, k, v, *, left, sinks, frequencies):
    """Keep keys as they are; at each step turn all of them for places 0, 1, 2, ..."""
    kept_k, kept_v, rows = k[:, :, :0], v[:, :, :0], []
    for i in range(q.shape[2]):
        kept_k = torch.cat([kept_k, k[:, :, i : i + 1]], dim=2)
        kept_v = torch.cat([kept_v, v[:, :, i : i + 1]], dim=2)
        inside = rotation(
            torch.arange(kept_k.shape[2]), frequencies, dtype=torch.float64
        )
        last = rotation(
            torch.tensor([kept_k.shape[2] - 1]), frequencies, dtype=torch.float64
        )
        rows.append(
            dense_attention(
                rotate(q[:, :, i : i + 1], last), rotate(kept_k, inside), kept_v
            )
        )
        if kept_k.shape[2] > sinks + left:
            order = [*range(sinks), *range(sinks + 1, kept_k.shape[2])]
            kept_k, kept_v = kept_k[:, :, order], kept_v[:, :, order]
    return torch.cat(rows, dim=2)


@pytest.mark.parametrize("lengths", [[1] * 60, [37, 1, 1, 19, 2], [60]])
@pytest.mark.parametrize(("left", "sinks"), [(0, 1), (5, 4), (7, 0), (50, 4), (90, 4)])
def test_queries_in_two_forms_stand_where_streaming_llm_puts_them(left, sinks, lengths):
    q, _, k, v = make(60)
    frequencies = rotary_frequencies(D_HEAD, theta=100.0)
    places = torch.arange(60)
    inside = sink_places(places, left=left, sinks=sinks)
    turn, turn_inside = (
        rotation(p, frequencies, dtype=torch.float64) for p in (places, inside)
    )
    ours = read(
        KVCache(1, left=left, sinks=sinks), rotate(q, turn), rotate(k, turn), v,
        lengths, q_sinks=rotate(q, turn_inside),
    )  # fmt: skip
    theirs = attend_as_streaming_llm(
        q, k, v, left=left, sinks=sinks, frequencies=frequencies
    )
    assert_close(ours, theirs)


def test_queries_in_one_form_stand_elsewhere_once_a_token_is_gone():
    """So the second form is needed: the sinks would move away step by step."""
    q, _, k, v = make(60)
    frequencies = rotary_frequencies(D_HEAD, theta=100.0)
    turned = rotation(torch.arange(60), frequencies, dtype=torch.float64)
    cache = KVCache(1, left=5, sinks=4)
    ours = read(cache, rotate(q, turned), rotate(k, turned), v, [1] * 60)
    theirs = attend_as_streaming_llm(q, k, v, left=5, sinks=4, frequencies=frequencies)
    same = (ours - theirs).abs().amax(dim=(0, 1, 3)) < 1e-12
    assert same.tolist() == [True] * 10 + [False] * 50  # sinks + left + itself


@pytest.mark.parametrize("lengths", [[1] * 40, [23, 1, 16]])
def test_alibi_reads_the_places(lengths):
    q, _, k, v = make(40)
    bias = alibi_bias(alibi_slopes(3, dtype=torch.float64), distances(40))
    ours = read(KVCache(1, left=6, sinks=2), q, k, v, lengths, bias=bias)
    assert_close(ours, sink_attention(q, k, v, left=6, sinks=2, bias=bias))


# a long stream


def test_a_stream_of_20_000_tokens_in_constant_memory():
    cache = KVCache(1, left=30, sinks=4)
    x = normal(1, 2, 64, D_HEAD, dtype=torch.float32)
    rooms, step = set(), [1, 1, 1, 17]
    while cache.n_tokens < 20_000:
        n_new = step[cache.n_tokens % 4]
        near = torch.arange(cache.n_tokens, cache.n_tokens + n_new) % 64
        seen = cache.extend(0, x[:, :, near], x[:, :, near])
        if cache.n_tokens >= 100:
            rooms.add((cache.reserved_bytes, cache.nbytes))
    assert len(rooms) == 1
    newest = cache.n_tokens - n_new
    expected = [0, 1, 2, 3, *range(newest - 30, cache.n_tokens)]
    assert seen.places.tolist() == expected
    assert torch.equal(seen.k, x[:, :, [i % 64 for i in expected]])


# gradients


def test_queries_learn_and_what_is_cached_does_not():
    q, q_sinks, k, v = (x.requires_grad_() for x in make(20))
    cache = KVCache(1, left=4, sinks=2)
    piece = pieces([13, 7])[1]
    cache.extend(0, k[:, :, :13], v[:, :, :13])
    seen = cache.extend(0, k[:, :, piece], v[:, :, piece])
    assert not seen.k.requires_grad and not seen.v.requires_grad
    some = q[:, :, piece], q_sinks[:, :, piece]
    ours = attend_seen(
        some[0], seen, torch.arange(13, 20), left=4, q_sinks=some[1], block=3
    )
    whole = sink_attention(q, k, v, left=4, sinks=2, q_sinks=q_sinks)[:, :, piece]
    factor = normal(*ours.shape, seed=5)
    for got, expected in zip(
        torch.autograd.grad((ours * factor).sum(), [q, q_sinks]),
        torch.autograd.grad((whole * factor).sum(), [q, q_sinks]),
        strict=True,
    ):
        assert_close(got, expected)
