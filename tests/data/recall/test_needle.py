import pytest

from longctx_edu.data.recall import ASK, MARK, NeedleConfig, needle, show


def needles(ids, config):
    """Return the place of each needle's value, by key."""
    return {ids[t + 1]: t + 2 for t, token in enumerate(ids) if token == MARK}


def test_the_shortest_text_by_hand():
    config = NeedleConfig(n_tokens=5, distances=(2,), n_distractors=0)
    sample = needle(config, 0)
    mark, key, value, ask, again = sample.ids.tolist()
    assert (mark, ask) == (MARK, ASK) and key == again
    assert sample.answers.tolist() == [-100] * 4 + [value]
    assert sample.distances.tolist() == [-1] * 4 + [2]
    k, v = f"k{key - config.keys.start}", f"v{value - config.values.start}"
    assert show(sample, config) == f"! {k} {v} ? {k} -> {v}"


@pytest.mark.parametrize("index", range(20))
def test_each_needle_has_a_key_of_its_own(index):
    config = NeedleConfig(n_keys=6, n_distractors=5)
    assert set(needles(needle(config, index).ids.tolist(), config)) == set(config.keys)


def test_needles_that_distract_stand_before_and_behind():
    config = NeedleConfig(distances=(128,), n_distractors=1)
    behind = 0
    for index in range(200):
        ids = needle(config, index).ids.tolist()
        places = needles(ids, config)
        behind += max(places.values()) > places[ids[-1]]
    assert 60 < behind < 140


def test_the_last_value_is_at_chance_where_it_distracts():
    config = NeedleConfig(distances=(128, 250), n_distractors=4, n_values=8)
    right = count = 0
    for index in range(600):
        sample = needle(config, index)
        ids = sample.ids.tolist()
        places = needles(ids, config)
        last = max(places.values())
        if last != places[ids[-1]]:
            right += ids[last] == sample.answers[-1]
            count += 1
    noise = (config.chance * (1 - config.chance) / count) ** 0.5
    assert count > 400 and abs(right / count - config.chance) < 4 * noise


# messages


def test_refuses_more_needles_than_keys():
    message = r"^need n_distractors < n_keys, got n_distractors=4 and n_keys=4$"
    with pytest.raises(ValueError, match=message):
        NeedleConfig(n_keys=4, n_distractors=4)


def test_refuses_fewer_than_no_distractors():
    message = r"^need n_distractors >= 0, got n_distractors=-1$"
    with pytest.raises(ValueError, match=message):
        NeedleConfig(n_distractors=-1)


def test_the_room_that_needles_need():
    assert NeedleConfig().needed == 67
    assert NeedleConfig(n_keys=21, n_distractors=20).needed == 20 * 5 + 3 + 2
