import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import TypeCheckError
from transformers.generation.logits_process import (
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from longctx_edu.models import (
    greedy,
    keep_top_k,
    keep_top_p,
    next_token_probabilities,
    sample,
)

few = settings(max_examples=60, deadline=None, derandomize=True)
# Whole numbers and halves: equals are common.
ROWS = st.lists(st.integers(-6, 6).map(lambda n: n / 2), min_size=1, max_size=9)
INF = float("inf")


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def random_logits(*sizes, seed=0):
    return 3 * torch.randn(*sizes, generator=seeded(seed), dtype=torch.float64)


def kept(logits):
    return logits.isfinite().tolist()


def likeliest_first(row):
    """Token ids by falling logit; of equals the lowest id first."""
    return sorted(range(len(row)), key=lambda token: (-row[token], token))


# equals the definition


@few
@given(ROWS)
def test_greedy_is_the_first_of_the_likeliest(row):
    assert int(greedy(torch.tensor(row))) == row.index(max(row))


@few
@given(ROWS, st.data())
def test_top_k_keeps_what_is_as_likely_as_the_kth(row, data):
    k = data.draw(st.integers(1, len(row)))
    last = sorted(row, reverse=True)[k - 1]
    wanted = [number if number >= last else -INF for number in row]
    assert keep_top_k(torch.tensor(row), k).tolist() == wanted


@few
@given(ROWS, st.floats(0.01, 0.99))
def test_top_p_keeps_the_fewest_that_cover_the_share(row, p):
    weights = [math.exp(number - max(row)) for number in row]
    order, covered, wanted = likeliest_first(row), 0.0, set()
    for token in order:
        if covered < p - 1e-9:
            wanted.add(token)
        covered += weights[token] / sum(weights)
    logits = torch.tensor(row, dtype=torch.float64)
    left = keep_top_p(logits, p)
    assert {t for t, stays in enumerate(kept(left)) if stays} == wanted
    assert torch.equal(left[left.isfinite()], logits[left.isfinite()])


def test_the_probabilities_are_the_steps_one_after_another():
    logits = random_logits(2, 3, 11)
    wanted = keep_top_p(keep_top_k(logits / 0.7, 6), 0.8).softmax(dim=-1)
    given = next_token_probabilities(logits, temperature=0.7, top_k=6, top_p=0.8)
    torch.testing.assert_close(given, wanted)


def test_the_steps_come_in_their_order():
    logits = torch.tensor([0.5, 0.25, 0.125, 0.125]).log()
    # After top-k, 2/3 and 1/3 are left, and the first alone covers 0.6.
    assert next_token_probabilities(logits, top_k=2, top_p=0.6).tolist() == [1, 0, 0, 0]
    # With a temperature of 1/2, 8/11 come first: without it, 1/2 would not do.
    hot = next_token_probabilities(logits, temperature=0.5, top_p=0.6)
    assert hot.tolist() == [1, 0, 0, 0]


@pytest.mark.parametrize("options", [{}, {"temperature": 2.0, "top_k": 4}])
def test_tokens_are_drawn_as_often_as_their_probability_says(options):
    n, logits = 20_000, random_logits(6)
    shares = next_token_probabilities(logits, **options)
    drawn = sample(logits.expand(n, 6), generator=seeded(), **options)
    counts = torch.bincount(drawn, minlength=6)
    assert (counts[shares == 0] == 0).all()
    expected = n * shares[shares > 0]
    chi_square = ((counts[shares > 0] - expected) ** 2 / expected).sum()
    assert chi_square < 20.5  # one in a thousand is above, of 5 degrees of freedom


# equals an outside reference


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("k", [1, 2, 5, 12])
def test_top_k_is_that_of_transformers(k, dtype):
    logits = random_logits(40, 13).to(dtype)
    logits[20:] = logits[20:].round()  # with equals
    wanted = TopKLogitsWarper(k)(None, logits.clone())
    assert torch.equal(keep_top_k(logits, k), wanted)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("p", [1e-9, 0.1, 0.5, 0.9, 0.99])
def test_top_p_is_that_of_transformers(p, dtype):
    logits = random_logits(40, 13).to(dtype)
    assert torch.equal(keep_top_p(logits, p), TopPLogitsWarper(p)(None, logits.clone()))


@few
@given(ROWS, st.sampled_from([0.125, 0.25, 0.5, 0.6, 0.75, 0.875]))
def test_of_equals_top_p_keeps_as_many_as_transformers(row, p):
    logits = torch.tensor([row])
    ours, theirs = keep_top_p(logits, p), TopPLogitsWarper(p)(None, logits.clone())
    assert torch.equal(ours.sort().values, theirs.sort().values)


@pytest.mark.parametrize("p", [0.25, 0.5, 0.75, 0.875])
def test_a_share_that_is_just_covered_is_enough_as_in_transformers(p):
    logits = torch.tensor([[0.125, 0.5, 0.125, 0.25]]).log()
    ours, theirs = keep_top_p(logits, p), TopPLogitsWarper(p)(None, logits.clone())
    assert ours.exp().sum() == {0.25: 0.5, 0.5: 0.5, 0.75: 0.75, 0.875: 0.875}[p]
    assert torch.equal(ours.sort().values, theirs.sort().values)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 1.7])
