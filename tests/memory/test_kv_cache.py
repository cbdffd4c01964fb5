import inspect

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from memory_cases import (
    BATCH,
    D_HEAD,
    D_VALUE,
    few,
    make,
    pieces,
    refused,
    splits,
    windows,
)
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from longctx_edu.attention import kv_cache_bytes
from longctx_edu.memory import KVCache, sink_places


def text(n, *, batch=BATCH, heads=3, d_head=D_HEAD, d_value=None, dtype=torch.float64):
    """Keys and values of a text: each says where it stands."""
    place = torch.arange(n).to(dtype)[None, None, :, None]
    d_value = d_head if d_value is None else d_value
    k, v = (place.repeat(batch, heads, 1, width) for width in (d_head, d_value))
    return k, v + 0.5


def extend(cache, layer, piece, *, n=60, **kind):
    k, v = text(n, **kind)
    return cache.extend(layer, k[:, :, piece], v[:, :, piece])


# equals the definition


@few
@given(splits, windows, st.sampled_from([D_HEAD, D_VALUE]))
def test_a_piece_sees_what_was_kept_and_itself(lengths, window, d_value):
    (left, sinks), n = window, sum(lengths)
    cache = KVCache(1, left=left, sinks=sinks)
    for piece in pieces(lengths):
        seen = extend(cache, 0, piece, n=n, d_value=d_value)
        a, b = piece.start, piece.stop
        expected = [
            j for j in range(b) if j < sinks or left is None or j >= min(a, n) - left
        ]
        assert seen.places.tolist() == expected
        assert seen.sinks == min(sinks, b)
        assert seen.k[1, 2, :, 0].tolist() == expected
        assert seen.v[1, 2, :, -1].tolist() == [j + 0.5 for j in expected]
        assert cache.n_tokens == b


@few
@given(splits, windows, st.sampled_from([torch.float64, torch.bfloat16]))
def test_bytes_are_those_of_the_formula(lengths, window, dtype):
    (left, sinks), n = window, sum(lengths)
    cache = KVCache(2, left=left, sinks=sinks)
    assert cache.nbytes == cache.reserved_bytes == 0
    for piece in pieces(lengths):
        for layer in range(2):
            extend(cache, layer, piece, n=n, dtype=dtype)
        formula = kv_cache_bytes(
            piece.stop, n_layers=2, n_kv_heads=3, d_head=D_HEAD, batch=BATCH,
            number_bytes=dtype.itemsize, window=left, sinks=sinks,
        )  # fmt: skip
        assert cache.nbytes == formula
        assert cache.reserved_bytes >= formula


# equals an outside reference


@few
@given(splits)
def test_everything_is_kept_as_in_transformers(lengths):
    *_, k, v = make(sum(lengths))
    cache, theirs = KVCache(1), DynamicLayer()
    for piece in pieces(lengths):
        seen = cache.extend(0, k[:, :, piece], v[:, :, piece])
        expected = theirs.update(k[:, :, piece], v[:, :, piece])
        assert torch.equal(seen.k, expected[0]) and torch.equal(seen.v, expected[1])


@few
@given(splits, st.integers(1, 20))
def test_a_window_is_kept_as_in_transformers(lengths, left):
    """Its window counts the query: `sliding_window = left + 1`."""
    *_, k, v = make(sum(lengths))
    cache = KVCache(1, left=left)
    theirs = DynamicSlidingWindowLayer(sliding_window=left + 1)
    for piece in pieces(lengths):
        seen = cache.extend(0, k[:, :, piece], v[:, :, piece])
        expected = theirs.update(k[:, :, piece], v[:, :, piece])
        assert torch.equal(seen.k, expected[0]) and torch.equal(seen.v, expected[1])
        kept = theirs.keys.nbytes + theirs.values.nbytes
        assert cache.nbytes == kept


# properties


def test_layers_in_any_order():
    cache = KVCache(3, left=4, sinks=1)
    for piece in pieces([5, 1, 30, 2]):
        for layer in (2, 0, 1):
            before = cache.n_tokens
            seen = extend(cache, layer, piece)
            assert before == piece.start and seen.k[0, 0, -1, 0] == piece.stop - 1
        assert cache.n_tokens == piece.stop


def test_clear_forgets_also_the_kind_of_keys():
    cache = KVCache(2, left=4)
    cache.beside["words"] = 1
    extend(cache, 0, slice(0, 5))
    cache.clear()
    assert (cache.n_tokens, cache.nbytes, cache.reserved_bytes) == (0, 0, 0)
    assert cache.beside == {}
    seen = extend(cache, 1, slice(0, 3), batch=5, heads=1, dtype=torch.float32)
    assert seen.places.tolist() == [0, 1, 2]


def test_room_may_be_reserved():
    cache = KVCache(1, max_tokens=9)
    extend(cache, 0, slice(0, 2))
    reserved = cache.reserved_bytes
    assert reserved == BATCH * 3 * 9 * 2 * D_HEAD * 8
    extend(cache, 0, slice(2, 9))
    assert cache.reserved_bytes == reserved == cache.nbytes


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_any_number_format(dtype):
    seen = extend(KVCache(1, left=2), 0, slice(0, 9), dtype=dtype)
    assert seen.k.dtype == seen.v.dtype == dtype


# edges


def test_nothing_to_read():
    cache = KVCache(2, left=3, sinks=1)
    empty = extend(cache, 0, slice(0, 0))
    assert empty.k.shape == (BATCH, 3, 0, D_HEAD) and empty.sinks == 0
    for layer in range(2):
        extend(cache, layer, slice(0, 10))
    assert extend(cache, 1, slice(10, 10)).places.tolist() == [0, 7, 8, 9]
    assert cache.n_tokens == 10


