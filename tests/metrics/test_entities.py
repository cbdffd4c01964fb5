import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.scheme import IOB2, Tokens

from longctx_edu.metrics import Entity, entities

# Any order of these, so most sequences break the scheme somewhere.
TAGS = ["O", "B-A", "I-A", "B-B", "I-B", "B-c-d", "I-c-d"]
sequences = st.lists(st.sampled_from(TAGS), max_size=20)


def entities_by_loops(tags):
    """Try every span: `B-X`, then only `I-X`, and no `I-X` behind it."""
    found = []
    for start in range(len(tags)):
        for stop in range(start + 1, len(tags) + 1):
            type_ = tags[start][2:]
            opens = tags[start] == f"B-{type_}"
            goes_on = all(tag == f"I-{type_}" for tag in tags[start + 1 : stop])
            ends = stop == len(tags) or tags[stop] != f"I-{type_}"
            if opens and goes_on and ends:
                found.append(Entity(start, stop, type_))
    return found


# equals the definition


@given(sequences)
def test_equals_the_definition(tags):
    assert entities(tags) == entities_by_loops(tags)


# equals seqeval


@given(sequences)
def test_equals_seqeval_strict(tags):
    theirs = Tokens(tags, scheme=IOB2, sent_id=0).entities
    assert entities(tags) == [Entity(e.start, e.end, e.tag) for e in theirs]


# properties


@given(sequences)
def test_entities_stand_in_order_and_apart(tags):
    found = entities(tags)
    assert all(a.stop <= b.start for a, b in itertools.pairwise(found))
    assert len(found) == sum(tag.startswith("B-") for tag in tags)


# edges


@pytest.mark.parametrize(
    ("tags", "wanted"),
    [
        ([], []),
        (["O"], []),
        (["B-A"], [(0, 1, "A")]),
        (["I-A"], []),
        (["B-A", "B-A"], [(0, 1, "A"), (1, 2, "A")]),
        (["B-A", "I-A"], [(0, 2, "A")]),
        (["B-A", "I-B"], [(0, 1, "A")]),  # the entity ends, and I-B opens nothing
        (["B-A", "I-B", "I-A"], [(0, 1, "A")]),
        (["B-A", "O", "I-A"], [(0, 1, "A")]),
        (["O", "I-A", "B-A"], [(2, 3, "A")]),
    ],
)
def test_edges(tags, wanted):
    assert entities(tags) == [Entity(*each) for each in wanted]


def test_types_are_any_text_behind_the_first_hyphen():
    assert entities(["B-a-b", "I-a-b"]) == [Entity(0, 2, "a-b")]


# messages; seqeval reads B- as an entity of type "_" and U-A as a plain ValueError


@pytest.mark.parametrize("tag", ["B-", "I-", "B", "PER", "U-PER", "", "b-PER", "O-PER"])
def test_refuses_a_tag_outside_iob2(tag):
    message = f"need tags O, B-TYPE or I-TYPE, got {tag!r}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        entities(["O", tag])
