import pytest

from longctx_edu.data.recall import ASK, MARK, PasskeyConfig, passkey, show


def test_the_shortest_text_by_hand():
    config = PasskeyConfig(n_tokens=3, distances=(1,))
    sample = passkey(config, 0)
    mark, digit, ask = sample.ids.tolist()
    assert (mark, ask) == (MARK, ASK)
    assert sample.answers.tolist() == [-100, -100, digit]
    assert sample.distances.tolist() == [-1, -1, 1]
    word = f"v{digit - config.values.start}"
    assert show(sample, config) == f"! {word} ? -> {word}"


def test_digits_follow_each_other():
    config = PasskeyConfig(n_tokens=100, distances=(60,), n_digits=5)
    sample = passkey(config, 4)
    digits = sample.answers[-5:].tolist()
    assert all(digit in config.values for digit in digits)
    assert sample.ids[95 - 60 : 100 - 60].tolist() == digits
    assert sample.ids[95:].tolist() == [ASK, *digits[:4]]
    assert sample.distances[95:].tolist() == [60] * 5


def test_ten_digits_by_default():
    assert PasskeyConfig().chance == 0.1


# messages


def test_refuses_no_digits():
    with pytest.raises(ValueError, match=r"^need n_digits >= 1, got n_digits=0$"):
        PasskeyConfig(n_digits=0)
