import pytest
import torch
from attention_cases import few
from hypothesis import example, given
from hypothesis import strategies as st

from longctx_edu.attention.blocks import Band, Run, runs
from longctx_edu.masks import dense_mask, padding, window

BATCH, HEAD = 2, 3
CPU = torch.device("cpu")


def cut(n, left, right, size):
    """A band of blocks of a size that the test chooses, sides cut to the text."""
    left, right = (max(n - 1, 0) if x is None else x for x in (left, right))
    return Band(n, min(left, max(n - 1, 0)), min(right, max(n - 1, 0)), size)


sides = st.one_of(st.none(), st.integers(0, 5), st.integers(6, 90))
bands = st.builds(cut, st.integers(0, 120), sides, sides, st.integers(1, 40))
shares = st.sampled_from([None, 0.0, 0.1, 0.9, 1.0])


def list_runs(band, keep=None, longest=100):
    return list(runs(band, keep, longest=longest, device=CPU))


def draw_keep(share, n, seed, batch=BATCH):
    if share is None:
        return None
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(batch, n, generator=generator) < share


def numbered(n):
    """Token p of head h of text b holds the number 1000 b + 100 h + p, p below 100."""
    text = 1000 * torch.arange(BATCH)[:, None, None]
    head = 100 * torch.arange(HEAD)[:, None]
    return (text + head + torch.arange(n)).double()[..., None]


def by_slices(run, x, *, skip=0, width):
    """What `keys` views, taken block by block."""
    starts = [run.low + skip + block * run.size for block in range(run.count)]
    return [x[:, :, start : start + width] for start in starts]


# equals the definition


@few
@given(bands, shares, st.integers(1, 5), st.integers(0, 2**31))
@example(cut(200, 5, 5, 32), None, 3, 0)  # a long run, cut
@example(cut(97, 2, 40, 32), 0.9, 3, 0)  # a last block of one query
def test_the_masks_of_runs_are_the_dense_mask_cut_up(band, share, longest, seed):
    keep = draw_keep(share, band.n, seed)
    allowed = window(left=band.left, right=band.right)
    expected = dense_mask(
        allowed if keep is None else allowed & padding(keep[:, None]), band.n
    ).expand(BATCH, 1, -1, -1)
    seen = torch.zeros(BATCH, 1, band.n, band.n, dtype=torch.int)
    for run in list_runs(band, keep, longest):
        assert run.count <= longest
        for block in range(run.count):
            first, low = run.first + block * run.size, run.low + block * run.size
            rows, columns = slice(first, first + run.size), slice(low, low + run.width)
            assert low >= 0
            assert low + run.width <= band.n
            seen[..., rows, columns] += run.mask.int()
    assert torch.equal(seen, expected.int())


def views_of(run, n):
    """The same view as problems by rows of texts and heads, made block by block."""
    x = numbered(n)
    queries = [
        x[:, :, run.first + i * run.size :][:, :, : run.size] for i in range(run.count)
    ]
    return x, queries, by_slices(run, x, width=run.width)


def side_by_side(run, blocks):
    """Lay blocks in the order of a run: one block as it is, several by problem."""
    if run.count == 1:
        return blocks[0]
    return torch.stack([block.flatten(0, 1) for block in blocks])


some_runs = [
    Run(first=4, count=1, size=3, low=1, width=8, mask=torch.ones(1, 1, 3, 8).bool()),
    Run(first=4, count=3, size=4, low=2, width=7, mask=torch.ones(1, 1, 4, 7).bool()),
    Run(first=0, count=4, size=4, low=0, width=4, mask=torch.ones(1, 1, 4, 4).bool()),
    Run(first=9, count=2, size=1, low=3, width=11, mask=torch.ones(1, 1, 1, 11).bool()),
]


@pytest.mark.parametrize("run", some_runs, ids=str)
def test_views_hold_the_queries_and_the_keys_of_each_block(run):
    x, queries, keys = views_of(run, 20)
    assert torch.equal(run.queries(x), side_by_side(run, queries))
    assert torch.equal(run.keys(x), side_by_side(run, keys))
    part = by_slices(run, x, skip=2, width=1)
    assert torch.equal(run.keys(x, 2, 1), side_by_side(run, part))


