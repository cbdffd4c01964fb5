import pytest

from longctx_edu.data.recall import ASK, MARK, CopyingConfig, copying, show


def test_the_shortest_text_by_hand():
    config = CopyingConfig(n_tokens=6, distances=(3,), length=2)
    sample = copying(config, 0)
    mark, first, second, noise, ask, again = sample.ids.tolist()
    assert (mark, ask) == (MARK, ASK) and again == first and noise in config.noise
    assert sample.answers.tolist() == [-100] * 4 + [first, second]
    assert sample.distances.tolist() == [-1] * 4 + [3, 3]
    a, b = (f"v{token - config.values.start}" for token in (first, second))
    assert show(sample, config) == f"! {a} {b} . ? -> {a} {b}"


def test_the_answer_follows_but_for_its_last_token():
    sample = copying(CopyingConfig(length=5), 2)
    assert sample.ids[-5] == ASK
    assert sample.ids[-4:].tolist() == sample.answers[-5:-1].tolist()


def test_a_token_may_stand_twice():
    config = CopyingConfig(n_values=2, length=3)
    assert len(set(copying(config, 0).answers[-3:].tolist())) <= 2


def test_the_token_before_is_at_chance():
    """Whoever repeats what was said last is right as often as who guesses."""
    config = CopyingConfig(n_values=4, length=8)
    samples = [copying(config, index) for index in range(200)]
    right = sum(int((s.answers[-7:] == s.ids[-7:]).sum()) for s in samples)
    assert abs(right / 1400 - 0.25) < 4 * (0.25 * 0.75 / 1400) ** 0.5


# messages


def test_refuses_nothing_to_copy():
    with pytest.raises(ValueError, match=r"^need length >= 1, got length=0$"):
        CopyingConfig(length=0)
