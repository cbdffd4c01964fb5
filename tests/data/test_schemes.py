import pytest
from hypothesis import given
from hypothesis import strategies as st

from longctx_edu.data.columns import Layout
from longctx_edu.data.conll import read_conll
from longctx_edu.data.schemes import evidence, scheme_of, with_scheme
from longctx_edu.data.spans import spans_of
from longctx_edu.errors import DataError

LETTERS = {  # of one token; first, between, last
    "IOB2": "BBII",
    "IOB1": "IIII",
    "BIOES": "SBIE",
    "BILOU": "UBIL",
    "BMES": "SBME",
}
spans = st.lists(st.tuples(st.integers(1, 4), st.sampled_from("XY")), max_size=6)


def written(entities, scheme):
    """Write entities with a gap behind each; and what they are in IOB2."""
    one, first, between, last = LETTERS[scheme]
    tags, iob2 = [], []
    for length, type_ in entities:
        letters = one if length == 1 else first + between * (length - 2) + last
        tags += [*(f"{letter}-{type_}" for letter in letters), "O"]
        iob2 += [*(f"{'BI'[i > 0]}-{type_}" for i in range(length)), "O"]
    return tags, iob2


@given(spans, st.sampled_from(sorted(LETTERS)))
def test_entities_read_the_same_in_the_scheme_that_is_found(entities, scheme):
    from longctx_edu.data.tags import to_iob2

    tags, iob2 = written(entities, scheme)
    found = scheme_of(evidence([tags]))
    assert (found is None) == (not entities)
    assert to_iob2(tags, found or "IOB2") == iob2
    assert len(spans_of(iob2)) == len(entities)


@pytest.mark.parametrize("scheme", sorted(LETTERS))
def test_each_scheme_by_its_letters(scheme):
    tags, _ = written([(3, "X"), (1, "Y")], scheme)
    assert scheme_of(evidence([tags])) == scheme


@pytest.mark.parametrize(
    ("columns", "wanted"),
    [
        ([], None),
        ([["O", "O"]], None),
        ([["NN", "", "B-", "-X", "?"]], None),
        ([["I-X", "B-X"]], "IOB1"),  # two of a type that touch
        ([["I-X"], ["B-X"]], "IOB2"),  # a sentence ends an entity
        ([["I-X", "O", "B-X"]], "IOB2"),
        ([["B-X", "O", "B-X", "O", "S-X"]], "IOB2"),  # a slip is no scheme
        ([["B-X", "O", "S-X", "S-X"]], "BIOES"),
    ],
)
def test_tags_that_do_not_agree(columns, wanted):
    assert scheme_of(evidence(columns)) == wanted


def test_all_files_decide_together(tmp_path):
    one, two = tmp_path / "one.conll", tmp_path / "two.conll"
    one.write_text("a I-X\n")
    two.write_text("a B-X\n")
    layout = Layout()
    assert with_scheme(layout, [one], repair=False).scheme == "IOB1"
    assert with_scheme(layout, [one], repair=True).scheme == "IOB2"
    assert with_scheme(layout, [one, two], repair=False).scheme == "IOB2"
    assert with_scheme(Layout(scheme="BMES"), [one], repair=False).scheme == "BMES"
    assert read_conll(one).documents[0].tags == ("B-X",)


def test_an_entity_that_is_closed_does_not_go_on(tmp_path):
    path = tmp_path / "x.conll"
    path.write_text("a S-X\nb E-X\nc S-X\n")
    with pytest.raises(DataError, match=r"x\.conll:2: need B-X or I-X before E-X, got"):
        read_conll(path)
    assert read_conll(path, repair=True).documents[0].tags == ("B-X",) * 3
