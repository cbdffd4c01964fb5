"""The check of lesson 09 on entities off tags, read strictly."""

import itertools
from collections.abc import Callable, Sequence

from longctx_edu.checks.plain import ask_plain, equal, list_of
from longctx_edu.checks.report import check, require

__all__ = ["check_read_entities"]


def slow_entities(tags: Sequence[str]) -> list[tuple[int, int, str]]:
    """Read entities the slow way: from each `B-`, as far as its `I-` go on.

    Example:
        >>> slow_entities(["B-PER", "I-PER", "I-LOC"])
        [(0, 2, 'PER')]
    """
    found = []
    for start, tag in enumerate(tags):
        if tag.startswith("B-"):
            stop = start + 1
            while stop < len(tags) and tags[stop] == "I-" + tag[2:]:
                stop += 1
            found.append((start, stop, tag[2:]))
    return found


# tags, property, hint, what misconceptions give
READINGS = (
    (
        "B-PER I-PER O B-LOC",
        "an entity goes from its B- to its last I-, stop is the token after",
        "open at B-, go on at I-, close at anything else and at the end",
        [
            ([(0, 1, "PER"), (3, 3, "LOC")], "stop is the token after the last one"),
            ([(0, 2, "PER")], "an entity may end with the text: close it there too"),
            ([(0, 1, "PER"), (3, 4, "LOC")], "the I- belongs to it: (0, 2)"),
            (
                [(0, 2, "B-PER"), (3, 4, "B-LOC")],
                "the type is what follows B-: tag[2:]",
            ),
            (
                [(0, 1, "PER"), (1, 2, "PER"), (3, 4, "LOC")],
                "an I- does not open anything: it continues",
            ),
        ],
    ),
    (
        "B-PER B-PER I-PER",
        "a B- opens a new entity, also right behind another",
        "close what is open at every B-",
        [([(0, 3, "PER")], "two names touch here: B- closes the first")],
    ),
    (
        "O I-PER I-PER",
        "an I- that continues nothing opens nothing",
        "strict: only B- opens an entity",
        [],
    ),
    (
        "B-PER I-LOC",
        "an I- of another type closes the entity and opens nothing",
        "look at the type of the I-, not at its letter alone",
        [
            ([(0, 2, "PER")], "I-LOC does not continue a PER: compare the types"),
            (
                [(0, 1, "PER"), (1, 2, "LOC")],
                "I-LOC closes the PER, but only B- opens the next",
            ),
            ([], "the PER before it stays an entity of one token"),
        ],
    ),
    (
        "B-PER O I-PER",
        "what is closed stays closed",
        "forget start and type when an entity closes",
        [],
    ),
    (
        "B-creative-work I-creative-work",
        "a type may hold a hyphen",
        "cut at the first hyphen alone: tag[2:]",
        [],
    ),
)


@check("B- opens, the I- of its type continues, anything else closes.")
def check_read_entities(read_entities: Callable):
    """One rule after another, then every sequence of up to four tags."""
    for line, prop, hint, mistakes in READINGS:
        tags = line.split()
        equal(
            prop,
            entities_from(read_entities, tags),
            slow_entities(tags),
            given={"tags": line},
            hint=hint,
            mistakes=mistakes,
        )
    alphabet = ("O", "B-A", "I-A", "B-B", "I-B")
    for length in range(5):
        for tags in itertools.product(alphabet, repeat=length):
            equal(
                "every sequence of tags has its entities",
                entities_from(read_entities, list(tags)),
                slow_entities(tags),
                given={"tags": " ".join(tags) or "none"},
                hint="go through it with a pencil: what is open after each token?",
            )


def entities_from(read_entities: Callable, tags: list[str]) -> list[tuple]:
    """Ask for the entities of a text, and take each for a triple."""
    found = list_of(ask_plain(read_entities, tags), "triples (start, stop, type)")
    for entity in found:
        require(
            isinstance(entity, list | tuple) and len(entity) == 3,
            "an entity is (start, stop, type)",
            given={"tags": " ".join(tags)},
            came=entity,
            expected="three values, such as (0, 2, 'PER')",
            hint="append((start, stop, kind)), with two pairs of brackets",
        )
    return [tuple(entity) for entity in found]
