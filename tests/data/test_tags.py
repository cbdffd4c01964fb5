import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longctx_edu.data.spans import outermost, spans_of
from longctx_edu.data.tags import (
    check_tags,
    repair_tags,
    stray,
    strays,
    to_iob2,
    valid_iob2,
)
from longctx_edu.errors import DataError, UserError
from longctx_edu.metrics import Entity, entities

TYPES = ["A", "B-b"]
TAGS = ["O", *(f"{prefix}-{type_}" for prefix in "BI" for type_ in TYPES)]
any_tags = st.lists(st.sampled_from(TAGS), max_size=15)


def made_valid(tags):
    """Open an entity wherever one would go on that is not open."""
    valid = []
    for tag in tags:
        goes_on = valid and valid[-1][1:] == tag[1:]
        valid.append(tag if tag[0] != "I" or goes_on else f"B{tag[1:]}")
    return valid


valid_tags = any_tags.map(made_valid)


def write(spans, n_tokens, scheme):
    """Write entities in a scheme, from what the scheme says of each token."""
    tags = ["O"] * n_tokens
    for start, stop, type_ in spans:
        touches = start > 0 and tags[start - 1][1:] == f"-{type_}"
        for token in range(start, stop):
            first, last = token == start, token == stop - 1
            prefix = "B" if first else "I"
            if scheme == "IOB1":
                prefix = "B" if first and touches else "I"
            if scheme in ("BIOES", "BILOU") and last:
                prefix = "SU"[scheme == "BILOU"] if first else "EL"[scheme == "BILOU"]
            tags[token] = f"{prefix}-{type_}"
    return tags


# equals the definition


@given(valid_tags, st.sampled_from(["IOB1", "IOB2", "BIOES", "BILOU"]))
def test_each_scheme_turns_into_iob2(tags, scheme):
    written = write(spans_of(tags), len(tags), scheme)
    lines = list(range(1, len(tags) + 1))
    assert to_iob2(written, scheme) == tags
    assert valid_iob2(written, path="x", lines=lines, scheme=scheme) == (tags, 0)


@given(valid_tags)
def test_reading_iob2_as_iob1_changes_nothing(tags):
    assert to_iob2(tags, "IOB1") == tags


@given(valid_tags)
def test_spans_are_the_entities_of_the_strict_reading(tags):
    assert [Entity(*span) for span in spans_of(tags)] == entities(tags)


def outermost_by_loops(columns):
    """Take the longest entity that is left, drop those that overlap it, repeat."""
    left = [
        (span[0] - span[1], span[0], column, span)
        for column, tags in enumerate(columns)
        for span in spans_of(tags)
    ]
    kept = []
    while left:
        best = min(left)[3]
        kept.append(best)
        left = [e for e in left if e[3][1] <= best[0] or best[1] <= e[3][0]]
    return sorted(kept)


@st.composite
def layers(draw):
    n = draw(st.integers(0, 12))
    column = st.lists(st.sampled_from(TAGS), min_size=n, max_size=n)
    return draw(st.lists(column.map(made_valid), min_size=1, max_size=4))


@given(layers())
def test_outermost_equals_loops(columns):
    flat = outermost(columns)
    assert spans_of(flat) == outermost_by_loops(columns)
    assert stray(flat) is None


# properties


@given(any_tags)
def test_repair_leaves_nothing_stray_and_changes_only_prefixes(tags):
    repaired, n_repaired = repair_tags(tags)
    assert repaired == made_valid(tags)
    assert stray(repaired) is None
    changed = [(a, b) for a, b in zip(tags, repaired, strict=True) if a != b]
    assert len(changed) == n_repaired
    assert all(a == f"I{b[1:]}" and b[0] == "B" for a, b in changed)
    assert (n_repaired == 0) == (stray(tags) is None)
    assert repair_tags(repaired) == (repaired, 0)


@given(valid_tags)
def test_one_layer_is_its_own_outermost(tags):
    assert outermost([tags]) == tags


# edges


def test_outermost_by_hand():
    inner = ["O", "O", "B-LOC", "O"]
    outer = ["B-PER", "I-PER", "I-PER", "O"]
    assert outermost([inner, outer]) == outer
    assert outermost([outer, inner]) == outer


def test_of_two_as_long_the_earlier_stays_and_the_earlier_column():
    assert outermost([["O", "B-A", "I-A"], ["B-B", "I-B", "O"]]) == ["B-B", "I-B", "O"]
    assert outermost([["B-A"], ["B-B"]]) == ["B-A"]


