"""What is known of the data sets that have a name."""

from dataclasses import dataclass, field
from pathlib import Path

from longctx_edu.data.columns import Layout
from longctx_edu.errors import unknown_name


@dataclass(frozen=True)
class DataSet:
    """What is known of a data set.

    Args:
        name: What the user calls it.
        description: What it holds, in one line.
        licence: Under which terms.
        types: Its entity types.
        kind: "gazette" is made on the spot, "files" are read.
        hub_id: Its name on the Hugging Face hub; None where it is not there.
        revision: The branch or commit on the hub; the main branch if None.
        layout: How its files are written.
        files: Its train, dev and test file; empty where their names tell.
        marks: Files by which its folder is known.
    """

    name: str
    description: str
    licence: str
    types: tuple[str, ...]
    kind: str = "files"
    hub_id: str | None = None
    revision: str | None = None
    layout: Layout = field(default_factory=Layout)
    files: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()


WNUT17_FILES = ("wnut17train.conll", "emerging.dev.conll", "emerging.test.annotated")
WNUT17_TYPES = (
    "corporation",
    "creative-work",
    "group",
    "location",
    "person",
    "product",
)
LITBANK_TYPES = ("FAC", "GPE", "LOC", "ORG", "PER", "VEH")
CONLL_TYPES = ("LOC", "MISC", "ORG", "PER")

CATALOGUE = {
    each.name: each
    for each in (
        DataSet(
            name="gazette",
            description="long news articles from an invented world, made on the spot",
            licence="Apache-2.0, part of this package",
            types=("LOC", "ORG", "PER", "WORK"),
            kind="gazette",
        ),
        DataSet(
            name="wnut17",
            description="rare and emerging names in short noisy posts, a text each",
            licence="CC BY 4.0; Derczynski et al. 2017",
            types=WNUT17_TYPES,
            hub_id="leondz/wnut_17",
            revision="refs/convert/parquet",
            layout=Layout(document_per_sentence=True, types=WNUT17_TYPES),
            files=WNUT17_FILES,
            marks=WNUT17_FILES,
        ),
        DataSet(
            name="litbank",
            description="100 excerpts of novels, 2,000 words each; outermost entities",
            licence="CC BY 4.0; Bamman, Popat and Shen 2019",
            types=LITBANK_TYPES,
            layout=Layout(nested=True, types=LITBANK_TYPES),
            marks=("splits/train.ids", "entities/1342_pride_and_prejudice_brat.tsv"),
        ),
        DataSet(
            name="conll2003",
            description="newswire; on the hub each sentence stands alone",
            licence="other: Reuters text, not redistributed here",
            types=CONLL_TYPES,
            hub_id="lhoestq/conll2003",
            # The first release is in IOB1; reading IOB2 as IOB1 changes nothing.
            layout=Layout(scheme="IOB1", types=CONLL_TYPES),
        ),
    )
}


def recognise(path: Path) -> DataSet | None:
    """Tell which known set a file or folder belongs to, by the names of its files.

    Args:
        path: The file or folder.
    """
    for known in CATALOGUE.values():
        if path.is_file() and path.name in known.files:
            return known
        if known.marks and all((path / mark).is_file() for mark in known.marks):
            return known
    return None


def known_set(name: str) -> DataSet:
    """Return the set of this name, or refuse the name."""
    if name not in CATALOGUE:
        raise unknown_name("data set", name, CATALOGUE)
    return CATALOGUE[name]
