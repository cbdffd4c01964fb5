from collections import Counter
from itertools import combinations

import pytest

from longctx_edu.data.recall import CopyingConfig, NeedleConfig
from longctx_edu.data.recall.draft import Draft, room_for


def blank(n_tokens, index=0):
    config = CopyingConfig(n_tokens=n_tokens, distances=(1,), length=1)
    return Draft(config, index)


def starts_left(draft, width, distance=0):
    """Count the starts from which the tokens, and those a distance later, are free."""
    return sum(
        all(draft.free[p : p + width]) and all(draft.free[p + distance :][:width])
        for p in range(len(draft.free) - width - distance + 1)
    )


@pytest.mark.parametrize("width", [1, 2, 3])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_room_is_left_however_the_pieces_before_stand(width, count):
    """The worst places leave one start, and none if the text were a token shorter."""
    needed = room_for(count, width)
    for n, left in ((needed, 1), (needed - 1, 0)):
        draft = blank(max(n, 3))
        draft.take(n, 3)  # the blank may be longer than n
        for piece in range(count - 1):
            draft.take(piece * (2 * width - 1) + width - 1, width)
        assert starts_left(draft, width) == left


def test_a_pair_with_its_question_takes_twelve_starts_at_most():
    left = []
    for first in range(2, 20):
        n = 12 + 2 + 11  # the second pair has distance 11, the first any
        for start in range(n - 2 - first + 1):
            draft = blank(n)
            draft.take(start, 2)
            draft.take(start + first, 2)
            left.append(starts_left(draft, 2, 11))
    assert min(left) >= 1


def test_place_draws_every_start_alike(is_flat):
    counts = Counter()
    for index in range(900):
        draft = blank(12, index)
        draft.take(4, 2)
        start = draft.place(2)
        assert not draft.free[start : start + 2].any()
        assert draft.free.sum() == 8
        counts[start] += 1
    assert sorted(counts) == [0, 1, 2, 6, 7, 8, 9, 10]
    assert is_flat(list(counts.values()))


def test_place_with_a_distance_takes_both_places(is_flat):
    counts = Counter()
    for index in range(600):
        draft = blank(12, index)
        draft.take(4, 2)
        start = draft.place(2, 5)
        assert draft.free.sum() == 6
        assert not draft.free[start : start + 2].any()
        assert not draft.free[start + 5 : start + 7].any()
        counts[start] += 1
    assert sorted(counts) == [1, 2]
    assert is_flat(list(counts.values()))


def test_pieces_in_order_take_every_arrangement_alike(is_flat):
    possible = [
        places
        for places in combinations(range(5, 12 - 2), 2)
        if places[1] - places[0] >= 3
    ]
    counts = Counter(
        tuple(blank(20, index).place_in_order(2, 3, 5, 12)) for index in range(600)
    )
    assert sorted(counts) == possible
    assert is_flat(list(counts.values()))


def test_no_pieces_and_pieces_that_fill_the_stretch():
    assert blank(20).place_in_order(0, 3, 5, 5) == []
    assert blank(20).place_in_order(3, 3, 5, 14) == [5, 8, 11]


def test_deal_gives_nothing_twice_and_draw_may(is_flat):
    draft = Draft(NeedleConfig(), 0)
    hands = [draft.deal(range(4), 3) for _ in range(200)]
    assert all(len(set(hand)) == 3 for hand in hands)
    drawn = [draft.draw(range(4), 3) for _ in range(200)]
    assert any(len(set(hand)) < 3 for hand in drawn)
    for hands_of_three in (hands, drawn):
        assert is_flat(Counter(n for hand in hands_of_three for n in hand).values())
