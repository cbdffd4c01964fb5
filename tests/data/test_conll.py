import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from longctx_edu.data.columns import Layout
from longctx_edu.data.conll import Loaded, read_conll, read_folder
from longctx_edu.data.documents import Document
from longctx_edu.data.tags import repair_tags
from longctx_edu.errors import DataError, UserError
from longctx_edu.metrics import entities

TAGS = ["O", "B-A", "I-A", "B-B", "I-B"]
word = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Z"]), min_size=1, max_size=5
).filter(lambda text: not text.startswith(("-DOC", "\ufeff")))
sentence = st.lists(st.tuples(word, st.sampled_from(TAGS)), min_size=1, max_size=6)
documents = st.lists(st.lists(sentence, min_size=1, max_size=3), min_size=1, max_size=3)


@pytest.fixture
def file(tmp_path):
    """Return a function that writes a file and returns its path."""

    def write(content, name="x.conll"):
        path = tmp_path / name
        path.write_text(content, encoding="utf-8", newline="")
        return path

    return write


# reading undoes writing


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents, st.sampled_from(["\t", " "]), st.sampled_from(["\n", "\r\n"]))
def test_reads_what_was_written(file, texts, gap, end):
    lines, wanted, n_repaired = [], [], 0
    for text in texts:
        lines += [f"-DOCSTART-{gap}O", ""]
        tokens, tags, starts = [], [], []
        for rows in text:
            starts.append(len(tokens))
            tokens += [token for token, _ in rows]
            good, n = repair_tags([tag for _, tag in rows])
            tags, n_repaired = tags + good, n_repaired + n
            lines += [*(gap.join(row) for row in rows), ""]
        name = f"x.conll#{len(wanted) + 1}" if len(texts) > 1 else "x.conll"
        wanted.append(Document(name, tuple(tokens), tuple(tags), tuple(starts)))
    assert read_conll(file(end.join(lines)), repair=True) == Loaded(wanted, n_repaired)


# real files


@pytest.mark.parametrize(
    ("name", "n_sentences", "n_tokens", "n_entities"),
    [
        ("wnut17train.conll", 3394, 62730, 1975),
        ("emerging.dev.conll", 1009, 15733, 836),
        ("emerging.test.annotated", 1287, 23394, 1079),
    ],
)
def test_wnut17_holds_what_its_paper_counts(
    real_data, name, n_sentences, n_tokens, n_entities
):
    path = real_data("wnut17") / name
    loaded = read_conll(path, Layout(document_per_sentence=True))
    assert len(loaded.documents) == n_sentences
    assert sum(map(len, loaded.documents)) == n_tokens
    assert sum(len(entities(d.tags)) for d in loaded.documents) == n_entities
    assert loaded.n_repaired == 0
    (whole,) = read_conll(path).documents
    assert len(whole) == n_tokens and len(whole.sentence_starts) == n_sentences


def test_litbank_holds_its_outermost_spans(real_data):
    folder = real_data("litbank") / "entities"
    loaded = read_folder(folder, Layout(nested=True))
    lengths = [len(document) for document in loaded.documents]
    assert (len(lengths), sum(lengths)) == (100, 210_532)
    assert (min(lengths), max(lengths)) == (1999, 3419)
    assert sum(len(entities(d.tags)) for d in loaded.documents) == 11_769


def test_litbank_has_more_spans_in_its_layers(real_data):
    n_spans = 0
    for path in sorted((real_data("litbank") / "entities").iterdir()):
        for column in range(1, 6):
            rows = [line.split("\t") for line in path.read_text("utf-8").split("\n")]
            tags = [row[column] if len(row) > column else "O" for row in rows]
            n_spans += len(entities([tag or "O" for tag in tags]))
    assert n_spans == 13_912


# documents and sentences


def test_without_marks_the_file_is_one_document(file):
    (document,) = read_conll(file("a O\nb B-X\n\nc I-X\n"), repair=True).documents
    assert document == Document("x.conll", ("a", "b", "c"), ("O", "B-X", "B-X"), (0, 2))


def test_marks_part_documents_and_empty_ones_stay_out(file):
    content = "a O\n-DOCSTART-\n\n-DOCSTART- (3) X\n\nb O\n-DOCSTART-\n"
    documents = read_conll(file(content)).documents
    assert [(d.name, d.tokens) for d in documents] == [
        ("x.conll#1", ("a",)),
        ("x.conll#2", ("b",)),
    ]


def test_posts_are_a_document_each(file):
    path = file("a O\nb O\n\nc O\n")
    documents = read_conll(path, Layout(document_per_sentence=True)).documents
    assert [(d.tokens, d.sentence_starts) for d in documents] == [
        (("a", "b"), (0,)),
        (("c",), (0,)),
    ]


def test_nested_columns_give_the_outermost_entities(file):
    content = "the\tO\tB-PER\nking\tO\tI-PER\nof\tO\tI-PER\nRome\tB-GPE\tI-PER\n"
    (document,) = read_conll(file(content), Layout(nested=True)).documents
    assert document.tags == ("B-PER", "I-PER", "I-PER", "I-PER")


def test_a_line_with_fewer_layers_is_outside_the_others(file):
    content = "a\tB-X\tB-Y\nb\tI-X\nc\tO\tB-Y\n"
    (document,) = read_conll(file(content), Layout(nested=True)).documents
    assert document.tags == ("B-X", "I-X", "B-Y")


def test_other_schemes(file):
    path = file("a I-X\nb B-X\nc I-X\n")
    assert read_conll(path, Layout(scheme="IOB1")) == Loaded(
        [Document("x.conll", ("a", "b", "c"), ("B-X", "B-X", "I-X"), (0,))]
    )


def test_an_entity_ends_with_its_sentence(file):
    assert read_conll(file("a B-X\n\nb I-X\n"), repair=True).n_repaired == 1


def test_a_folder_has_a_document_a_file(file, tmp_path):
    file("b O\n", "b.tsv")
    file("a I-X\n", "a.tsv")
    file("no data", "README.md")
    loaded = read_folder(tmp_path, repair=True)
    assert [d.name for d in loaded.documents] == ["a.tsv", "b.tsv"]
    assert loaded.n_repaired == 1


# messages


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", ": need some text, got an empty file"),
        ("-DOCSTART- O\n\n", ": need at least one token with its tag, got none"),
        ("a O\nb\n", ":2: need at least 2 columns (token and tag), got 1: 'b'"),
        ("a O\n\nb NN\n", ":3: need O, B-TYPE or I-TYPE, got 'NN'"),
        (
            "a B-X\n\nb I-X\n",
            ":3: need B-X or I-X before I-X, got nothing; correct it, or read it as "
            "B-X with --repair (repair=True)",
        ),
    ],
)
def test_messages(file, content, message):
    path = file(content)
    with pytest.raises(DataError, match=f"^{re.escape(f'{path}{message}')}$"):
        read_conll(path)


def test_refuses_a_type_that_is_not_in_the_layout(file):
    path = file("a B-PRE\n")
    message = f"{path}:1: need one of the types PER, got 'B-PRE'; did you mean B-PER?"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        read_conll(path, Layout(types=("PER",)))


def test_refuses_a_path_that_does_not_exist(tmp_path):
    for read in (read_conll, read_folder):
        with pytest.raises(UserError, match=r"^need a file or folder that exists"):
            read(tmp_path / "nothing")
