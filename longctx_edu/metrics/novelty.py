"""Scores by novelty: does a tagger find entities, or does it remember names?"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from longctx_edu.metrics.entities import Entity, entities
from longctx_edu.metrics.scores import Score, Tags, check_pairs

NOVELTY = ("seen", "unseen", "seen as another type")
"""What training can know of an entity: form and type, neither, the form alone."""

Known = Mapping[str, Collection[str]]
"""The types that each surface form had in training."""


def known_forms(tokens: Sequence[Sequence[str]], tags: Tags) -> dict[str, set[str]]:
    """Collect the surface forms of the entities of a training set, with their types.

    Args:
        tokens: The words of each text.
        tags: One IOB2 tag a word.

    Raises:
        ValueError: If words and tags differ in number, or a tag is not IOB2.

    Example:
        >>> known_forms([["Ada", "Byron", "sings"]], [["B-PER", "I-PER", "O"]])
        {'Ada Byron': {'PER'}}
    """
    check_words(tokens, tags)
    known: dict[str, set[str]] = {}
    for words, text_tags in zip(tokens, tags, strict=True):
        for entity in entities(text_tags):
            known.setdefault(form_of(words, entity), set()).add(entity.type)
    return known


def scores_by_novelty(
    tokens: Sequence[Sequence[str]], gold: Tags, predicted: Tags, known: Known
) -> dict[str, Score]:
    """Score apart what was in the training set, form and type, and what is new.

    Each entity, gold or predicted, counts by its own form and type: upper and lower
    case make two forms. So the three groups together are all entities: their counts
    add up to those of the micro score.

    Args:
        tokens: The words of each text.
        gold: One IOB2 tag a word.
        predicted: One IOB2 tag a word.
        known: What `known_forms` returns for the training set.

    Raises:
        ValueError: If words and tags differ in number, or a tag is not IOB2.

    Example:
        >>> tokens, tags = [["Ada", "Bo"]], [["B-PER", "B-PER"]]
        >>> scores = scores_by_novelty(tokens, tags, [["B-PER", "O"]], {"Ada": ["PER"]})
        >>> {name: score.recall for name, score in scores.items() if score.support}
        {'seen': 1.0, 'unseen': 0.0}

    Source: The idea of Augenstein, Derczynski and Bontcheva 2017; a form that was
    seen as another type stands apart here.
    """
    check_words(tokens, gold)
    check_pairs(gold, predicted)
    right, said, there = Counter(), Counter(), Counter()
    for words, gold_tags, tags in zip(tokens, gold, predicted, strict=True):
        gold_entities, found = set(entities(gold_tags)), set(entities(tags))
        for counts, group in (
            (there, gold_entities),
            (said, found),
            (right, gold_entities & found),
        ):
            counts.update(novelty(form_of(words, e), e.type, known) for e in group)
    return {n: Score.from_counts(right[n], said[n], there[n]) for n in NOVELTY}


def novelty(form: str, type_: str, known: Known) -> str:
    """Say what training knew of an entity: one of `NOVELTY`.

    Args:
        form: Its words, with blanks between them.
        type_: Its type.
        known: The types that each form had in training.

    Example:
        >>> known = {"Paris": ["LOC"]}
        >>> novelty("Paris", "LOC", known), novelty("Paris", "PER", known)
        ('seen', 'seen as another type')
    """
    if form not in known:
        return "unseen"
    return "seen" if type_ in known[form] else "seen as another type"


def form_of(words: Sequence[str], entity: Entity) -> str:
    """Return an entity's surface form: its words, with blanks between them.

    Args:
        words: The words of the text.
        entity: Where it stands.
    """
    return " ".join(words[entity.start : entity.stop])


def check_words(tokens: Sequence[Sequence[str]], tags: Tags) -> None:
    """Refuse words and tags that do not stand beside each other.

    Args:
        tokens: The words of each text.
        tags: The tags of each text.

    Raises:
        ValueError: If the two differ in number or length.
    """
    sizes, n_tags = [len(words) for words in tokens], [len(text) for text in tags]
    if sizes != n_tags:
        raise ValueError(
            f"need one tag a word, got texts of {sizes[:5]} words and {n_tags[:5]} tags"
        )