def test_repair_by_hand():
    tags = ["I-A", "I-A", "O", "I-A", "B-A", "I-B"]
    assert repair_tags(tags) == (["B-A", "I-A", "O", "B-A", "B-A", "B-B"], 3)


def test_no_tags():
    assert repair_tags([]) == ([], 0)
    assert outermost([[]]) == []
    assert stray([]) is None


def test_repaired_tags_are_counted():
    tags = ["I-A", "O", "E-A"]
    came = valid_iob2(tags, path="x", lines=[1, 2, 3], scheme="BIOES", repair=True)
    assert came == (["B-A", "O", "B-A"], 2)


def test_what_is_closed_does_not_go_on():
    assert strays(["B-A", "E-A", "I-A", "E-A", "S-A", "E-A"]) == [2, 5]
    assert strays(["U-A", "L-A", "B-B", "M-B", "E-B"]) == [1]
    assert strays([]) == []


def test_every_mistake_is_reported_and_none_twice():
    found = []
    tags = ["X-A", "I-A", "I-C", "I-A", "O", "I-A", "I-A", "", "E-A"]
    lines = range(1, 10)
    came = valid_iob2(tags, path="x", lines=lines, types=["A"], report=found.append)
    assert [(error.line, error.kind) for error in found] == [
        (1, "tag"),
        (3, "type"),
        (8, "tag"),
        (9, "tag"),
        (6, "order"),
    ]
    wanted = ["O", "B-A", "O", "B-A", "O", "B-A", "I-A", "O", "O"]
    assert came == (wanted, 1)


# messages


@pytest.mark.parametrize(
    ("scheme", "tag", "wanted"),
    [
        ("IOB2", "X-A", "O, B-TYPE or I-TYPE"),
        ("IOB2", "S-A", "O, B-TYPE or I-TYPE"),
        ("IOB2", "B-", "O, B-TYPE or I-TYPE"),
        ("IOB2", "B", "O, B-TYPE or I-TYPE"),
        ("IOB2", "BI-A", "O, B-TYPE or I-TYPE"),
        ("IOB2", "", "O, B-TYPE or I-TYPE"),
        ("IOB2", "-A", "O, B-TYPE or I-TYPE"),
        ("IOB2", "o", "O, B-TYPE or I-TYPE"),
        ("IOB1", "E-A", "O, B-TYPE or I-TYPE"),
        ("BIOES", "L-A", "O, B-TYPE, I-TYPE, E-TYPE or S-TYPE"),
        ("BILOU", "S-A", "O, B-TYPE, I-TYPE, L-TYPE or U-TYPE"),
    ],
)
def test_refuses_a_tag_outside_the_scheme(scheme, tag, wanted):
    message = f"a.conll:8: need {wanted}, got {tag!r}"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        check_tags(["O", tag], path="a.conll", lines=[7, 8], scheme=scheme)


def test_refuses_an_unknown_type():
    message = (
        "a.conll:8: need one of the types LOC, PER, got 'B-PRE'; did you mean B-PER?"
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        check_tags(
            ["B-PER", "B-PRE"], path="a.conll", lines=[7, 8], types=["LOC", "PER"]
        )


@pytest.mark.parametrize(
    ("tags", "line", "before"),
    [
        (["I-PER"], 7, "nothing"),
        (["O", "I-PER"], 8, "'O'"),
        (["B-LOC", "I-PER"], 8, "'B-LOC'"),
        (["B-PER", "I-LOC", "I-PER"], 8, "'B-PER'"),
    ],
)
def test_refuses_an_inside_tag_after_nothing(tags, line, before):
    stray_type = tags[line - 7][2:]
    message = (
        f"a.conll:{line}: need B-{stray_type} or I-{stray_type} before I-{stray_type}, "
        f"got {before}; correct it, or read it as B-{stray_type} with --repair "
        "(repair=True)"
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        valid_iob2(tags, path="a.conll", lines=[7, 8, 9][: len(tags)])


@pytest.mark.parametrize(
    "call",
    [
        lambda: to_iob2(["O"], "IOB"),
        lambda: check_tags(["O"], path="x", lines=[1], scheme="IOB"),
    ],
)
def test_refuses_an_unknown_scheme(call):
    message = "unknown tag scheme 'IOB': did you mean IOB"
    with pytest.raises(UserError, match=f"^{re.escape(message)}"):
        call()


@pytest.mark.parametrize(
    ("columns", "lengths"), [([], "[]"), ([["O"], ["O", "O"]], "[1, 2]")]
)
def test_refuses_columns_of_different_lengths(columns, lengths):
    message = f"need columns of one length, got lengths {lengths}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        outermost(columns)
