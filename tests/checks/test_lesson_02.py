"""What the shared guards in tests/course do not hold: how messages look; margins."""

import machinery as m
import pytest
import torch

from longctx_edu.checks import lesson_02
from longctx_edu.checks.block_02 import PARTS, X, misbuilt, pre
from longctx_edu.checks.hide_02 import NONE, seeded
from longctx_edu.data.language import mask_tokens

answers = m.load_file(m.WRONG_ANSWERS / "lesson_02.py")


def wrong(check, name):
    return getattr(lesson_02, check)(answers.WRONG[check][name][0]).message


def test_a_message_about_an_axis_reads_well():
    assert wrong("check_layer_norm", "over the tokens").splitlines() == [
        "✗ layer_norm: each vector gets mean 0 and variance 1",
        "  given:",
        "    x =",
        "      1 1 5 5",
        "      0 6 0 6",
        "    gain = 1",
        "    shift = 0",
        "    eps = 0",
        "  came:",
        "     1 -1  1 -1",
        "    -1  1 -1  1",
        "  expected:",
        "    -1 -1  1  1",
        "    -1  1 -1  1",
        "  hint: the wrong axis: one mean a token, not one a column; dim=-1",
    ]


def test_a_message_about_the_residual_reads_well():
    assert wrong("check_pre_norm_block", "no first residual").splitlines() == [
        "✗ pre_norm_block: x + attention(norm_1(x)), and to that the feed-forward part "
        "of its norm_2",
        "  given:",
        "    x = 1 2",
        "    norm_1 = times 10",
        "    attention = plus 3",
        "    norm_2 = times 100",
        "    feed = plus 7",
        "  came:",
        "    1320 2330",
        "  expected:",
        "    1421 2532",
        "  hint: the first residual is missing: x + attention(...)",
    ]


def test_a_message_about_a_shift_reads_well():
    lines = wrong("check_next_token_pairs", "the token before").splitlines()
    assert lines[0] == (
        "✗ next_token_pairs: the label of a token is the token behind it"
    )
    assert "    your labels =" in lines
    assert lines[-1] == (
        "  hint: the wrong way: this asks for the token before, which the model has "
        "just read"
    )


def test_a_message_about_shares_reads_well():
    lines = wrong("check_hide_tokens", "none left").splitlines()
    assert lines[2].startswith("    0.80 hidden, 0.20 swapped, 0.00 left")
    assert lines[-1] == "  hint: none is left: 10 of 100 stay as they are"


def test_a_message_about_bits_reads_well():
    message = wrong("check_held_out_bits", "mean of means")
    assert "✗ held_out_bits: shares of 1/2, 1/2, 1/16 and 1/8 cost 1, 1, 4 and 3" in (
        message
    )
    assert message.splitlines()[-5:-1] == [
        "  came:",
        "    [2.5]",
        "  expected:",
        "    [2.25]",
    ]


def test_a_function_without_return_is_told_so():
    for name in lesson_02.__all__:
        verdict = getattr(lesson_02, name)(lambda *given, **named: None)
        assert "end it with return" in verdict.message, name


def test_each_way_to_build_a_block_wrongly_gives_another_number():
    right = pre(X, *PARTS.values())
    found = [tuple(came.flatten().tolist()) for came, _ in misbuilt()]
    assert tuple(right.flatten().tolist()) not in found
    hints: dict[tuple, str] = {}
    for came, (_, hint) in zip(found, misbuilt(), strict=True):
        assert hints.setdefault(came, hint) == hint


def test_the_check_of_hiding_draws_within_its_margins():
    """A right answer passes for other seeds too: the margins are wide enough."""

    for seed in range(1, 6):

        def shifted(ids, seed=seed, *, generator, **named):
            other = seeded(generator.initial_seed() + 100 * seed)
            return mask_tokens(ids, **named, generator=other)

        def own_choice(ids, seed=seed, *, generator, **named):
            other = seeded(generator.initial_seed() + 100 * seed)
            return answers.hide(ids, **named, generator=other)

        assert lesson_02.check_hide_tokens(shifted).status == "passed"
        assert lesson_02.check_hide_tokens(own_choice).status == "passed"


def test_the_check_of_a_choice_draws_within_its_margins():
    for seed in range(1, 6):

        def other(logits, temperature, generator, seed=seed):
            again = seeded(generator.initial_seed() + 100 * seed)
            return answers.choose(logits, temperature, again)

        assert lesson_02.check_choose_token(other).status == "passed"


@pytest.mark.parametrize("name", ["hide", "hide_one_draw", "hide_by_library"])
def test_right_ways_to_hide_agree_on_what_is_right(name):
    ids = torch.randint(3, 50, (8, 1000), generator=seeded(3))
    options = {"vocab_size": 50, "mask_id": 1, "special_ids": (0, 1, 2), "share": 0.15}
    inputs, labels = getattr(answers, name)(ids, **options, generator=seeded(0))
    asked = labels != NONE
    assert torch.equal(labels[asked], ids[asked])
    assert torch.equal(inputs[~asked], ids[~asked])
    assert 0.13 < asked.float().mean() < 0.17
