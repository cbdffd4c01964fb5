"""An article: length, tags, distances, evidence, the event log, the dials."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest

from longctx_edu.data.gazette import TOPICS, TYPES, GazetteConfig, article
from longctx_edu.data.gazette.tables import vocabulary

MIXED = [
    GazetteConfig(),
    GazetteConfig(n_tokens=1024, split="dev", seed=3),
    GazetteConfig(n_tokens=700, in_body=0.5, split="test"),
    GazetteConfig(n_tokens=400, in_body=1.0, ambiguous=1.0),
    GazetteConfig(n_tokens=300, n_names=3, ambiguous=0.4),
    GazetteConfig(n_tokens=200, n_names=1, ambiguous=0.0, in_body=1.0),
]


@pytest.fixture(scope="module")
def sample(written):
    return [a for config in MIXED for a in written(config, 20)]


@pytest.mark.parametrize("n_tokens", [128, 200, 512, 1024, 5000, 32_768])
@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_length_is_within_five_percent(n_tokens, split, written):
    config = GazetteConfig(n_tokens=n_tokens, split=split)
    for a in written(config, 2 if n_tokens > 10_000 else 30):
        assert abs(len(a) - n_tokens) <= 0.05 * n_tokens


@pytest.mark.parametrize(("n_names", "in_body"), [(8, 1.0), (1, 0.0), (16, 0.5)])
def test_the_shortest_article_holds_its_names(n_names, in_body, written):
    config = GazetteConfig(n_tokens=4096, n_names=n_names, in_body=in_body)
    short = replace(config, n_tokens=config.shortest, ambiguous=1.0)
    for a in written(short, 50):
        assert len(a.evidence) == n_names
        assert abs(len(a) - short.n_tokens) <= 0.05 * short.n_tokens


def test_distance_recomputed_token_by_token(sample):
    for a in sample:
        for m in a.mentions:
            if not m.ambiguous:
                assert m.distance == 0
                continue
            inside = [range(e.start, e.stop) for e in a.evidence if e.name == m.name]
            gaps = [
                max(0, abs(i - j) - 1)  # tokens between token i and token j
                for phrase in inside
                for i in phrase
                for j in range(m.start, m.stop)
            ]
            assert m.distance == min(gaps)


def test_evidence_holds_the_name_and_a_word_for_its_type(sample):
    for a in sample:
        assert {m.name for m in a.mentions if m.ambiguous} == {
            e.name for e in a.evidence
        }
        for e in a.evidence:
            phrase = " ".join(a.tokens[e.start : e.stop])
            assert tuple(e.role.split()) in vocabulary(f"role.{e.type}")
            assert e.name in phrase
            assert e.role in phrase
            types = {m.type for m in a.mentions if m.name == e.name}
            assert types == {e.type}


def test_tags_agree_with_mentions(sample):
    for a in sample:
        tags = ["O"] * len(a)
        for m in a.mentions:
            assert " ".join(a.tokens[m.start : m.stop]) == m.name
            assert tags[m.start : m.stop] == ["O"] * (m.stop - m.start)
            rest = [f"I-{m.type}"] * (m.stop - m.start - 1)
            tags[m.start : m.stop] = [f"B-{m.type}", *rest]
        assert tuple(tags) == a.tags


def test_every_occurrence_of_a_name_is_a_mention(sample):
    for a in sample[:40]:
        text = f" {' '.join(a.tokens)} "
        for name, count in Counter(m.name for m in a.mentions).items():
            assert text.count(f" {name} ") == count


def test_starts_are_in_order_and_fit_together(sample):
    for a in sample:
        assert a.sentence_starts[0] == a.paragraph_starts[0] == 0
        for starts in (a.sentence_starts, a.paragraph_starts, a.section_starts):
            assert list(starts) == sorted(set(starts))
        assert set(a.section_starts) <= set(a.paragraph_starts)
        assert set(a.paragraph_starts) <= set(a.sentence_starts)
        assert a.lead in (*a.sentence_starts, len(a))
        assert len(a.patterns) == len(a.sentence_starts)


def test_lead_is_short_and_introduces_every_name(written):
    for a in written(GazetteConfig(ambiguous=1.0), 300):
        assert a.lead <= 110
        assert all(e.stop <= a.lead for e in a.evidence)
        assert len(a.evidence) == 8


def test_ambiguous_is_the_share_of_ambiguous_names(written):
    for share in (0.0, 0.3, 1.0):
        config = GazetteConfig(ambiguous=share)
        mean = sum(len(a.evidence) for a in written(config, 300)) / 300
        assert mean == pytest.approx(8 * share, abs=0.15)


def test_in_body_is_the_share_introduced_after_the_lead(written):
    for share in (0.0, 0.5, 1.0):
        config = GazetteConfig(n_tokens=1024, ambiguous=1.0, in_body=share)
        found = [(e, a) for a in written(config, 100) for e in a.evidence]
        after = [(e.start - a.lead) / (len(a) - a.lead) for e, a in found]
        after = [place for place in after if place >= 0]
        assert len(after) / len(found) == pytest.approx(share, abs=0.03)
        if share:  # anywhere in the body
            assert sum(after) / len(after) == pytest.approx(0.5, abs=0.07)


def test_names_of_the_body_are_mentioned_before_they_are_introduced(written):
    config = GazetteConfig(n_tokens=1024, ambiguous=1.0, in_body=1.0)
    for a in written(config, 10):
        first = {e.name: e.start for e in a.evidence}
        assert any(m.stop <= first.get(m.name, 0) for m in a.mentions)


def test_far_mentions_are_plentiful(written):
    far = [
        [m.distance for m in a.mentions if m.ambiguous and m.distance >= 128]
        for a in written(GazetteConfig(n_tokens=1024), 50)
    ]
    assert sum(map(len, far)) / 50 >= 25
    assert all(max(distances) >= 512 for distances in far)


def test_ambiguous_names_stand_through_the_whole_body(written):
    for a in written(GazetteConfig(n_tokens=2048), 20):
        for name in {e.name for e in a.evidence}:
            starts = [m.start for m in a.mentions if m.name == name]
            gaps = [j - i for i, j in zip(starts, [*starts[1:], len(a)], strict=True)]
            assert max(gaps) < 600


def test_neighbours_never_share_a_pattern(sample):
    for a in sample:
        assert all(p != q for p, q in pairwise(a.patterns))


@pytest.mark.parametrize(("split", "most"), [("train", 0.002), ("test", 0.02)])
def test_repeats_come_late(split, most, written):
    # A held-out split has half the patterns of train, so it returns to them sooner.
    near = total = 0
    for a in written(GazetteConfig(n_tokens=2048, split=split), 20):
        for i, pattern in enumerate(a.patterns[1:], 1):
            near += pattern in a.patterns[max(0, i - 10) : i]
            total += 1
    assert near / total < most


def test_events_are_told_where_they_say(sample):
    for a in sample:
        assert a.topic in TOPICS
        assert a.sentiment in ("good", "mixed", "bad")
        for e in a.events:
            told = " ".join(a.sentence(e.sentence))
            for part in (e.actor, e.object, e.place, e.words):
                assert part in told
        assert a.events[0].actor + a.events[0].object + a.events[0].place
        assert a.summary


def test_headline_names_only_who_the_main_event_is_about(written):
    for a in written(GazetteConfig(), 50):
        main = a.events[0]
        named = [m.name for m in a.mentions if m.stop <= a.sentence_starts[1]]
        assert set(named) <= {main.actor, main.object}
        assert (main.actor, main.kind, main.object) == a.relations[0]
        assert a.summary == f"{main.actor} {main.words} {main.object} ."


def test_topics_types_and_sentiments_are_balanced(written):
    many = list(written(GazetteConfig(), 1000))
    topics = Counter(a.topic for a in many)
    assert min(topics[t] for t in TOPICS) > 100
    assert min(Counter(a.sentiment for a in many).values()) > 200
    types = Counter(e.type for a in many for e in a.evidence)
    assert min(types[t] for t in TYPES) / max(types.values()) > 0.9


@pytest.mark.parametrize(
    ("dials", "message"),
    [
        ({"ambiguous": 1.2}, r"need a share from 0 to 1, got ambiguous=1.2"),
        ({"in_body": -0.1}, r"need a share from 0 to 1, got in_body=-0.1"),
        ({"n_names": 0}, r"need n_names >= 1, got n_names=0"),
        ({"split": "tset"}, r"unknown split 'tset': did you mean test"),
        ({"n_tokens": 127}, r"need n_tokens >= 128 to introduce .* n_tokens=127"),
        ({"n_tokens": 128, "in_body": 1.0}, r"need n_tokens >= 216 .*in_body=1.0"),
    ],
)
def test_bad_config(dials, message):
    with pytest.raises(ValueError, match=message):
        GazetteConfig(**dials)


def test_bad_index():
    with pytest.raises(ValueError, match=r"need index >= 0, got index=-1"):
        article(GazetteConfig(), -1)
