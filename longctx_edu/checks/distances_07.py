"""Check of lesson 07: how far a query stands from what it sees, inside the cache."""

from collections.abc import Callable

from longctx_edu.checks.plain import ask_plain, equal, list_of, plain_numbers
from longctx_edu.checks.report import check

__all__ = ["check_cache_distances"]


@check("However long the text, no distance is larger than sinks + left.")
def check_cache_distances(cache_distances: Callable):
    """Far in the text, at its beginning, where the two meet, and without sinks."""
    for place, left, sinks in (
        (10, 3, 2), (3, 3, 2), (0, 3, 2), (5, 3, 2), (6, 3, 2), (4, 3, 2),
        (1000, 2, 1), (9, 4, 0), (9, 0, 2), (1, 2, 4), (7, 2, 4),
    ):  # fmt: skip
        got = list_of(ask_plain(cache_distances, place, left, sinks), "distances")
        equal(
            "sinks from the place inside the cache, all others from the true one",
            plain_numbers(got),
            distances(place, left, sinks),
            given={"place": place, "left": left, "sinks": sinks},
            hint="the sinks from min(place, sinks + left), the others from place",
            mistakes=mistakes(place, left, sinks),
        )


def distances(place: int, left: int, sinks: int) -> list[int]:
    """List the distances by asking each token of the text.

    Example:
        >>> distances(10, left=3, sinks=2)
        [5, 4, 3, 2, 1, 0]
    """
    inside = place if place < sinks + left else sinks + left
    found = []
    for token in range(place + 1):
        if token < sinks:
            found.append(inside - token)
        elif token >= place - left:
            found.append(place - token)
    return found


def mistakes(place: int, left: int, sinks: int) -> list[tuple[list[int], str]]:
    """List what misconceptions give; those that happen to be right are left out."""
    first, inside = range(min(sinks, place + 1)), min(place, sinks + left)
    near = range(max(sinks, place - left), place + 1)
    by_place = [place - t for t in near]

    def told(sinks_from: int) -> list[int]:
        return [sinks_from - t for t in first] + by_place

    overlapping = [place - t for t in range(max(0, place - left), place + 1)]
    found = [
        (told(place), "by the text: inside the cache the query stands at sinks + left "
         "at most"),
        (told(min(place, sinks + left - 1)), "one too near: inside the cache the query "
         "itself stands at sinks + left, behind sinks and window"),
        (told(min(place, sinks + left + 1)), "one too far: sinks and window take the "
         "places 0 to sinks + left - 1"),
        (told(min(place, left)), "the sinks take places too: sinks + left"),
        (told(sinks + left), "at the beginning of a text the query stands nearer: "
         "min(place, ...)"),
        (told(inside)[:-1], "a query sees itself: distance 0 comes last"),
        (by_place, "the sinks are missing"),
        ([inside - t for t in first] + overlapping, "each token once: the window "
         "begins behind the sinks"),
        ([inside - t for t in range(sinks)] + by_place, "a token cannot see sinks "
         "that come after it"),
        ([inside - t for t in [*first, *near]], "the others from the true place"),
        ([*first, *near], "these are places: a distance is the query's place less "
         "the key's"),
        (told(inside)[::-1], "sinks first, itself last"),
        ([-x for x in told(inside)], "a distance has no sign: query less key"),
        ([inside - t for t in first] + [place - t for t in
         range(max(sinks, place - left + 1), place + 1)], "left tokens before the "
         "query, itself not counted"),
    ]  # fmt: skip
    right = distances(place, left, sinks)
    return [(each, words) for each, words in found if each != right]
