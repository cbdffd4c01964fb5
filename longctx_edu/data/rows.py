"""Turn the rows of a loaded Hugging Face data set into documents."""

from collections.abc import Mapping, Sequence
from typing import Any

from longctx_edu.data.columns import DOCUMENT_MARK, Sentence
from longctx_edu.data.conll import Loaded, join
from longctx_edu.data.cut import SPLITS, Splits, splits_of
from longctx_edu.data.splits import WORDS
from longctx_edu.data.tags import valid_iob2
from longctx_edu.errors import DataError, UserError

COLUMNS = {
    "tokens": ("tokens", "words"),
    "tags": ("ner_tags", "tags", "labels", "ner"),
    "document": ("document_id", "doc_id"),
}
"""The names under which data sets keep words, tags, and the document of a sentence."""


def read_rows(
    data: Mapping[str, Any],
    name: str,
    *,
    types: Sequence[str] = (),
    repair: bool = False,
) -> Splits:
    """Turn a loaded data set into documents.

    A row is a sentence. Sentences belong together where a column numbers their
    document or `-DOCSTART-` rows part them; else each stands alone.

    Args:
        data: Its splits; each row with words and tags.
        name: What to call it.
        types: The types that may occur; any if empty.
        repair: Read an `I-` that continues nothing as `B-`, and count it.

    Raises:
        UserError: If a split or a column is missing.
        DataError: At the first row that cannot be read, counted from 1.
    """
    found = {WORDS[split]: split for split in data if split in WORDS}
    if found.keys() != set(SPLITS):
        raise UserError(
            f"need the splits train, validation and test in {name}, got "
            f"{', '.join(data) or 'none'}"
        )
    parts = {}
    for split in SPLITS:
        place = f"{name}/{found[split]}"
        rows = rows_of(data[found[split]], place)
        parts[split] = documents_of(rows, place, types=types, repair=repair)
    note = ", ".join(f"{split}: {found[split]}" for split in SPLITS)
    return splits_of(name, parts, note)


def rows_of(table: Any, place: str) -> list[tuple[list[str], list[str], Any]]:
    """Return words, tags as text, and the document's id of each row."""
    names = {
        what: next((n for n in known if n in table.features), None)
        for what, known in COLUMNS.items()
    }
    if names["tokens"] is None or names["tags"] is None:
        raise UserError(
            f"need the columns tokens and ner_tags in {place}, got "
            f"{', '.join(table.features)}"
        )
    tags = table[names["tags"]][:]
    labels = getattr(table.features[names["tags"]].feature, "names", None)
    if labels is not None:
        tags = [[labels[number] for number in row] for row in tags]
    elif any(not isinstance(tag, str) for row in tags for tag in row):
        raise UserError(f"need tags with names in {place}, got numbers without names")
    ids = table[names["document"]][:] if names["document"] else [None] * len(tags)
    return list(zip(table[names["tokens"]][:], tags, ids, strict=True))


def documents_of(
    rows: list[tuple[list[str], list[str], Any]],
    place: str,
    *,
    types: Sequence[str],
    repair: bool,
) -> Loaded:
    """Group the rows of one split into documents."""
    marked = any(tokens[:1] == [DOCUMENT_MARK] for tokens, _, _ in rows)
    alone = not marked and all(document is None for _, _, document in rows)
    groups: list[list[tuple[Sentence, list[str]]]] = []
    n_repaired, opens, previous = 0, True, None
    for number, (tokens, tags, document) in enumerate(rows, start=1):
        opens = opens or alone or document != previous
        previous = document
        if tokens[:1] == [DOCUMENT_MARK]:
            opens = True
        elif len(tokens) != len(tags):
            message = (
                f"need one tag a token, got {len(tokens)} tokens and {len(tags)} tags"
            )
            raise DataError(place, number, message)
        elif tokens:
            lines = [number] * len(tags)
            tags, n = valid_iob2(
                tags, path=place, lines=lines, types=types, repair=repair
            )
            n_repaired += n
            if opens:
                groups.append([])
            groups[-1].append((Sentence(tokens=tokens), tags))
            opens = False
    documents = [join(f"{place}#{n}", group) for n, group in enumerate(groups, start=1)]
    return Loaded(documents, n_repaired)
