import subprocess
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from longctx_edu.data.documents import Document
from longctx_edu.data.text import N_FEATURES, tokenize, word_features, word_shape

FORM, AGAIN, END, SHAPE = range(N_FEATURES)


@given(st.text())
def test_words_are_slices_of_the_text_and_miss_only_space(text):
    words = tokenize(text)
    assert all(text[word.start : word.stop] == word.text for word in words)
    ends = [word.stop for word in words]
    starts = [word.start for word in words]
    assert all(start < stop for start, stop in zip(starts, ends, strict=True))
    gaps = zip([0, *ends], [*starts, len(text)], strict=True)
    assert all(not text[stop:start].strip() for stop, start in gaps)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("   \n\t", []),
        ("Ada's boat", ["Ada", "'s", "boat"]),
        ("Ada’s boat", ["Ada", "’s", "boat"]),
        ("at 3:30, 1,200.5 tons", ["at", "3:30", ",", "1,200.5", "tons"]),
        ("well-known U.S. firm", ["well-known", "U.S.", "firm"]),
        ("São Tomé – Zürich", ["São", "Tomé", "–", "Zürich"]),
        ("“Yes”", ["“", "Yes", "”"]),
    ],
)
def test_words_of_known_texts(text, words):
    assert [word.text for word in tokenize(text)] == words


def test_the_same_word_has_the_same_features_wherever_it_stands():
    rows = word_features(["said", "Marlow", "to", "Marlow"], n_buckets=16384)
    assert torch.equal(rows[1], rows[3])


def test_another_word_has_another_form():
    rows = word_features(["x", "Marlow", "Harlow"], n_buckets=16384)
    assert rows[1, FORM] != rows[2, FORM]
    assert rows[1, AGAIN] != rows[2, AGAIN]
    assert rows[1, END] == rows[2, END]
    assert rows[1, SHAPE] == rows[2, SHAPE]


@pytest.mark.parametrize("before", ["", ".", "!", "?", ":", "“"])
def test_a_capital_tells_nothing_where_a_sentence_opens(before):
    first = word_features([before, "Marlow"], n_buckets=4096)[1]
    inside = word_features(["and", "Marlow"], n_buckets=4096)[1]
    assert (first == inside).tolist() == [True, True, True, False]


def test_a_small_letter_is_one_wherever_it_stands():
    opening, inside = word_features([".", "so", "so"], n_buckets=4096)[1:]
    assert torch.equal(opening, inside)


def test_rows_lie_inside_the_table():
    rows = word_features([str(n) for n in range(500)], n_buckets=64)
    assert rows.min() >= 0
    assert rows.max() < 64


def test_no_words_have_no_rows():
    assert word_features([], n_buckets=64).shape == (0, N_FEATURES)


def test_features_are_the_same_in_every_process():
    code = (
        "from longctx_edu.data.text import word_features as f;"
        "print(f(['Ada', 'sings', '.'], n_buckets=4096).tolist())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    here = word_features(["Ada", "sings", "."], n_buckets=4096).tolist()
    assert outputs == {f"{here}\n"}


def test_a_table_of_few_rows_is_refused():
    with pytest.raises(ValueError, match="need n_buckets >= 64, got 63"):
        word_features(["a"], n_buckets=63)


@pytest.mark.parametrize(
    ("word", "shape"),
    [("", ""), ("NATO", "XX"), ("Ada", "Xxx"), ("1,200", "9,99"), ("—", "—")],
)
def test_shapes(word, shape):
    assert word_shape(word) == shape


def test_a_document_needs_a_tag_a_word():
    with pytest.raises(ValueError, match="got 2 tokens and 1 tags"):
        Document("d", ("a", "b"), ("O",), (0,))
