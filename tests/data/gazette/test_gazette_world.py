"""The world: its names, its patterns, and what the splits share."""

from itertools import combinations

import pytest

from longctx_edu.data.gazette import SPLITS, TOPICS, TYPES, GazetteConfig
from longctx_edu.data.gazette.lead import between
from longctx_edu.data.gazette.names import REGIONS, world
from longctx_edu.data.gazette.tables import (
    parse,
    pattern_count,
    patterns,
    relations,
    sections,
    vocabulary,
)

FILES = ("lead", "general", *TOPICS)


@pytest.fixture(scope="module")
def sample(written):
    return lambda split: written(GazetteConfig(n_tokens=1500, split=split), 150)


def stems(split):
    w = world(split)
    names = [n for lists in (w.given, w.family) for names in lists for n in names]
    return {*names, *w.stems, *w.ambiguous}


@pytest.mark.parametrize("split", ["dev", "test"])
def test_held_out_articles_share_no_name_with_training(split, sample):
    names = {
        s: {m.name for a in sample(s) for m in a.mentions} for s in ("train", split)
    }
    assert len(names[split]) > 1000
    assert not names["train"] & names[split]


@pytest.mark.parametrize("split", ["dev", "test"])
def test_held_out_articles_share_at_most_a_third_of_their_patterns(split, sample):
    seen, here = ({p for a in sample(s) for p in a.patterns} for s in ("train", split))
    assert len(here) > 100
    assert 0 < len(here & seen) <= len(here) / 3
    told = [p for a in sample(split) for p in a.patterns]
    assert sum(p in seen for p in told) <= len(told) / 3


@pytest.mark.parametrize(("one", "other"), [*combinations(SPLITS, 2)])
def test_no_stem_belongs_to_two_splits(one, other):
    assert not stems(one) & stems(other)
    assert not set(world(one).titles) & set(world(other).titles)


def test_splits_share_the_words_that_fix_types(sample):
    roles = {s: {e.role for a in sample(s) for e in a.evidence} for s in SPLITS}
    assert roles["train"] == roles["dev"] == roles["test"]


def test_size_of_the_world():
    w = world("train")
    assert len(REGIONS) == len(w.given) == len(w.family) >= 4
    assert all(len(set(names)) >= 40 for names in w.given)
    assert all(len(set(names)) >= 80 for names in w.family)
    people = [n for lists in (w.given, w.family) for names in lists for n in names]
    assert len(set(people)) == len(people)
    assert sum(len(world(s).ambiguous) for s in SPLITS) > 4000


def test_number_of_patterns(sample):
    assert pattern_count() >= 60
    assert len({p for a in sample("train") for p in a.patterns}) >= 60
    texts = [
        line for f in FILES for lines in sections(f).values() for line in set(lines)
    ]
    repeated = {t for t in texts if texts.count(t) > 1}
    assert repeated <= {"{e} ."}  # a clause on its own opens a lead, or goes on


def test_every_split_has_patterns_of_every_kind():
    for file in FILES:
        for section in sections(file):
            for split in SPLITS:
                assert len(patterns(file, section, split)) >= 1


def test_bare_frames_hold_no_word_that_fixes_a_type():
    roles = {" ".join(r) for t in TYPES for r in vocabulary(f"role.{t}")}
    for file in ("general", *TOPICS):
        for section in ("neutral", "introduction"):
            for line in sections(file).get(section, ()):
                for part in parse(line):
                    fillings = [part]
                    if isinstance(part, str):
                        fillings = [] if part in "xyi" else vocabulary(part)
                    for words in fillings:
                        text = f" {' '.join(words)} "
                        assert not [r for r in roles if f" {r} " in text], line


def test_every_slot_has_its_words():
    known = {*TYPES, "x", "y", "i", "e", "f", "affair", "town"}
    for file in FILES:
        for section, lines in sections(file).items():
            for line in lines:
                for slot in (p for p in parse(line) if isinstance(p, str)):
                    assert slot in known or vocabulary(slot), (file, section, line)


def test_every_pair_of_types_has_relations():
    assert all(len(between(a, b)) >= 5 for a in TYPES for b in TYPES)
    assert {r.topic for r in relations()} == set(TOPICS)


def test_sentences_start_with_a_capital_and_articles_are_right(sample):
    plural = {"two", "three"}
    for split in SPLITS:
        for a in sample(split)[:30]:
            for i in range(len(a.sentence_starts)):
                words = [w for w in a.sentence(i) if w != "“"]
                assert words[0][0].isupper() or words[0][0].isdigit(), words
            for word, after in zip(a.tokens, a.tokens[1:], strict=False):
                if word in ("a", "an", "A", "An"):
                    vowel = after[0].lower() in "aeiou" or after == "hour"
                    assert vowel == (word.lower() == "an"), (word, after)
                    assert after not in plural
