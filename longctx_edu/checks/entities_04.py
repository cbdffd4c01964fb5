"""Check of lesson 04: entities that overlapping chunks found, each kept once."""

from collections.abc import Callable

from longctx_edu.checks.chunks_04 import Pair, slow_cut, slow_owners
from longctx_edu.checks.plain import Near, ask_plain, equal, list_of
from longctx_edu.checks.report import check, require

__all__ = ["check_merge_entities"]

Found = tuple[int, int, str]

CHUNKS, OWNERS = [(0, 8), (4, 12)], [0] * 6 + [1] * 6
FOUND = [
    [(1, 3, "PER"), (5, 7, "LOC"), (7, 8, "PER")],
    [(1, 3, "LOC"), (3, 5, "PER"), (6, 7, "ORG")],
]
RIGHT = [(1, 3, "PER"), (5, 7, "LOC"), (7, 9, "PER"), (10, 11, "ORG")]
FIRST = "an entity may cross to tokens of another owner: its first token decides"

UNMERGED: list[Near] = [
    ([*FOUND[0], *FOUND[1]], "places within a chunk: add the chunk's start, "
     "and ask who owns the first token"),
    ([(1, 3, "PER"), (5, 7, "LOC"), (7, 8, "PER"), (5, 7, "LOC"),
      (7, 9, "PER"), (10, 11, "ORG")], "what both chunks found counts twice: "
     "keep it where owners[start] is this chunk"),
    ([(1, 3, "PER"), (5, 7, "LOC"), (7, 8, "PER"), (7, 9, "PER"),
      (10, 11, "ORG")], "a set drops what is equal, but (7, 8) is (7, 9) cut "
     "by the edge: owners decides"),
    ([(1, 3, "PER"), (5, 7, "LOC"), (7, 8, "PER"), (10, 11, "ORG")],
     "the first chunk does not win always: it cut (7, 9) off at its edge"),
    ([(1, 3, "PER"), (7, 9, "PER"), (10, 11, "ORG")], FIRST),
    ([(1, 3, "PER"), (5, 7, "LOC"), (3, 5, "PER"), (6, 7, "ORG")], "in the "
     "second chunk, too, add the start: both to start and to stop"),
    ([(1, 3, "PER"), (5, 7, "LOC"), (7, 5, "PER"), (10, 7, "ORG")],
     "add the chunk's start to start and to stop"),
]  # fmt: skip


@check("Each entity once, whole, and at its place in the document.")
def check_merge_entities(merge_entities: Callable):
    """Two chunks by hand, where they disagree; no entity; then a long text."""
    equal(
        "the owner of an entity's first token keeps it, the other lets it go",
        entities_of(merge_entities, FOUND, CHUNKS, OWNERS),
        RIGHT,
        given={"found": FOUND, "chunks": CHUNKS, "owners": OWNERS},
        hint="add the chunk's start; keep it where owners[first token] is this chunk",
        mistakes=UNMERGED,
    )
    equal(
        "where only one chunk found it, its first token decides all the same",
        entities_of(merge_entities, [[(5, 7, "LOC")], [(2, 3, "PER")]], CHUNKS, OWNERS),
        [(5, 7, "LOC"), (6, 7, "PER")],
        given={"found": [[(5, 7, "LOC")], [(2, 3, "PER")]], "owners": OWNERS},
        hint=FIRST,
        mistakes=[
            ([(6, 7, "PER")], FIRST),
            ([(5, 7, "LOC")], "only the first tokens are compared, not whole spans"),
        ],
    )
    equal(
        "a chunk may find nothing",
        entities_of(merge_entities, [[], [(4, 6, "ORG")]], CHUNKS, OWNERS),
        [(8, 10, "ORG")],
        given={"found": [[], [(4, 6, "ORG")]], "chunks": CHUNKS},
        hint="the number of a chunk is its place in the list, found or not",
    )
    chunks = slow_cut(40, 10, 6)
    truth = [(n, n + 1 + n % 3, "ABC"[n % 3]) for n in range(0, 37, 4)]
    seen = [
        [(a - i, min(b, j) - i, kind) for a, b, kind in truth if i <= a < j]
        for i, j in chunks
    ]
    equal(
        "a long text in many chunks gives its entities back",
        entities_of(merge_entities, seen, chunks, slow_owners(chunks, 40)),
        truth,
        given={"tokens": 40, "size": 10, "overlap": 6},
        hint="no number of chunks may be fixed; keep the order of the text",
    )


def entities_of(
    merge_entities: Callable,
    found: list[list[Found]],
    chunks: list[Pair],
    owners: list[int],
) -> list[Found]:
    """Ask for the entities of the document, and take each for a triple."""
    came = list_of(
        ask_plain(merge_entities, found, chunks, owners), "triples (start, stop, type)"
    )
    for entity in came:
        require(
            isinstance(entity, list | tuple) and len(entity) == 3,
            "an entity is (start, stop, type)",
            came=entity,
            expected="three values, such as (5, 7, 'LOC')",
            hint="append((start, stop, kind)) to one list for the whole document",
        )
    return [tuple(entity) for entity in came]
