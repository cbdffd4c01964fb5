"""Check one file after the other, with the readers that training uses."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from longctx_edu.data.columns import DOCUMENT_MARK, Layout, Sentence, sentences_of
from longctx_edu.data.conll import Loaded, documents_of, grouped
from longctx_edu.data.documents import Document
from longctx_edu.data.files import decoded
from longctx_edu.data.findings import Findings
from longctx_edu.data.schemes import filled_scheme, scheme_of, tag_evidence

LONG_SENTENCE = 1000
"""Words; where a sentence has more, the ends of sentences may not be marked."""

Places = dict[int, tuple[Path, int]]
"""File and first line of each document, by its `id`."""


@dataclass
class FileCheck:
    """Reads files and notes what is wrong in them.

    Args:
        layout: How the files are written; `find_scheme` fills in the scheme.
        repair: Read an `I-` that continues nothing as `B-`, and count it.
        long_sentence: Words above which a sentence is pointed at.
        findings: Where to note what is wrong.
        places: Where each document stands, once it is read.
    """

    layout: Layout
    repair: bool
    long_sentence: int
    findings: Findings
    places: Places = field(default_factory=dict)

    def find_scheme(self, files: list[Path]) -> None:
        """Find out the scheme of the tags, and point at files that have another.

        Args:
            files: All files of the set.
        """
        count = {file: tag_evidence(file, self.layout) for file in files}
        asked = self.layout.scheme
        every = sum(count.values(), start=Counter())
        self.layout = filled_scheme(self.layout, every, repair=self.repair)
        scheme = self.layout.scheme
        same = {scheme, None}
        if self.repair or scheme == "IOB1":  # which reads IOB2 as it stands
            same |= {"IOB1", "IOB2"} if scheme in ("IOB1", "IOB2") else set()
        whose = "that was asked for" if asked else "of all files together"
        for file, own in count.items():
            if scheme_of(own) not in same:
                message = f"need the tag scheme {scheme} {whose}, got {scheme_of(own)}"
                self.findings.add("error", "scheme", message, file)
            elif scheme not in ("IOB1", "IOB2") and own["open"]:
                message = (
                    f"need each entity closed, as {scheme} asks, got {own['open']} "
                    "that are not: they are read as they stand"
                )
                self.findings.add("warning", "scheme", message, file)

    def read(self, file: Path) -> Loaded:
        """Read a file to its end.

        Args:
            file: Its path.
        """
        report = self.findings.report
        sentences = list(sentences_of(file, self.layout, report=report))
        self.point_at_long(file, sentences)
        for line in empty_documents(decoded(file, report=lambda error: None)):
            message = "a document mark with no token behind it: it stays out"
            self.findings.add("warning", "empty", message, file, line)
        groups = list(grouped(sentences, self.layout))
        loaded = documents_of(
            groups, file, self.layout, repair=self.repair, report=report
        )
        for group, document in zip(groups, loaded.documents, strict=True):
            self.places[id(document)] = (file, group[0].lines[0])
        return loaded

    def point_at_long(self, file: Path, sentences: list[Sentence]) -> None:
        """Note sentences that are too long to be one."""
        for sentence in sentences:
            n = len(sentence.tokens)
            if n > self.long_sentence:
                message = (
                    f"need a blank line behind each sentence, got one of {n:,} words "
                    f"(more than {self.long_sentence:,})"
                )
                self.findings.add("warning", "long", message, file, sentence.lines[0])

    def point_at_one_document(self, file: Path, documents: list[Document]) -> None:
        """Note a split that is one file and one document, for want of marks."""
        if len(documents) != 1 or len(documents[0].sentence_starts) < 2:
            return
        (document,) = documents
        message = (
            f"the file is one document of {len(document):,} words, as no second "
            f"{DOCUMENT_MARK} mark parts it; if its sentences are texts on their own, "
            "say --document-per-sentence"
        )
        self.findings.add("note", "marks", message, file)


def empty_documents(text: str) -> list[int]:
    r"""Find the document marks with no token behind them.

    Args:
        text: What the file holds.

    Returns:
        Their lines, counted from 1.

    Example:
        >>> empty_documents("-DOCSTART- O\n\n-DOCSTART- O\n\nAda B-PER\n")
        [1]
    """
    found, mark = [], 0
    for line, row in enumerate(text.split("\n"), start=1):
        if row.startswith(DOCUMENT_MARK):
            found += [mark] * bool(mark)
            mark = line
        elif row.strip():
            mark = 0
    return found + [mark] * bool(mark)
