import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longctx_edu.data.conll import Loaded
from longctx_edu.data.cut import Splits, cut, splits_of
from longctx_edu.data.documents import Document
from longctx_edu.errors import UserError


def documents(n):
    return [Document(f"d{i}", (f"w{i}",), ("B-X",), (0,)) for i in range(n)]


@given(st.integers(3, 200), st.booleans())
def test_every_document_is_in_one_part_and_no_part_is_empty(n, by_name):
    splits = cut("x", Loaded(documents(n), 2), by_name=by_name)
    parts = (splits.train, splits.dev, splits.test)
    names = [document.name for part in parts for document in part]
    assert sorted(names) == sorted(document.name for document in documents(n))
    assert len(splits.dev) == len(splits.test) == max(1, round(n / 10))
    assert len(splits.train) >= 1 and splits.n_repaired == 2


def test_documents_of_a_file_stay_in_their_order():
    splits = cut("x", Loaded(documents(20)))
    assert splits.train == documents(20)[:16]
    assert splits.dev == documents(20)[16:18]
    assert splits.note == "20 documents cut 80/10/10 in their order"


def test_files_of_a_folder_are_ordered_by_a_hash_and_not_by_their_order():
    there, back = documents(30), documents(30)[::-1]
    splits = cut("x", Loaded(there), by_name=True)
    assert splits == cut("x", Loaded(back), by_name=True)
    assert splits.train != there[:24]
    assert splits.note == ("30 documents cut 80/10/10 ordered by a hash of their names")


def test_the_order_is_the_same_in_every_process():
    splits = cut("x", Loaded(documents(30)), by_name=True)
    assert [d.name for d in splits.dev] == ["d19", "d2", "d9"]
    assert [d.name for d in splits.test] == ["d3", "d28", "d21"]


def test_one_document_is_cut_between_its_sentences():
    tokens, tags = tuple("abcdef"), ("B-X", "I-X", "O", "B-X", "O", "O")
    whole = Document("d", tokens, tags, (0, 2, 3, 5))
    splits = cut("d", Loaded([whole]))
    assert splits.train == [Document("d#train", ("a", "b", "c"), tags[:3], (0, 2))]
    assert splits.dev == [Document("d#dev", ("d", "e"), tags[3:5], (0,))]
    assert splits.test == [Document("d#test", ("f",), tags[5:], (0,))]
    assert splits.note == "4 sentences cut 80/10/10 in their order"


def test_types_come_from_all_parts_in_alphabetical_order():
    parts = {
        split: Loaded([Document(split, ("w",), (tag,), (0,))], 1)
        for split, tag in (("train", "B-Z"), ("dev", "O"), ("test", "B-A-b"))
    }
    splits = splits_of("x", parts, "note")
    assert splits == Splits(
        "x", *(parts[s].documents for s in parts), ("A-b", "Z"), 3, "note"
    )


# messages


@pytest.mark.parametrize(
    ("loaded", "unit"),
    [
        (Loaded(documents(2)), "documents"),
        (Loaded([Document("d", ("a", "b"), ("O", "O"), (0, 1))]), "sentences"),
    ],
)
def test_refuses_too_little_to_cut(loaded, unit):
    message = (
        f"need 3 {unit} at least to cut x into train, dev and test, got 2; "
        "hand in a folder with a file for each"
    )
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        cut("x", loaded)
