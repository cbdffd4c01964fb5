import os
import re
from itertools import pairwise

import pytest
from page_reading import Page, document, page_of

from longctx_edu.errors import UserError
from longctx_edu.metrics import MISTAKES, Entity
from longctx_edu.recipes.page_errors import near, sentence, spread, stretches
from longctx_edu.recipes.report_page import report_page, write_report_page
from longctx_edu.recipes.scores import score_documents

GOLD = "B-PER I-PER O B-LOC O B-ORG O B-PER"
SAID = ["B-PER", "O", "B-LOC", "B-ORG", "O", "B-PER", "I-PER", "O"]


@pytest.fixture
def every():
    """One document with one error of each kind."""
    return [document("Ada Byron saw Rome and Acme near Bo", GOLD)], [SAID]


# what stands on it


def test_the_page_is_whole_and_in_order(every):
    page = Page(page_of(*every, title="Named entities in a < b"))
    assert page.headings[0] == ["h1", "Named entities in a < b"]
    levels = [int(tag[1]) for tag, _ in page.headings]
    steps = pairwise(levels)
    assert all(after <= before + 1 for before, after in steps)
    assert page.all("html") == [{"lang": "en"}]
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(set(ids)) == len(ids)
    links = [a["href"] for a in page.all("a")]
    assert links
    assert {link.removeprefix("#") for link in links} <= set(ids)


