"""Checks of lesson 00: places in a text, counted in tokens and in chunks."""

import itertools
from collections.abc import Callable, Iterator

from longctx_edu.checks.plain import ask_plain, equal, numbers_of
from longctx_edu.checks.report import check, require

__all__ = ["check_chunk_of", "check_distance_to_evidence", "check_reachable"]

Place = tuple[int, int]
"""First token, and the token after the last one."""

TOKENS = range(10)
FOURS = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]


@check("A whole division gives the chunk, and the first chunk has number 0.")
def check_chunk_of(chunk_of: Callable):
    """Ten tokens in chunks of 4; then chunks of 128."""
    equal(
        "tokens 0 to 3 lie in chunk 0, tokens 4 to 7 in chunk 1",
        chunks_from(chunk_of, TOKENS, 4),
        FOURS,
        given={"token": "0, 1, 2, ... 9, one after another", "size": 4},
        hint="how many whole chunks lie before the token?",
        mistakes=[
            ([t / 4 for t in TOKENS], "/ gives fractions; // counts whole chunks"),
            ([round(t / 4) for t in TOKENS], "round goes up from the middle on: //"),
            ([-(-t // 4) for t in TOKENS], "this rounds up: // rounds down"),
            ([t % 4 for t in TOKENS], "% is the place within the chunk; // the chunk"),
            ([n + 1 for n in FOURS], "the first chunk has number 0: add nothing"),
            ([(t - 1) // 4 for t in TOKENS], "the first token has number 0: no - 1"),
            ([t // 128 for t in TOKENS], "size is a parameter: here it is 4, not 128"),
        ],
    )
    edges = [127, 128, 507]
    equal(
        "a chunk has as many tokens as size says",
        chunks_from(chunk_of, edges, 128),
        [0, 1, 3],
        given={"token": "127, 128, 507, one after another", "size": 128},
        hint="use the parameter size, not a number",
    )


def chunks_from(
    chunk_of: Callable, tokens: range | list[int], size: int
) -> list[float]:
    """Ask for the chunk of each token."""
    name = ["the chunk"]
    return [numbers_of(ask_plain(chunk_of, t, size), name)[0] for t in tokens]


# mention, evidence, property, hint, what misconceptions give
DISTANCES = (
    (
        (9, 11),
        (2, 5),
        "tokens 5, 6, 7, 8 lie between: the distance is 4",
        "from where the evidence stops to where the mention starts",
        [
            (7, "this is start to start; begin where the evidence stops"),
            (6, "this is stop to stop; end where the mention starts"),
            (9, "this counts both phrases; count only what lies between"),
            (3, "stop is the token after the last one: subtract nothing more"),
            (5, "stop is the token after the last one: add nothing"),
            (-4, "the other way round: the later place minus the earlier"),
        ],
    ),
    (
        (2, 3),
        (7, 10),
        "the evidence may also stand after the mention",
        "max(...) of both directions: one of the two is negative",
        [
            (-8, "negative: from here the evidence is ahead, turn the two around"),
            (8, "abs is not enough: ahead, count from mention's stop to its start"),
            (0, "0 only where they touch; here the evidence stands ahead"),
        ],
    ),
    (
        (4, 5),
        (3, 8),
        "a mention inside its evidence has the distance 0",
        "nothing lies between",
        [
            (-2, "no distance is below 0: give max a 0 as well"),
            (-4, "no distance is below 0: give max a 0 as well"),
            (2, "abs turns an overlap into a distance: max(..., 0) instead"),
            (4, "abs turns an overlap into a distance: max(..., 0) instead"),
        ],
    ),
)


@check("What counts is what lies between, in either direction, and never less than 0.")
def check_distance_to_evidence(distance_to_evidence: Callable):
    """Before, after, inside; then every two short phrases in nine tokens."""

    def asked(mention: Place, evidence: Place) -> float:
        came = ask_plain(distance_to_evidence, mention, evidence)
        return numbers_of(came, ["the distance"])[0]

    for mention, evidence, prop, hint, mistakes in DISTANCES:
        equal(
            prop,
            asked(mention, evidence),
            tokens_between(mention, evidence),
            given={"mention": mention, "evidence": evidence},
            hint=hint,
            mistakes=mistakes,
        )
    for mention, evidence in itertools.product(phrases(9), repeat=2):
        equal(
            "the distance is the number of tokens between the two",
            asked(mention, evidence),
            tokens_between(mention, evidence),
            given={"mention": mention, "evidence": evidence},
            hint="write the tokens in a row and count those that lie between",
        )


# mention, evidence, answer, property, hint; all in chunks of 4
REACHES = (
    ((6, 7), (4, 6), True, "both lie in chunk 1", "True means: one chunk holds both"),
    ((9, 10), (1, 3), False, "chunk 2 does not hold what chunk 0 says", "two chunks"),
    (
        (4, 5),
        (6, 8),
        True,
        "tokens 4 to 7 are one chunk",
        "stop is the token after the last one: the last token is stop - 1",
    ),
    (
        (4, 5),
        (2, 4),
        False,
        "neighbours with an edge between do not see each other",
        "near is not enough: ask for the chunk, not for the distance",
    ),
    (
        (6, 7),
        (3, 5),
        False,
        "the edge cuts the evidence: chunk 1 holds its end alone",
        "its first token counts as well as its last",
    ),
    (
        (2, 3),
        (3, 5),
        False,
        "the edge cuts the evidence: chunk 0 holds its beginning alone",
        "its last token counts as well as its first",
    ),
    (
        (3, 5),
        (1, 2),
        False,
        "the edge cuts the mention",
        "the mention has a last token too: the same chunk for all four ends",
    ),
)


@check("Near or far does not matter to a chunk: only the edges do.")
def check_reachable(reachable: Callable):
    """Seven cases in chunks of 4; then every two short phrases, three sizes."""
    for mention, evidence, answer, prop, hint in REACHES:
        require_reach(reachable, (mention, evidence, 4), answer, prop, hint)
    for size in (1, 3, 5):
        for mention, evidence in itertools.product(phrases(9), repeat=2):
            require_reach(
                reachable,
                (mention, evidence, size),
                one_chunk_holds(mention, evidence, size),
                "one chunk holds every token of both, or it does not",
                "size is a parameter; write the tokens in a row and draw the edges",
            )


def require_reach(
    reachable: Callable, given: tuple, answer: bool, prop: str, hint: str
) -> None:
    """Ask about two phrases, and take the answer for True or False."""
    came = ask_plain(reachable, *given)
    shown = dict(zip(("mention", "evidence", "size"), given, strict=True))
    require(
        isinstance(came, bool),
        "the result is True or False",
        given=shown,
        came=came,
        expected=answer,
        hint="a function without return gives None: end it with return"
        if came is None
        else "return the comparison itself: return a == b",
    )
    require(came == answer, prop, given=shown, came=came, expected=answer, hint=hint)


def phrases(n_tokens: int) -> Iterator[Place]:
    """Give every place of one to three tokens."""
    for start in range(n_tokens):
        for stop in range(start + 1, min(start + 3, n_tokens) + 1):
            yield start, stop


def tokens_between(mention: Place, evidence: Place) -> int:
    """Count, token by token, what lies after one phrase and before the other.

    Example:
        >>> tokens_between((9, 11), (2, 5)), tokens_between((4, 5), (3, 8))
        (4, 0)
    """
    first, second = sorted([mention, evidence], key=lambda place: place[1])
    return sum(1 for token in range(second[1]) if first[1] <= token < second[0])


def one_chunk_holds(mention: Place, evidence: Place, size: int) -> bool:
    """Try chunk after chunk whether it holds all tokens of both.

    Example:
        >>> one_chunk_holds((4, 5), (6, 8), 4), one_chunk_holds((4, 5), (2, 4), 4)
        (True, False)
    """
    tokens = {*range(*mention), *range(*evidence)}
    starts = range(0, max(tokens) + 1, size)
    return any(tokens <= set(range(start, start + size)) for start in starts)
