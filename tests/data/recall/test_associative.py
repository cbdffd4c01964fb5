from itertools import pairwise

import pytest

from longctx_edu.data.recall import ASK, AssociativeConfig, associative_recall, show


def test_the_shortest_text_by_hand():
    config = AssociativeConfig(n_tokens=4, distances=(2,), n_pairs=1, n_queries=1)
    sample = associative_recall(config, 0)
    key, value, ask, again = sample.ids.tolist()
    assert key == again in config.keys and value in config.values and ask == ASK
    assert sample.answers.tolist() == [-100, -100, -100, value]
    assert sample.distances.tolist() == [-1, -1, -1, 2]
    k, v = f"k{key - config.keys.start}", f"v{value - config.values.start}"
    assert show(sample, config) == f"{k} {v} ? {k} -> {v}"


@pytest.mark.parametrize("index", range(20))
def test_keys_are_distinct_and_each_question_has_one_of_them(index):
    config = AssociativeConfig(n_keys=6, n_pairs=6, n_queries=4)
    ids = associative_recall(config, index).ids.tolist()
    keys = [a for a, b in pairwise(ids) if a in config.keys and b in config.values]
    asked = [b for a, b in pairwise(ids) if a == ASK]
    assert sorted(keys) == list(config.keys)
    assert len(set(asked)) == 4


def test_questions_of_a_text_have_distances_of_their_own():
    config = AssociativeConfig(n_tokens=300, distances=(10, 100), n_queries=2)
    together = {
        tuple(sample.distances[sample.distances >= 0].tolist())
        for sample in (associative_recall(config, index) for index in range(40))
    }
    assert together == {(10, 10), (10, 100), (100, 10), (100, 100)}


def test_the_last_value_before_the_question_is_at_chance_where_it_is_not_due():
    config = AssociativeConfig(n_pairs=8, n_queries=4, n_values=8)
    values, right, count = config.values, 0, 0
    for index in range(300):
        sample = associative_recall(config, index)
        ids = sample.ids.tolist()
        for at in (sample.answers >= 0).nonzero().flatten().tolist():
            last = max(t for t in range(at) if ids[t] in values)
            if last != at - sample.distances[at]:
                right += ids[last] == sample.answers[at]
                count += 1
    noise = (config.chance * (1 - config.chance) / count) ** 0.5
    assert count > 400 and abs(right / count - config.chance) < 4 * noise


# messages


@pytest.mark.parametrize(
    "dials",
    [
        {"n_queries": 5, "n_pairs": 4, "n_keys": 16},
        {"n_queries": 2, "n_pairs": 9, "n_keys": 8},
    ],
)
def test_refuses_more_questions_than_pairs_or_pairs_than_keys(dials):
    message = (
        "^need n_queries <= n_pairs <= n_keys, got n_queries={n_queries}, "
        "n_pairs={n_pairs} and n_keys={n_keys}$"
    )
    with pytest.raises(ValueError, match=message.format(**dials)):
        AssociativeConfig(**dials)


def test_refuses_no_question():
    with pytest.raises(ValueError, match=r"^need n_queries >= 1, got n_queries=0$"):
        AssociativeConfig(n_queries=0)


def test_the_room_that_pairs_need():
    """Twelve a question more, and many pairs need room whatever the distance."""
    assert AssociativeConfig(n_queries=1).needed == 66
    assert AssociativeConfig(n_queries=4).needed == 66 + 3 * 12
    many = AssociativeConfig(n_tokens=999, n_keys=99, n_pairs=99, n_queries=1)
    assert many.needed == 99 * 3 + 2  # 100 pieces