def test_it_asks_nothing_of_a_network(every):
    text = page_of(*every)
    page = Page(text)
    assert not re.search(r"https?:|//|@import|url\(", text.split("<main>")[0])
    assert all("src" not in attributes for _, attributes in page.elements)
    policy = page.all("meta")[2]["content"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy


def test_each_kind_has_its_count_and_its_errors(every):
    page = Page(page_of(*every))
    kinds = [a["data-kind"] for a in page.all("section") if "data-kind" in a]
    assert kinds == list(MISTAKES)
    names = [text for tag, text in page.headings if tag == "h3"]
    assert names[:5] == [f"{kind.capitalize()} (1)" for kind in MISTAKES]
    assert len(page.all("li")) == 5


def test_an_error_says_what_was_there_and_what_was_said(every):
    text = Page(page_of(*every)).text
    assert "Gold: Rome LOC. Predicted: Rome ORG. note, word 4" in text
    assert "Gold: Ada Byron PER. Predicted: Ada PER. note, word 1" in text
    assert "Gold: Acme ORG. Predicted: Acme near PER. note, word 6" in text
    assert "Gold: Bo PER. Predicted: none. note, word 8" in text
    assert "Gold: none. Predicted: saw LOC. note, word 3" in text


def test_types_of_gold_and_of_predictions_choose(every):
    page = Page(page_of(*every))
    assert len(page.all("option")) == 4  # any, LOC, ORG, PER
    by_kind = [item["data-types"] for item in page.all("li")]
    assert by_kind == ["0 1", "2", "1 2", "2", "0"]


def test_scores_are_those_that_were_handed_in(every):
    scores = score_documents(*every)
    text = Page(page_of(*every)).text
    assert f"1 documents, 8 words, {scores['entities']} entities. F1 0.000" in text
    assert "By length of the document" in text
    assert "By what training held" not in text
    assert "By distance of the evidence" not in text


def test_what_training_held_is_shown_where_it_is_known(every):
    documents, predicted = every
    scores = score_documents(documents, predicted, known={"Rome": ["LOC"]})
    assert scores["by_novelty"]["seen"]["support"] == 1
    text = Page(report_page(documents, predicted, scores)).text
    assert "By what training held" in text


# texts of every kind


@pytest.mark.parametrize(
    "word",
    [
        "</script><script>alert(1)</script>",
        "<img/src=x/onerror=alert(1)>",
        "&lt;b&gt;",
        "\"'`",
        "-->",
        "$title",
        "]]>",
        "{{x}}",
    ],
)
def test_words_are_shown_and_never_read_as_html(word):
    name = f"n{word}"
    one = document(f"{word} sings {word}", f"B-{word} O B-A", name=name)
    text = page_of([one], [["B-A", "O", "O"]], title=word)
    page = Page(text)
    assert page.text.count(f"{word} sings {word}") == 3  # two errors, one document
    assert page.headings[0][1] == word
    assert ["h3", name] in page.headings
    tags = {"script", "img", "b"}
    assert [tag for tag, _ in page.elements if tag in tags] == ["b"] * 3 + ["script"]
    assert not any(name.startswith("on") for _, a in page.elements for name in a)


def test_right_to_left_text():
    one = document("עדה ביירון שרה ברומא", "B-PER I-PER O B-LOC")
    page = Page(page_of([one], [["B-PER", "O", "O", "B-LOC"]]))
    assert "Gold: עדה ביירון PER. Predicted: עדה PER." in page.text
    texts = [a for a in page.all("p") if a.get("class") == "text"]
    assert all((a["dir"], a["lang"]) == ("auto", "") for a in texts)
    assert all(a["dir"] == "ltr" for a in page.all("small")[2:])


def test_chinese_without_blanks():
    one = document("我 在 北 京 。", "O O B-LOC I-LOC O")
    page = Page(page_of([one], [["O", "O", "B-LOC", "O", "O"]]))
    assert "我在北京。" in page.text
    assert "Gold: 北京 LOC. Predicted: 北 LOC. note, word 3" in page.text


def test_no_error():
    one = document("Ada sings", "B-PER O")
    page = Page(page_of([one], [["B-PER", "O"]]))
    assert "No error: every prediction is right" in page.text
    assert "No document with an error." in page.text
    assert page.all("form") == page.all("li") == []


def test_no_document_and_no_word():
    assert "0 documents, 0 words, 0 entities" in Page(page_of([], [])).text
    assert "1 documents, 0 words" in Page(page_of([document("", "")], [[]])).text


# sizes


def test_a_long_document_is_shown_around_its_errors():
    n = 20_000
    tags = ["B-PER" if place in (5_000, 5_050, 19_999) else "O" for place in range(n)]
    one = document("word " * n, " ".join(tags))
    page = Page(page_of([one], [["O"] * n]))
    for left in ("4,960", "14,868"):
        assert f"… {left} words left out …" in page.text
    ids = [a["id"] for a in page.all("span") if "id" in a]
    assert ids == ["d0w5000", "d0w5050", "d0w19999"]
    assert page.text.count("word ") < 600


def test_one_entity_as_long_as_its_document():
    n = 5_000
    one = document("word " * n, "B-A " + "O B-A " * (n // 2 - 1) + "O")
    text = page_of([one], [["B-A"] + ["I-A"] * (n - 1)])
    assert "(5,000 words)" in text
    assert len(text) < 600_000


def test_many_errors_are_spread_over_the_documents():
    documents = [document("Ada sings", "B-PER O", name=f"n{n}") for n in range(1000)]
    text = page_of(documents, [["O", "O"]] * 1000)
    page = Page(text)
    assert "Missed (1,000)" in [text for _, text in page.headings]
    assert "Listed are 200, spread evenly over the documents." in page.text
    assert len(page.all("li")) == 200
    assert "n995" in page.text
    assert len(text) < 200_000


def test_spread_takes_all_that_fit():
    assert spread([1, 2, 3], 3) == [1, 2, 3]
    assert spread(list(range(10)), 4) == [0, 2, 5, 7]


# the words that are shown


def test_a_sentence_holds_its_entity():
    one = document("a b c d e f", "O O O O O O", starts=(0, 2, 4))
    assert sentence(one, Entity(2, 3, "A")) == (2, 4)
    assert sentence(one, Entity(3, 5, "A")) == (2, 6)
    assert sentence(one, Entity(5, 6, "A")) == (4, 6)
    assert sentence(document("a b", "O O", starts=()), Entity(1, 2, "A")) == (0, 2)
    long = document("a " * 500, "O " * 500)
    assert sentence(long, Entity(100, 101, "A")) == (75, 126)


def test_stretches_cover_each_place_and_do_not_touch():
    places = [Entity(n, n + 2, "A") for n in (10, 130, 200, 900)]
    assert stretches(places, 1000) == [(0, 52), (90, 242), (860, 942)]
    assert stretches(places[:1], 120) == [(0, 120)]
    assert near(Entity(0, 1, "A"), 2, 2) == (0, 2)


# messages


def test_predictions_that_do_not_match(every):
    documents, predicted = every
    scores = score_documents(documents, predicted)
    with pytest.raises(ValueError, match=r"got 0 predicted and 1 gold$"):
        report_page(documents, [], scores)
    with pytest.raises(ValueError, match="got 1 predicted and 8 gold"):
        report_page(documents, [["O"]], scores)


def test_a_full_disk(every, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(UserError, match=r"cannot write .*a\.html: No space left"):
        write_report_page(tmp_path / "a.html", *every, score_documents(*every))
    assert list(tmp_path.iterdir()) == []