@pytest.mark.parametrize("run", some_runs, ids=str)
def test_parts_are_added_to_each_key_that_they_speak_of(run):
    x, _, _ = views_of(run, 20)
    parts = torch.rand_like(run.keys(x), dtype=torch.float64)
    sums, expected = x.clone(), x.clone()
    for block in range(run.count):
        low = run.low + block * run.size
        part = parts if run.count == 1 else parts[block].unflatten(0, (BATCH, HEAD))
        expected[:, :, low : low + run.width] += part
    run.add_to_keys(sums, parts)
    torch.testing.assert_close(sums, expected)


# properties


@pytest.mark.parametrize("run", some_runs, ids=str)
def test_parts_are_never_added_to_one_key_twice_at_a_time(monkeypatch, run):
    places, view = numbered(20), Run.keys

    def strict(self, x, skip=0, width=0):
        some = view(self, places, skip, width)
        assert some.unique().numel() == some.numel()  # torch leaves such a sum open
        return view(self, x, skip, width)

    parts = run.keys(numbered(20)).clone()
    monkeypatch.setattr(Run, "keys", strict)
    run.add_to_keys(numbered(20), parts)


@few
@given(bands, shares, st.integers(0, 2**31))
def test_each_query_stands_in_one_block_or_sees_nothing(band, share, seed):
    keep = draw_keep(share, band.n, seed)
    queries = [
        range(run.first, run.first + run.count * run.size)
        for run in list_runs(band, keep)
    ]
    places = [place for some in queries for place in some]
    assert len(places) == len(set(places))
    real = torch.ones(BATCH, band.n).bool() if keep is None else keep
    for place in set(range(band.n)) - set(places):
        near = slice(max(place - band.left, 0), place + band.right + 1)
        assert not real[:, near].any()


@pytest.mark.parametrize("share", [None, 1.0])
def test_blocks_within_the_text_share_a_run_and_a_mask(share):
    band = cut(200, 5, 7, 32)
    first, inner, *last = list_runs(band, draw_keep(share, 200, 0))
    assert (first.count, inner.count, len(last)) == (1, 5, 1)
    assert inner.mask.shape == (1, 1, 32, 44)
    assert last[0].size == 200 - 6 * 32


def test_blocks_that_reach_just_to_the_ends_are_like_the_others():
    (run,) = list_runs(Band(96, 0, 0, 32))
    assert (run.count, run.low, run.width) == (3, 0, 32)
    first, last = list_runs(Band(96, 0, 5, 32))
    assert (first.count, last.count) == (2, 1)


def test_runs_are_cut_where_they_grow_too_long():
    band = cut(200, 5, 7, 32)
    assert [run.count for run in list_runs(band, longest=2)] == [1, 2, 2, 1, 1]
    assert [run.count for run in list_runs(band, longest=1)] == [1] * 7


def test_padding_in_one_text_lets_only_the_blocks_near_it_stand_alone():
    band = cut(320, 5, 5, 32)
    keep = torch.ones(BATCH, 320).bool()
    keep[1, 144] = False  # in block 4, and out of reach of the others
    counts = [run.count for run in list_runs(band, keep)]
    assert counts == [1, 3, 1, 4, 1]
    keep[1, 144], keep[1, 126] = True, False  # in block 3, and in reach of block 4
    assert [run.count for run in list_runs(band, keep)] == [1, 2, 1, 1, 4, 1]


def test_blocks_that_see_nothing_in_any_text_are_left_out():
    band = cut(320, 5, 5, 32)
    keep = torch.arange(320) < torch.tensor([[100], [40]])
    assert max(run.first for run in list_runs(band, keep)) == 96
    assert list_runs(band, torch.zeros(BATCH, 320).bool()) == []


# edges


def test_no_place_and_no_text():
    assert list_runs(Band.fit(0, None, 3)) == []
    assert list_runs(Band.fit(0, 2, 3), torch.ones(BATCH, 0).bool()) == []
    assert list_runs(Band.fit(5, 2, 3), torch.ones(0, 5).bool()) == []


def test_a_window_wider_than_the_text_is_cut_to_it():
    assert Band.fit(5, None, 99) == Band(5, 4, 4, 32)
    assert Band.fit(5, 2, None) == Band(5, 2, 4, 32)
    assert Band.fit(0, 2, None) == Band(0, 0, 0, 32)


@pytest.mark.parametrize(
    ("left", "right", "size"), [(0, 0, 32), (100, 100, 50), (500, 500, 96)]
)
def test_blocks_grow_with_the_window_within_limits(left, right, size):
    assert Band.fit(10_000, left, right).size == size