def test_a_window_of_nothing_keeps_sinks_alone():
    cache = KVCache(1, left=0, sinks=2)
    extend(cache, 0, slice(0, 9))
    assert extend(cache, 0, slice(9, 10)).places.tolist() == [0, 1, 9]


def test_places_inside_the_cache():
    places = torch.arange(10)
    inside = sink_places(places, left=3, sinks=2).tolist()
    assert inside == [0, 1, 2, 3, 4, 5, 5, 5, 5, 5]
    assert torch.equal(sink_places(places, left=None, sinks=0), places)


# messages

# Unwrapped: a caller who runs no type checks gets the message of the function itself.
extend_alone = inspect.unwrap(KVCache.extend)


def cache_with(**kind):
    cache = KVCache(2)
    for layer in range(2):
        extend(cache, layer, slice(0, 4), **kind)
    return cache


forgets = ": what was read before belongs to it; clear() forgets that"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ({"batch": 3}, "need the cache's batch of 2, got 3"),
        ({"heads": 1}, "need the cache's number of heads of 3, got 1"),
        ({"d_head": 5, "d_value": 4}, "need the cache's width of keys of 4, got 5"),
        ({"d_value": 5}, "need the cache's width of values of 4, got 5"),
        (
            {"dtype": torch.float32},
            "need the cache's number format of torch.float64, got torch.float32",
        ),
    ],
)
@pytest.mark.parametrize("layer", [0, 1])
def test_keys_of_another_kind(kind, text, layer):
    cache = cache_with()
    with refused(text + forgets):
        extend(cache, layer, slice(4, 5), **kind)
    assert extend(cache, layer, slice(4, 5)).places.tolist() == [0, 1, 2, 3, 4]


def test_keys_on_another_device():
    k, v = text(1)
    with refused("need the cache's device of cpu, got meta" + forgets):
        cache_with().extend(0, k.to("meta"), v.to("meta"))


def test_keys_of_another_kind_in_the_next_layer():
    cache = KVCache(2)
    extend(cache, 0, slice(0, 4))
    with refused("need the cache's batch of 2, got 3" + forgets):
        extend(cache, 1, slice(0, 4), batch=3)


@pytest.mark.parametrize(
    ("k", "v", "text"),
    [
        (
            torch.zeros(2, 5, 4), torch.zeros(2, 3, 5, 4),
            "need k and v of shape (batch, head, token, d), got k (2, 5, 4) and "
            "v (2, 3, 5, 4)",
        ),
        (
            torch.zeros(2, 3, 5, 4), torch.zeros(2, 3, 6, 4),
            "need as many values as keys in each head and text, got k (2, 3, 5, 4) and "
            "v (2, 3, 6, 4)",
        ),
        (
            torch.zeros(2, 3, 5, 4), torch.zeros(2, 3, 5, 4).double(),
            "need k and v of one float format, got torch.float32 and torch.float64",
        ),
        (
            torch.zeros(2, 3, 5, 4).int(), torch.zeros(2, 3, 5, 4).int(),
            "need k and v of one float format, got torch.int32 and torch.int32",
        ),
        (
            torch.zeros(2, 3, 5, 4), torch.zeros(2, 3, 5, 4, device="meta"),
            "need k and v on one device, got cpu and meta",
        ),
    ],
)  # fmt: skip
def test_keys_and_values_that_do_not_belong_together(k, v, text):
    with refused(text):
        extend_alone(KVCache(1), 0, k, v)


def test_a_layer_that_runs_ahead():
    cache = KVCache(3)
    for layer in range(3):
        extend(cache, layer, slice(0, 4))
    extend(cache, 0, slice(4, 7))
    extend(cache, 1, slice(4, 7))
    again = "need each layer extended once for the same tokens, got layer 1 again "
    for n_new in (3, 1, 0):
        with refused(
            again
            + "before layer 2: clear() begins anew after a pass that was broken off"
        ):
            extend(cache, 1, slice(7, 7 + n_new))
    for n_new in (2, 0, 4):
        text = f"need 3 tokens in layer 2, as in the layers before, got {n_new}"
        with refused(text):
            extend(cache, 2, slice(4, 4 + n_new))
    assert cache.n_tokens == 4
    extend(cache, 2, slice(4, 7))
    assert cache.n_tokens == 7
    extend(cache, 1, slice(7, 8))


@pytest.mark.parametrize("layer", [2, -1, True])
def test_no_such_layer(layer):
    with refused(f"need a layer from 0 to 1, got {layer}"):
        extend_alone(KVCache(2), layer, *text(1))


def test_more_tokens_than_were_reserved():
    cache = KVCache(1, max_tokens=9)
    extend(cache, 0, slice(0, 8))
    text = "need at most max_tokens=9 tokens in the cache, got 8 and 2 more"
    with refused(text):
        extend(cache, 0, slice(8, 10))
    assert extend(cache, 0, slice(8, 9)).places.tolist() == list(range(9))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"n_layers": 0}, "need n_layers that is a whole number >= 1, got 0"),
        ({"left": -1}, "need left that is a whole number >= 0 or None, got -1"),
        ({"sinks": 4}, "need left beside sinks, got sinks=4 and left=None"),
        ({"left": 2, "sinks": -1}, "need sinks that are a whole number >= 0, got -1"),
        ({"max_tokens": 0}, "need max_tokens that is a whole number >= 1, got 0"),
        (
            {"max_tokens": 9, "left": 3},
            "need max_tokens without a window, which bounds the cache itself, got "
            "max_tokens=9 and left=3",
        ),
    ],
)
def test_caches_without_a_meaning(options, text):
    with refused(text):
        inspect.unwrap(KVCache.__init__)(
            KVCache.__new__(KVCache), **{"n_layers": 1, **options}
        )
