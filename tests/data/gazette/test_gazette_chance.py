"""Neither a name nor the words beside it tell the type of a far mention."""

from collections import Counter, defaultdict

import pytest

from longctx_edu.data.gazette import GazetteConfig

CHANCE = 0.25


def far(articles):
    """Return (article, form, words beside it, type) of every far ambiguous mention."""
    return [
        (i, m.name, (a.tokens[m.start - 1], a.tokens[m.stop]), m.type)
        for i, a in enumerate(articles)
        for m in a.mentions
        if m.ambiguous and m.distance >= 128 and m.stop < len(a)
    ]


@pytest.fixture(scope="module")
def known(written):
    return far(written(GazetteConfig(seed=0), 2000))


@pytest.fixture(scope="module")
def others(written):
    return far(written(GazetteConfig(seed=1), 1000))


def accuracy(train, test, key):
    """Guess the type that a key has most often in training."""
    counts = defaultdict(Counter)
    for mention in train:
        counts[key(mention)][mention[3]] += 1
    overall = Counter(m[3] for m in train).most_common(1)[0][0]
    best = {k: c.most_common(1)[0][0] for k, c in counts.items()}
    return sum(best.get(key(m), overall) == m[3] for m in test) / len(test)


def word_keys():
    return {
        "form": lambda m: m[1],
        "first word": lambda m: m[1].split()[0],
        "last word": lambda m: m[1].split()[-1],
        "words beside": lambda m: m[2],
        "word before": lambda m: m[2][0],
        "word after": lambda m: m[2][1],
        "ending": lambda m: m[1][-3:],
    }


@pytest.mark.parametrize("name", word_keys())
def test_majority_guess_is_at_chance_on_other_articles(name, known, others):
    score = accuracy(known, others, word_keys()[name])
    assert score == pytest.approx(CHANCE, abs=0.025)


def test_majority_guess_per_form_is_at_chance_on_the_same_articles(known):
    """Each article is guessed from all the others: its own lead would tell."""
    counts, own = defaultdict(Counter), defaultdict(Counter)
    for i, form, _, type in known:
        counts[form][type] += 1
        own[i, form][type] += 1
    right = total = 0
    for i, form, _, type in known:
        rest = counts[form] - own[i, form]
        if rest:
            top = max(rest.values())
            best = [t for t, c in rest.items() if c == top]
            right += (type in best) / len(best)
            total += 1
    assert total > 10_000
    assert right / total == pytest.approx(CHANCE, abs=0.025)


def test_a_leak_would_show(known):
    """The same guess sees a frame that fits one type only."""
    leaky = [
        (i, form, ("says", ".") if type == "PER" else beside, type)
        for i, form, beside, type in known
    ]
    assert accuracy(leaky, leaky, lambda m: m[2]) > CHANCE + 0.2


@pytest.mark.parametrize("n_words", [1, 2])
def test_short_and_long_forms_have_all_types_equally(known, n_words):
    names = {(i, form, type) for i, form, _, type in known}
    types = Counter(type for _, form, type in names if len(form.split()) == n_words)
    assert sum(types.values()) > 1000
    for count in types.values():
        assert count / sum(types.values()) == pytest.approx(CHANCE, abs=0.04)
    assert len(types) == 4
