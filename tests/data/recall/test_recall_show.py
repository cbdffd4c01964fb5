import pytest
import torch

from longctx_edu.data.recall import ASK, MARK, NeedleConfig, Recall, show

CONFIG = NeedleConfig(n_keys=3, n_values=4, n_noise=2, n_distractors=0)
K, V, DOT = CONFIG.keys, CONFIG.values, CONFIG.noise


def shown(ids, due=None):
    answers = [(due or {}).get(t, -100) for t in range(len(ids))]
    return show(Recall(*torch.tensor([ids, answers, [-1] * len(ids)])), CONFIG)


def test_each_kind_has_its_word():
    ids = [MARK, K[0], V[0], DOT[0], K[2], V[3], DOT[1], ASK]
    assert shown(ids) == "! k0 v0 . k2 v3 . ?"


@pytest.mark.parametrize(
    ("n", "words"), [(1, "."), (3, ". . ."), (4, "..4.."), (5000, "..5000..")]
)
def test_long_noise_is_counted(n, words):
    noise = [DOT[t % 2] for t in range(n)]
    assert shown(noise) == words
    assert shown([MARK, *noise, ASK]) == f"! {words} ?"


def test_answers_stand_behind_an_arrow_and_the_text_goes_on():
    ids = [ASK, K[1], K[2], V[0], ASK, K[0]]
    assert shown(ids, {1: V[2], 5: V[3]}) == "? k1 -> v2 k2 v0 ? k0 -> v3"


def test_tokens_of_one_answer_are_written_once():
    assert shown([ASK, V[1], V[1]], {0: V[1], 1: V[1], 2: V[0]}) == "? -> v1 v1 v0"


def test_refuses_an_id_of_another_task():
    with pytest.raises(ValueError, match=r"^need ids from 0 to 10, got 11$"):
        shown([DOT[1] + 1])
