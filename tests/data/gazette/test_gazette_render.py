"""An article as running text."""

import re

from longctx_edu.data.gazette import (
    GazetteConfig,
    article,
    articles,
    render,
    rich_text,
    segments,
)


def test_running_text_has_the_same_words():
    for a in articles(GazetteConfig(n_tokens=1024), 20):
        assert re.sub(r"\s", "", render(a)) == "".join(a.tokens)


def test_punctuation_stands_close():
    for a in articles(GazetteConfig(n_tokens=1024), 20):
        assert not re.search(r" [.,;:?!”]| 's\b|“ |  ", render(a))


def test_paragraphs_are_apart():
    a = article(GazetteConfig(n_tokens=1024), 0)
    text = render(a)
    assert text.count("\n\n") == len(a.paragraph_starts) - 1
    assert text.startswith(a.headline.split()[0])


def test_each_mention_is_one_piece_of_its_type():
    for a in articles(GazetteConfig(), 20):
        named = [p for p in segments(a) if p[1] in ("PER", "ORG", "LOC", "WORK")]
        mentions = [(m.name, m.type) for m in a.mentions]
        assert named == mentions


def test_rich_text_colours_names():
    a = article(GazetteConfig(), 1)
    text = rich_text(a)
    assert text.plain == render(a)
    styles = {text.plain[s.start : s.end]: str(s.style) for s in text.spans}
    person = next(m for m in a.mentions if m.type == "PER")
    assert styles[person.name] == "bold magenta"
