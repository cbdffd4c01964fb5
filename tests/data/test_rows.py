import re

import datasets
import pytest
from datasets import ClassLabel, Dataset, Features, Value

from longctx_edu.data.rows import read_rows
from longctx_edu.errors import DataError, UserError

LABELS = ["O", "B-PER", "I-PER"]
ROW = {"tokens": ["Ada", "sings"], "ner_tags": [1, 0]}


def table(rows, labels=LABELS):
    features = Features(
        tokens=datasets.Sequence(Value("string")),
        ner_tags=datasets.Sequence(ClassLabel(names=labels)),
    )
    for column in rows[0].keys() - features.keys():
        features[column] = Value("int64")
    return Dataset.from_list(rows, features=features)


def splits(rows, other=ROW):
    """Put the rows into train, beside one row each in the others."""
    other = {**dict.fromkeys(rows[0], 0), **other}
    return {"train": table(rows), "validation": table([other]), "test": table([other])}


def test_each_row_is_a_document_on_its_own():
    came = read_rows(splits([ROW, {"tokens": ["Bo"], "ner_tags": [1]}]), "x")
    assert [d.tokens for d in came.train] == [("Ada", "sings"), ("Bo",)]
    assert [d.tags for d in came.train] == [("B-PER", "O"), ("B-PER",)]
    assert [d.name for d in came.train] == ["x/train#1", "x/train#2"]
    assert came.dev[0].name == "x/validation#1"
    assert (came.types, came.note) == (
        ("PER",),
        "train: train, dev: validation, test: test",
    )


def test_rows_with_one_document_id_belong_together():
    rows = [{**ROW, "document_id": n} for n in (4, 4, 9)]
    came = read_rows(splits(rows), "x").train
    assert [(len(d), d.sentence_starts) for d in came] == [(4, (0, 2)), (2, (0,))]


def test_marks_part_documents():
    mark = {"tokens": ["-DOCSTART-"], "ner_tags": [0]}
    came = read_rows(splits([mark, ROW, ROW, mark, ROW]), "x").train
    assert [(len(d), d.sentence_starts) for d in came] == [(4, (0, 2)), (2, (0,))]


def test_rows_without_words_stay_out():
    came = read_rows(splits([ROW, {"tokens": [], "ner_tags": []}]), "x").train
    assert len(came) == 1


def test_tags_may_be_text_in_other_columns():
    data = Dataset.from_dict({"words": [["Ada"]], "labels": [["B-PER"]]})
    came = read_rows({"train": data, "dev": data, "test": data}, "x")
    assert came.train[0].tags == ("B-PER",)


def test_repaired_tags_are_counted():
    rows = [{"tokens": ["a", "b"], "ner_tags": [2, 2]}]
    came = read_rows(splits(rows), "x", repair=True)
    assert came.n_repaired == 1 and came.train[0].tags == ("B-PER", "I-PER")


# messages


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            {"train": table([ROW])},
            "need the splits train, validation and test in x, got train",
        ),
        (
            dict.fromkeys(("train", "dev", "test"), Dataset.from_dict({"text": ["a"]})),
            "need the columns tokens and ner_tags in x/train, got text",
        ),
        (
            dict.fromkeys(
                ("train", "dev", "test"),
                Dataset.from_dict({"tokens": [["a"]], "tags": [[1]]}),
            ),
            "need tags with names in x/train, got numbers without names",
        ),
    ],
)
def test_refuses_a_data_set_of_another_kind(data, message):
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        read_rows(data, "x")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"tokens": ["a", "b"], "ner_tags": [0]},
            "x/train:2: need one tag a token, got 2 tokens and 1 tags",
        ),
        (
            {"tokens": ["a"], "ner_tags": [2]},
            "x/train:2: need B-PER or I-PER before I-PER, got nothing; correct it, or "
            "read it as B-PER with --repair (repair=True)",
        ),
    ],
)
def test_refuses_a_row_with_its_number(row, message):
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        read_rows(splits([ROW, row]), "x")


def test_refuses_a_type_that_is_not_known():
    message = "x/train:1: need one of the types LOC, got 'B-PER'"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        read_rows(splits([ROW]), "x", types=("LOC",))
