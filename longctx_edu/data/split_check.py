"""Check train, dev and test against each other, and count what is in each."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from longctx_edu.data.cut import SPLITS
from longctx_edu.data.documents import Document
from longctx_edu.data.file_check import Places
from longctx_edu.data.findings import Findings
from longctx_edu.data.spans import spans_of

LEAK_SHARE = 0.1
"""Share of a split's words that may stand in another split before it is an error."""

SAME_SENTENCE = 10
"""Words from which on a sentence that stands twice is no accident."""


@dataclass(frozen=True)
class SplitSummary:
    """What is in a split.

    Args:
        documents: How many.
        sentences: How many.
        tokens: How many.
        entities: How many of each type.
        median_tokens: Tokens of the document in the middle.
        longest_tokens: Tokens of the longest document.
    """

    documents: int
    sentences: int
    tokens: int
    entities: dict[str, int]
    median_tokens: float
    longest_tokens: int


def summary(documents: list[Document]) -> SplitSummary:
    """Count what is in a split.

    Args:
        documents: Its documents.

    Example:
        >>> note = Document("a", ("Ada", "sings"), ("B-PER", "O"), (0,))
        >>> found = summary([note])
        >>> found.tokens, found.entities
        (2, {'PER': 1})
    """
    lengths = [len(document) for document in documents]
    types = Counter(type_ for d in documents for _, _, type_ in spans_of(d.tags))
    return SplitSummary(
        documents=len(documents),
        sentences=sum(len(document.sentence_starts) for document in documents),
        tokens=sum(lengths),
        entities={type_: types[type_] for type_ in sorted(types)},
        median_tokens=float(median(lengths)) if lengths else 0.0,
        longest_tokens=max(lengths, default=0),
    )


def check_splits(
    parts: dict[str, list[Document]],
    labels: tuple[str, ...],
    places: Places,
    findings: Findings,
) -> None:
    """Note what is wrong between the splits.

    Args:
        parts: The documents of train, dev and test.
        labels: The types that may occur; any if empty.
        places: Where each document stands.
        findings: Where to note it.
    """
    seen = {split: set(summary(part).entities) for split, part in parts.items()}
    check_types(seen, parts, labels, findings)
    for one, other in (("train", "test"), ("train", "dev"), ("dev", "test")):
        if parts[one] and parts[other]:
            check_leak((one, parts[one]), (other, parts[other]), places, findings)
    for split, documents in parts.items():
        n = len(documents) - len({document.tokens for document in documents})
        if n:
            message = f"{n:,} of {len(documents):,} documents of {split} stand there "
            findings.add("note", "twice", message + "more than once, word for word")


def check_types(
    seen: dict[str, set[str]],
    parts: dict[str, list[Document]],
    labels: tuple[str, ...],
    findings: Findings,
) -> None:
    """Note splits without entities, and types that cannot be learned or scored."""
    for split in SPLITS:
        if not seen[split] and parts[split]:
            level = "error" if split == "train" else "warning"
            message = f"need an entity in {split}, got the tag O alone"
            if not any(seen.values()):
                message += (
                    "; are the tags in another column (--tag-column), or nested in "
                    "several (--nested)?"
                )
            findings.add(level, "entities", message)
    every = set().union(*seen.values())
    for type_ in sorted(every - seen["train"]):
        where = " and ".join(split for split in SPLITS if type_ in seen[split])
        message = f"need {type_} in train, got it in {where} alone: no model learns it"
        findings.add("warning", "unseen", message)
    for label in [label for label in labels if label not in every]:
        findings.add("warning", "unseen", f"the label {label} stands nowhere")


def check_leak(
    one: tuple[str, list[Document]],
    other: tuple[str, list[Document]],
    places: Places,
    findings: Findings,
) -> None:
    """Note what stands word for word in two splits.

    Documents are compared where both splits have several, else sentences.
    """
    unit = "documents"
    units = [[(d.tokens, d) for d in documents] for _, documents in (one, other)]
    if min(map(len, units)) < 2:
        unit = f"sentences of {SAME_SENTENCE} words or more"
        units = [list(long_sentences(documents)) for _, documents in (one, other)]
    first = {tokens: document for tokens, document in reversed(units[0])}
    shared = [(tokens, d) for tokens, d in units[1] if tokens in first]
    if not shared:
        return
    n_words = sum(map(len, other[1]))
    share = sum(len(tokens) for tokens, _ in shared) / n_words
    tokens, there = shared[0]
    message = (
        f"{len(shared):,} of {len(units[1]):,} {unit} of {other[0]} stand in {one[0]} "
        f"too, word for word: {100 * share:.1f} % of its words, the first in "
        f"{place(there, places)} and {place(first[tokens], places)}; scores on "
        f"{other[0]} measure memory there"
    )
    findings.add("error" if share >= LEAK_SHARE else "warning", "leak", message)


def long_sentences(
    documents: list[Document],
) -> Iterator[tuple[tuple[str, ...], Document]]:
    """Yield the words of each sentence that is long enough, and its document."""
    for document in documents:
        bounds = [*document.sentence_starts, len(document)]
        for start, stop in pairwise(bounds):
            if stop - start >= SAME_SENTENCE:
                yield document.tokens[start:stop], document


def place(document: Document, places: Places) -> str:
    """Name the file and the first line of a document, or what is known of them."""
    if id(document) not in places:
        return document.name
    file, line = places[id(document)]
    return f"{file}:{line}"