def test_all_steps_are_those_of_transformers(temperature):
    logits = random_logits(30, 11)
    wanted = logits.clone()
    steps = (
        TemperatureLogitsWarper(temperature),
        TopKLogitsWarper(6),
        TopPLogitsWarper(0.8),
    )
    for step in steps:
        wanted = step(None, wanted)
    given = next_token_probabilities(
        logits, temperature=temperature, top_k=6, top_p=0.8
    )
    torch.testing.assert_close(given, wanted.softmax(dim=-1))


# properties


@few
@given(ROWS, st.data())
def test_one_token_left_is_the_greedy_one(row, data):
    logits = torch.tensor(row)
    assert sample(logits, top_p=1e-6) == greedy(logits)
    if row.count(max(row)) == 1:
        assert sample(logits, top_k=1) == greedy(logits)
        assert sample(logits, temperature=1e-40) == greedy(logits)


@few
@given(ROWS, st.integers(-9, 9))
def test_what_is_added_to_all_logits_changes_nothing(row, shift):
    logits = torch.tensor(row, dtype=torch.float64)
    options = {"temperature": 0.5, "top_k": (len(row) + 1) // 2, "top_p": 0.61803}
    one, other = (
        next_token_probabilities(x, **options) for x in (logits, logits + shift)
    )
    torch.testing.assert_close(one, other)
    torch.testing.assert_close(one.sum(), torch.ones_like(one.sum()))


def test_all_tokens_and_the_whole_share_leave_everything():
    logits = torch.tensor([[0.0, -200.0, -INF, 3.0]])
    assert torch.equal(keep_top_k(logits, 4), logits)
    assert torch.equal(keep_top_p(logits, 1.0), logits)
    assert torch.equal(keep_top_p(logits, 1), logits)


def test_the_steps_leave_their_input_alone():
    logits = random_logits(2, 7)
    before = logits.clone()
    sample(logits, temperature=2.0, top_k=3, top_p=0.5)
    assert torch.equal(logits, before)


def test_rows_stand_for_themselves():
    logits = random_logits(3, 5, 7)
    for step in (lambda x: keep_top_k(x, 3), lambda x: keep_top_p(x, 0.6), greedy):
        alone = [step(logits[i, j]) for i in range(3) for j in range(5)]
        assert torch.equal(step(logits).flatten(0, 1), torch.stack(alone))


def test_a_seed_gives_the_same_tokens_and_the_global_one_is_left_alone():
    logits, state = random_logits(50, 9), torch.get_rng_state()
    one, same, other = (sample(logits, generator=seeded(n)) for n in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_low_temperature_favours_the_likely():
    logits = random_logits(9)
    largest = [
        next_token_probabilities(logits, temperature=t).max() for t in (0.2, 0.5, 1, 3)
    ]
    assert largest == sorted(largest, reverse=True)


# edges


def test_a_vocabulary_of_one_token():
    logits = torch.tensor([[2.0], [-3.0]])
    assert greedy(logits).tolist() == [0, 0]
    assert sample(logits, top_k=1, top_p=0.5).tolist() == [0, 0]


def test_no_text():
    assert greedy(torch.zeros(0, 5)).shape == (0,)


@pytest.mark.parametrize("sizes", [(), (2,), (2, 3)])
def test_any_axes_stand_in_front(sizes):
    assert sample(torch.zeros(*sizes, 4), top_p=0.9).shape == sizes
    assert greedy(torch.zeros(*sizes, 4)).dtype == torch.long


def test_a_forbidden_token_is_never_drawn():
    logits = torch.tensor([-INF, 0.0, -INF, 0.0]).expand(500, 4)
    assert set(sample(logits, temperature=50.0).tolist()) == {1, 3}


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_short_formats_are_drawn_from_in_float32(dtype):
    logits = torch.tensor([0.0, 9.0, 65_000.0, -INF]).to(dtype)
    given = next_token_probabilities(logits, temperature=0.01)
    assert given.dtype == torch.float32
    assert given.tolist() == [0, 0, 1, 0]
    assert keep_top_p(logits, 0.5).dtype == dtype


@pytest.mark.parametrize("temperature", [1e-300, 1e-45, 1e-8, 1e30])
def test_no_temperature_leaves_the_number_format(temperature):
    given = next_token_probabilities(
        torch.tensor([1e30, -1e30, 3.0]), temperature=temperature
    )
    assert given.isfinite().all()
    torch.testing.assert_close(given.sum(), torch.tensor(1.0))


# messages


@pytest.mark.parametrize("temperature", [0, 0.0, -1.0, float("nan")])
def test_a_temperature_that_is_not_above_0(temperature):
    said = f"need temperature > 0, got {temperature}: for the likeliest token use"
    with pytest.raises(ValueError, match=f"^{said} greedy$"):
        sample(torch.zeros(1, 3), temperature=temperature)


def test_an_endless_temperature():
    with pytest.raises(ValueError, match=r"^need a finite temperature, got inf$"):
        sample(torch.zeros(1, 3), temperature=INF)


@pytest.mark.parametrize("k", [0, -2, 4])
def test_a_number_of_tokens_that_the_vocabulary_has_not(k):
    said = f"^need top_k from 1 to the 3 tokens of the vocabulary, got {k}$"
    for choose in (keep_top_k, lambda logits, k: sample(logits, top_k=k)):
        with pytest.raises(ValueError, match=said):
            choose(torch.zeros(1, 3), k)


@pytest.mark.parametrize("p", [0, -0.5, 1.01, float("nan")])
def test_a_share_that_is_none(p):
    said = f"^need a top_p above 0 and up to 1, got {p}$"
    for choose in (keep_top_p, lambda logits, p: sample(logits, top_p=p)):
        with pytest.raises(ValueError, match=said):
            choose(torch.zeros(1, 3), p)


CHOICES = {
    "greedy": greedy,
    "sample": sample,
    "keep_top_k": lambda logits: keep_top_k(logits, 1),
    "keep_top_p": lambda logits: keep_top_p(logits, 0.5),
}


@pytest.mark.parametrize("choose", CHOICES.values(), ids=CHOICES)
@pytest.mark.parametrize(
    ("row", "got"),
    [([-INF, -INF], "-inf"), ([0.0, float("nan")], "nan"), ([INF, 0.0], "inf")],
)
def test_a_row_from_which_nothing_follows(choose, row, got):
    said = f"^need a finite largest logit in each row, without NaN, got {got} in row 1$"
    with pytest.raises(ValueError, match=said):
        choose(torch.tensor([[0.0, 1.0], row]))


@pytest.mark.parametrize("choose", CHOICES.values(), ids=CHOICES)
def test_no_vocabulary(choose):
    with pytest.raises(ValueError, match=r"at least one token, got shape \(2, 0\)$"):
        choose(torch.zeros(2, 0))


def test_ids_are_no_logits():
    with pytest.raises(TypeCheckError):
        greedy(torch.zeros(2, 3, dtype=torch.long))
