import pytest
from hypothesis import given
from hypothesis import strategies as st
from page_reading import Page, document

from longctx_edu.metrics import Entity
from longctx_edu.recipes.page_text import grouped, label_html, marked, text_html
from longctx_edu.recipes.page_words import clean, gap, joined

TAGS = ["O", "B-A", "I-A", "B-B", "I-B"]
pairs = st.lists(
    st.tuples(st.sampled_from(TAGS), st.sampled_from(TAGS)), min_size=1, max_size=12
)


def shown(pairs):
    words = " ".join(f"w{n}" for n in range(len(pairs)))
    gold = " ".join(g for g, _ in pairs)
    return marked(3, document(words, gold), [p for _, p in pairs])


# words


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("</script><b>", "&lt;/script&gt;&lt;b&gt;"),
        ("&amp; \"'", "&amp;amp; &quot;&#x27;"),
        ("a\x00b\x1bc\x85", "a\ufffdb\ufffdc\ufffd"),
        ("half \ud83d", "half \ufffd"),
        ("𝒜da 😀", "𝒜da 😀"),
        ("<" * 100, "&lt;" * 59 + "…"),
    ],
)
def test_words_as_they_may_stand(text, wanted):
    assert clean(text) == wanted
    clean(text).encode("utf-8")


@pytest.mark.parametrize(
    ("left", "right", "wanted"),
    [
        ("Ada", "sings", " "),
        ("北", "京", ""),
        ("京", "。", ""),
        ("カ", "タ", ""),
        ("𠀀", "京", ""),
        ("京", "GDP", " "),
        ("서울", "시", " "),
        ("אדה", "שרה", " "),
        ("", "京", " "),
    ],
)
def test_blanks_between_words(left, right, wanted):
    assert gap(left, right) == wanted


def test_words_together():
    assert joined(["a", "<b>", "北", "京"]) == "a &lt;b&gt; 北京"
    assert joined([]) == ""


# marks


def test_marks_by_hand():
    gold, said = "B-PER I-PER O B-LOC", ["B-PER", "O", "O", "B-LOC"]
    one = marked(7, document("Ada Byron saw Rome", gold), said)
    boundary = '<small class="no" lang="en" dir="ltr">✗ boundary <bdi>PER</bdi></small>'
    right = '<small class="ok" lang="en" dir="ltr">✓ <bdi>LOC</bdi></small>'
    assert text_html(one, 0, 4, anchors=[0], here=range(2)) == (
        '<span id="d7w0" class="g p h">Ada</span><span class="g h"> Byron</span>'
        f'{boundary} saw <span class="g p">Rome</span>{right}'
    )


def test_neighbours_of_one_type_stay_two():
    one = marked(0, document("a b", "B-A B-A"), ["B-A", "I-A"])
    page = Page(text_html(one, 0, 2))
    assert page.marked["g"] == ["a", "b"]
    assert page.marked["p"] == ["a", " ", "b"]


@given(pairs)
def test_no_word_is_lost_and_what_is_marked_is_an_entity(pairs):
    one, n = shown(pairs), len(pairs)
    page = Page(text_html(one, 0, n))
    words = one.document.tokens
    assert page.text == " ".join(words)
    for name, at in (("g", one.gold_at), ("p", one.said_at)):
        inside = [
            word for word, entity in zip(words, at, strict=True) if entity is not None
        ]
        assert " ".join(page.marked.get(name, [])).split() == inside
    wrong = [label for label in page.labels if label.startswith("✗")]
    assert len(page.labels) == len(one.groups)
    assert bool(wrong) == bool(one.mistakes)


@given(pairs, st.data())
def test_a_part_is_a_part(pairs, data):
    one = shown(pairs)
    start = data.draw(st.integers(0, len(pairs) - 1))
    stop = data.draw(st.integers(start + 1, len(pairs)))
    page = Page(text_html(one, start, stop))
    assert page.text == " ".join(one.document.tokens[start:stop])
    touched = [
        group
        for group in one.groups
        if any(e.start < stop and e.stop > start for e in (*group[0], *group[1]))
    ]
    assert len(page.labels) >= len(touched)


@given(pairs)
def test_every_mistake_can_be_jumped_to(pairs):
    one = shown(pairs)
    anchors = {mistake.place.start for mistake in one.mistakes}
    page = Page(text_html(one, 0, len(pairs), anchors=anchors))
    ids = [span["id"] for span in page.all("span") if "id" in span]
    assert ids == [f"d3w{place}" for place in sorted(anchors)]


def test_groups_are_what_overlaps():
    a, b, c = Entity(0, 2, "A"), Entity(1, 3, "B"), Entity(3, 4, "A")
    assert grouped([a, c], [b]) == [([a], [b]), ([c], [])]
    assert grouped([], []) == []


@pytest.mark.parametrize(
    ("gold", "said", "wanted"),
    [
        ([Entity(0, 1, "A")], [Entity(0, 1, "A")], "✓ A"),
        ([Entity(0, 1, "A")], [], "✗ missed A"),
        ([], [Entity(0, 1, "<b>")], "✗ spurious <b>"),
        ([Entity(0, 1, "A")], [Entity(0, 1, "B")], "✗ gold A, predicted B"),
        ([Entity(0, 2, "A")], [Entity(0, 1, "A")], "✗ boundary A"),
        (
            [Entity(n, n + 1, "A") for n in range(6)],
            [Entity(0, 6, "B")],
            "✗ gold A + A + A + A + 2 more, predicted B",
        ),
    ],
)
def test_labels(gold, said, wanted):
    assert Page(label_html(gold, said)).labels == [wanted]
