"""`report.html`: the scores of a tagger and its errors in their text, on one page.

The page is one file that asks nothing of a network. Its content security policy names
the one style and the one script that it holds, so no word of the data can be run.
"""

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from importlib.resources import files
from itertools import chain
from pathlib import Path
from string import Template
from typing import Any

from longctx_edu.data.documents import Document
from longctx_edu.metrics import MISTAKES
from longctx_edu.metrics.scores import check_pairs
from longctx_edu.recipes.page_errors import (
    Error,
    documents_html,
    errors_html,
    filters_html,
    spread,
)
from longctx_edu.recipes.page_tables import tables_html
from longctx_edu.recipes.page_text import marked
from longctx_edu.recipes.page_words import clean
from longctx_edu.recipes.show_scores import percent
from longctx_edu.training.files import write_text

PAGE = "report.html"
POLICY = (
    "default-src 'none'; img-src data:; style-src 'sha256-{}'; script-src 'sha256-{}'"
)


def write_report_page(
    path: str | Path,
    documents: Sequence[Document],
    predicted: Sequence[Sequence[str]],
    scores: dict[str, Any],
    *,
    title: str = "Named entities",
) -> None:
    """Write the page, whole or not at all.

    Args:
        path: The HTML file.
        documents: Words with gold tags.
        predicted: One sequence of IOB2 tags a document.
        scores: What `score_documents` says of them.
        title: What was tagged.

    Raises:
        ValueError: If documents and predictions differ in number or length.
        UserError: If it cannot be written.
    """
    page = report_page(documents, predicted, scores, title=title)
    write_text(Path(path), page)


def report_page(
    documents: Sequence[Document],
    predicted: Sequence[Sequence[str]],
    scores: dict[str, Any],
    *,
    title: str = "Named entities",
) -> str:
    """Return the page as text: at most 200 errors of a kind, and the words near them.

    Args:
        documents: Words with gold tags.
        predicted: One sequence of IOB2 tags a document.
        scores: What `score_documents` says of them.
        title: What was tagged.

    Raises:
        ValueError: If documents and predictions differ in number or length.
    """
    counts = scores["mistakes"]
    found = by_kind(documents, predicted)
    listed = {kind: spread(errors) for kind, errors in found.items()}
    types = sorted(set(scores["per_type"]) - {"micro", "macro"})
    style, script = read("report_page.css"), read("report_page.js")
    return Template(read("report_page.html")).substitute(
        policy=POLICY.format(hashed(style), hashed(script)),
        title=clean(title, most=200),
        summary=summary(documents, scores),
        style=style,
        script=script,
        tables=tables_html(scores),
        filters=filters_html(counts, types),
        errors=errors_html(listed, counts, types),
        documents=documents_html(chain.from_iterable(listed.values())),
    )


def by_kind(
    documents: Sequence[Document], predicted: Sequence[Sequence[str]]
) -> dict[str, list[Error]]:
    """Collect all mistakes, kind by kind, each with its document.

    Args:
        documents: Words with gold tags.
        predicted: One sequence of IOB2 tags a document.
    """
    check_pairs([document.tags for document in documents], predicted)
    found: dict[str, list[Error]] = {kind: [] for kind in MISTAKES}
    for number, (document, tags) in enumerate(zip(documents, predicted, strict=True)):
        shown = marked(number, document, tags)
        for mistake in shown.mistakes:
            found[mistake.kind].append((shown, mistake))
    return found


def summary(documents: Sequence[Document], scores: dict[str, Any]) -> str:
    """Say how much was tagged, and how well.

    Args:
        documents: The documents.
        scores: What `score_documents` says.
    """
    n_words = sum(len(document) for document in documents)
    return (
        f"{len(documents):,} documents, {n_words:,} words, {scores['entities']:,} "
        f"entities. F1 {percent(scores['f1'])}, precision "
        f"{percent(scores['precision'])}, recall {percent(scores['recall'])}; token "
        f"accuracy {percent(scores['token_accuracy'])}."
    )


def read(name: str) -> str:
    """Read a part of the page that stands in a file of its own.

    Args:
        name: The file, beside this one.
    """
    return files(__package__).joinpath(name).read_text("utf-8")


def hashed(text: str) -> str:
    """Return the hash by which a policy allows a style or a script.

    Args:
        text: All between its tags.

    Example:
        >>> hashed("")
        '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
    """
    return b64encode(sha256(text.encode()).digest()).decode()
