"""The check of lesson 09 on precision, recall and F1 of entities."""

from collections.abc import Callable

from longctx_edu.checks.entities_09 import slow_entities
from longctx_edu.checks.plain import ask_plain, equal, numbers_of, on_kind
from longctx_edu.checks.report import check

__all__ = ["check_micro_scores"]


def slow_scores(gold: list[list[str]], predicted: list[list[str]]) -> list[float]:
    """Count entities with loops, and divide."""
    there = [(n, e) for n, tags in enumerate(gold) for e in slow_entities(tags)]
    said = [(n, e) for n, tags in enumerate(predicted) for e in slow_entities(tags)]
    right = sum(entity in there for entity in said)
    return [
        right / len(said) if said else 0.0,
        right / len(there) if there else 0.0,
        2 * right / (len(there) + len(said)) if there or said else 0.0,
    ]


NOTHING = "where nothing is said, or nothing is there, a share is 0: ask first"

# gold, predicted (texts parted by ;), property, hint, what misconceptions give
SCORED = (
    (
        "B-PER I-PER O B-LOC O B-ORG",
        "B-PER I-PER O B-ORG O O",
        "1 of 2 is right, 1 of 3 is found",
        "precision = right / said, recall = right / there, F1 their harmonic mean",
        [
            ([1 / 3, 0.5, 0.4], "precision first: it divides by what was predicted"),
            ([0.5, 1 / 3, 5 / 12], "the harmonic mean: 2 * p * r / (p + r)"),
            ([2 / 3, 0.5, 4 / 7], "this counts words; an entity is right as a whole"),
            ([4 / 6] * 3, "this is token accuracy, O included: count entities"),
            ([1.0, 2 / 3, 0.8], "the type counts too: a LOC is no ORG"),
            ([50.0, 100 / 3, 40.0], "shares from 0 to 1, not percent"),
            ([1 / 3] * 3, "this is a mean over types: add their counts first"),
        ],
    ),
    (
        "B-PER I-PER",
        "B-PER O",
        "a name without its second word is not found",
        "start and stop must both be right",
        [],
    ),
    (
        "B-PER; O",
        "O; B-PER",
        "the same place in another text is another place",
        "put the number of the text beside the entity: (n, entity)",
        [],
    ),
    (
        "B-PER B-PER B-PER; B-LOC",
        "B-PER B-LOC O; B-LOC",
        "the counts of all texts are added, then divided once",
        "micro: no scores of single texts or types in between",
        [
            ([0.75, 2 / 3, 0.7], "this is a mean over texts: add their counts first"),
            (
                [0.75, 2 / 3, 7 / 12],
                "this is a mean over types: add their counts first",
            ),
        ],
    ),
    (
        "B-PER; B-LOC",
        "B-PER; I-PER",
        "an entity ends with its text",
        "read the texts one by one: joined, an I- goes on across the border",
        [],
    ),
    ("B-PER", "O", "nothing said: all three are 0", NOTHING, []),
    ("O", "B-PER", "nothing there: all three are 0", NOTHING, []),
    ("O", "O", "nothing said and nothing there: all three are 0", NOTHING, []),
)


@check("Right start, stop and type in the right text; counts first, then shares.")
def check_micro_scores(micro_scores: Callable):
    """Three against two entities; a type, a text, an average; nothing at all."""
    for gold, predicted, prop, hint, mistakes in SCORED:
        there, said = texts(gold), texts(predicted)
        with on_kind(ZeroDivisionError, NOTHING):
            got = ask_plain(micro_scores, there, said)
        equal(
            prop,
            numbers_of(got, ["precision", "recall", "F1"]),
            slow_scores(there, said),
            given={"gold": gold, "predicted": predicted},
            hint=hint,
            mistakes=mistakes,
        )


def texts(line: str) -> list[list[str]]:
    """Read texts, parted by semicolons, as lists of tags.

    Example:
        >>> texts("B-PER O; O")
        [['B-PER', 'O'], ['O']]
    """
    return [text.split() for text in line.split(";")]
