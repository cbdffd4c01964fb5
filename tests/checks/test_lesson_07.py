"""Lesson 07's checks themselves: their messages, their oracles, what they watch.

That each is passed by its solution and refuses named mistakes stands in tests/course.
"""

import machinery as m
import pytest
import torch

from longctx_edu.attention import kv_cache_bytes
from longctx_edu.checks import lesson_07
from longctx_edu.checks.cache_07 import kept
from longctx_edu.checks.distances_07 import distances
from longctx_edu.checks.heads_07 import attended
from longctx_edu.checks.lesson_07 import counted_bytes
from longctx_edu.checks.oracles import drawn
from longctx_edu.checks.words_07 import nucleus
from longctx_edu.checks.write_07 import Reader, logits_after, written
from longctx_edu.masks import dense_mask, window_with_sinks
from longctx_edu.memory import KVCache, sink_places

answers = m.load_file(m.WRONG_ANSWERS / "lesson_07.py")


def test_a_message_about_bytes_reads_well():
    wrong = answers.WRONG["check_cache_bytes"]["heads of queries"][0]
    assert lesson_07.check_cache_bytes(wrong).message.splitlines() == [
        "✗ cache_bytes: heads that share keys leave them once",
        "  given:",
        "    n_tokens = 7",
        "    n_layers = 3",
        "    n_heads = 8",
        "    n_kv_heads = 2",
        "    d_head = 5",
        "    number_bytes = 4",
        "  came:",
        "    [6720]",
        "  expected:",
        "    [1680]",
        "  hint: n_kv_heads, not n_heads: queries are not kept",
    ]


def test_a_message_about_what_is_kept_reads_well():
    wrong = answers.WRONG["check_forget"]["sinks gone"][0]
    assert lesson_07.check_forget(wrong).message.splitlines() == [
        "✗ forget: the first `sinks`, and the last `left` of the others",
        "  given:",
        "    tokens = 10",
        "    left = 3",
        "    sinks = 2",
        "  came:",
        "    tokens [7, 8, 9]",
        "  expected:",
        "    tokens [0, 1, 7, 8, 9]",
        "  hint: the sinks are gone: the first tokens stay for good",
    ]


def test_a_message_about_reading_twice_reads_well():
    wrong = answers.WRONG["check_write_on"]["whole text again"][0]
    assert lesson_07.check_write_on(wrong).message.splitlines() == [
        "✗ write_on: each token is read once",
        "  given:",
        "    prompt = [3, 1, 4]",
        "    most = 5",
        "    end = -1",
        "  came:",
        "    read [3, 1, 4], then [3, 1, 4, 6]",
        "  expected:",
        "    the prompt, then each new token alone",
        "  hint: read remembers: hand over the new token alone, not the whole text",
    ]


def test_a_function_without_return_is_told_so():
    for name in lesson_07.__all__:
        verdict = getattr(lesson_07, name)(lambda *given: None)
        assert "end it with return" in verdict.message, name


@pytest.mark.parametrize("given", [(1, 1, 1, 1, 5, 4), (7, 3, 8, 2, 5, 4)])
def test_the_oracle_of_bytes_equals_the_formula(given):
    n, layers, _, heads, width, size = given
    sizes = {"n_layers": layers, "n_kv_heads": heads, "d_head": width}
    assert counted_bytes(*given) == kv_cache_bytes(n, **sizes, number_bytes=size)


@pytest.mark.parametrize(("left", "sinks"), [(3, 2), (3, 0), (1, 4), (5, 1)])
def test_the_oracle_of_what_is_kept_equals_the_cache(left, sinks):
    cache = KVCache(1, left=left, sinks=sinks)
    for n in range(12):
        x = torch.zeros(1, 1, 1, 2)
        places = cache.extend(0, x, x).places.tolist()
        assert places == [*kept(n, left, sinks), n]


@pytest.mark.parametrize(("left", "sinks"), [(3, 2), (3, 0), (1, 4), (5, 1)])
def test_the_oracle_of_distances_equals_the_masks(left, sinks):
    visible = dense_mask(window_with_sinks(left=left, sinks=sinks), 15)
    for place in range(15):
        seen = visible[place].nonzero().flatten()
        at = sink_places(torch.tensor([place]), left=left, sinks=sinks)
        want = torch.where(seen < sinks, at - seen, place - seen).tolist()
        assert distances(place, left, sinks) == want


def test_the_oracle_of_heads_equals_torch():
    q, k, v = drawn(6, 3, 4), drawn(2, 5, 4), drawn(2, 5, 6)
    sdpa = torch.nn.functional.scaled_dot_product_attention
    theirs = sdpa(q[None], k[None], v[None], enable_gqa=True)[0]
    ours = attended(q, k, v, [0, 0, 0, 1, 1, 1]).float()
    torch.testing.assert_close(ours, theirs)


def test_the_oracle_of_top_p_on_paper():
    shares = torch.tensor([0.125, 0.5, 0.25, 0.125 / 2, 0.0625])
    assert nucleus(shares, 0.5) == [1]
    assert nucleus(shares, 0.51) == [1, 2]
    assert nucleus(shares, 0.75) == [1, 2]
    assert nucleus(shares, 0.76) == [1, 2, 0]
    assert len(nucleus(shares, 1.0)) == 5


def test_a_reader_remembers_and_counts():
    reader = Reader()
    torch.testing.assert_close(reader([3, 1]), logits_after([3, 1]))
    torch.testing.assert_close(reader([4]), logits_after([3, 1, 4]))
    assert reader.calls == [[3, 1], [4]]


def test_texts_of_the_reader_show_each_mistake():
    assert written([3, 1, 4], 5, -1) == [6, 0, 6, 0, 1]
    assert written([2], 9, 6) == [5, 3, 5, 1, 6]
    assert written([2], 9, 6) != written([2], 9, -1)
    assert written([2], 9, 6, least=True) != written([2], 9, 6)


def test_a_loop_without_end_is_stopped():
    def endless(read, prompt, most, end):
        while True:
            read([0])

    message = lesson_07.check_write_on(endless).message
    assert "more than 40 calls" in message


def test_a_view_is_found_by_the_room_that_it_holds():
    wrong = answers.WRONG["check_forget"]["a view"][0]
    lines = lesson_07.check_forget(wrong).message.splitlines()
    assert lines[-5:-1] == [
        "  came:",
        "    rows in memory: 1000",
        "  expected:",
        "    rows in memory: 5",
    ]
