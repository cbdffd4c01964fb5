"""local-attention 1.11: buckets by default, a window on request."""

from functools import partial

import pytest
import torch

from longctx_edu.attention import window_attention
from longctx_edu.masks import causal, dense_mask, from_convention, padding, window

LocalAttention = pytest.importorskip("local_attention").LocalAttention
TOKEN, W = 20, 4


def local(q, k, v, keep=None, **options):
    mask = None if keep is None else keep[None]
    return LocalAttention(W, **options)(q, k, v, mask=mask)


def buckets(n, look_ahead):
    """Own bucket and the neighbouring ones, as blocks of a matrix."""
    bucket = torch.arange(n) // W
    distance = bucket - bucket[:, None]
    return (distance >= -1) & (distance <= look_ahead)


# a window on request


@pytest.mark.parametrize(
    ("name", "is_causal", "keys"),
    [
        ("local_attention_exact", False, (W + 1, 2 * W + 1, W + 1)),
        ("local_attention_exact_causal", True, (1, W + 1, W + 1)),
    ],
)
def test_an_exact_window_is_the_translated_one(
    weights_by_values, mask_of, name, is_causal, keys
):
    attend = partial(local, exact_windowsize=True, causal=is_causal)
    weights = weights_by_values(attend, TOKEN)
    assert torch.equal(weights != 0, mask_of(name, W, TOKEN))
    counts = (weights != 0).sum(dim=-1)
    assert tuple(counts[[0, TOKEN // 2, -1]].tolist()) == keys
    left, right = from_convention(name, W)
    ours = weights_by_values(partial(window_attention, left=left, right=right), TOKEN)
    torch.testing.assert_close(weights, ours, rtol=0, atol=1e-12)


def test_an_exact_causal_window_sees_one_key_more_than_its_readme_says(
    weights_by_values,
):
    """The README promises at most `window_size` keys; W + 1 come, itself included.

    The option asked for |distance| > window_size from the start
    (lucidrains/local-attention#3), and was no causal window at all until #5.
    """
    attend = partial(local, exact_windowsize=True, causal=True)
    assert (weights_by_values(attend, TOKEN) != 0).sum(dim=-1).max() == W + 1


def test_looking_further_back_multiplies_the_window(weights_by_values):
    attend = partial(local, exact_windowsize=True, causal=True, look_backward=2)
    expected = dense_mask(window(left=2 * W, right=0), TOKEN)
    assert torch.equal(weights_by_values(attend, TOKEN) != 0, expected)


# buckets by default


def test_by_default_a_query_sees_whole_buckets(weights_by_values):
    sees = weights_by_values(local, TOKEN) != 0
    assert torch.equal(sees, buckets(TOKEN, look_ahead=1))
    assert sees.sum(dim=-1).tolist() == [8] * 4 + [12] * 12 + [8] * 4


def test_by_default_a_causal_reach_depends_on_the_place_in_the_bucket(
    weights_by_values,
):
    """The number of keys goes up and down: no left and right say this."""
    sees = weights_by_values(partial(local, causal=True), TOKEN) != 0
    mask = buckets(TOKEN, look_ahead=0) & dense_mask(causal(), TOKEN)
    assert torch.equal(sees, mask)
    assert sees.sum(dim=-1).tolist() == [1, 2, 3, 4] + [5, 6, 7, 8] * 4


@pytest.mark.parametrize("is_causal", [True, False])
def test_buckets_lie_between_two_windows(weights_by_values, is_causal):
    sees = weights_by_values(partial(local, causal=is_causal), TOKEN) != 0
    right = 0 if is_causal else None
    for size, least in ((W, True), (2 * W - 1, False)):
        reach = size if right is None else right
        mask = dense_mask(window(left=size, right=reach), TOKEN)
        within = mask & ~sees if least else sees & ~mask
        assert not within.any()


def test_a_length_that_no_bucket_divides_is_refused(weights_by_values):
    with pytest.raises(AssertionError, match="must be divisible by window size"):
        weights_by_values(local, TOKEN + 1)


# padding


def test_padding_is_seen_by_no_query_that_sees_anything(weights_by_values):
    keep = torch.arange(TOKEN) < 6
    attend = partial(local, exact_windowsize=True, keep=keep)
    weights = weights_by_values(attend, TOKEN)
    mask = dense_mask(window(left=W, right=W) & padding(keep), TOKEN)
    sees = mask.any(dim=-1)
    assert torch.equal((weights != 0)[sees], mask[sees])


def test_a_row_that_sees_nothing_averages_what_it_must_not_see(weights_by_values):
    """Hidden scores are -finfo.max, not -inf, so such a row is a mean of its buckets.

    At the ends of the text the mean includes the filler of the missing bucket, whose
    values are -1.
    """
    keep = torch.arange(TOKEN) < 6
    attend = partial(local, exact_windowsize=True, keep=keep)
    weights = weights_by_values(attend, TOKEN)
    row = torch.zeros(TOKEN, dtype=torch.float64)
    row[8:20] = 1 / 12
    torch.testing.assert_close(weights[14], row)
    last = torch.full((TOKEN,), -4 / 12, dtype=torch.float64)
    last[12:] += 1 / 12
    torch.testing.assert_close(weights[-1], last)


def test_autopad_without_a_mask_lets_real_tokens_see_the_filler(weights_by_values):
    """With `autopad=True` and no mask, the zeros appended to the keys take weight.

    The last tokens of a bidirectional text lose part of their output to them. With
    an explicit mask of all True, nothing is lost.
    """
    n = TOKEN - 2
    attend = partial(local, exact_windowsize=True, autopad=True)
    lost = 1 - weights_by_values(attend, n).sum(dim=-1)
    assert lost[: n - W].abs().max() < 1e-12
    assert lost[n - W :].min() > 0.01
    everything = torch.ones(n, dtype=torch.bool)
    kept = weights_by_values(partial(attend, keep=everything), n)
    torch.testing.assert_close(kept.sum(dim=-1), torch.ones(n, dtype=torch.float64))
    assert torch.equal(kept != 0, dense_mask(window(left=W, right=W), n))


def test_autopad_of_a_causal_text_is_harmless(weights_by_values):
    attend = partial(local, exact_windowsize=True, autopad=True, causal=True)
    weights = weights_by_values(attend, TOKEN - 2)
    assert torch.equal(weights != 0, dense_mask(window(left=W, right=0), TOKEN - 2))
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(TOKEN - 2).double())
