import math
import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from longctx_edu.metrics import bits_per_byte, bits_per_token, perplexity

LOSSES = st.floats(0, 20)

# equals the definition


@given(st.integers(1, 5000))
def test_equally_likely_tokens(n_tokens):
    logits = torch.zeros(1, n_tokens, dtype=torch.float64)
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor([0])).item()
    assert bits_per_token(loss) == pytest.approx(math.log2(n_tokens))
    assert perplexity(loss) == pytest.approx(n_tokens)


@given(LOSSES)
def test_perplexity_is_two_to_the_bits(loss):
    assert perplexity(loss) == pytest.approx(2 ** bits_per_token(loss))


# properties


@given(LOSSES, st.integers(1, 9), st.integers(1, 99))
def test_the_bits_of_a_text_are_the_same_by_token_and_by_byte(loss, n_tokens, n_bytes):
    by_byte = bits_per_byte(loss, n_tokens, n_bytes)
    assert by_byte * n_bytes == pytest.approx(bits_per_token(loss) * n_tokens)


def test_twice_as_long_tokens_cost_the_same_by_byte():
    assert bits_per_byte(1.5, 200, 600) == pytest.approx(bits_per_byte(3.0, 100, 600))


# edges


def test_certainty_costs_nothing():
    assert bits_per_token(0.0) == bits_per_byte(0.0, 1, 1) == 0
    assert perplexity(0.0) == 1


def test_the_impossible_costs_everything():
    assert bits_per_token(math.inf) == perplexity(math.inf) == math.inf
    assert perplexity(1e4) == math.inf


# messages


@pytest.mark.parametrize("loss", [-0.5, math.nan, -math.inf])
@pytest.mark.parametrize(
    "measure", [bits_per_token, perplexity, lambda loss: bits_per_byte(loss, 3, 9)]
)
def test_refuses_what_is_no_loss(measure, loss):
    wanted = f"need a loss >= 0, in nats, got loss_nats={loss}"
    with pytest.raises(ValueError, match=f"^{re.escape(wanted)}$"):
        measure(loss)


@pytest.mark.parametrize(("n_tokens", "n_bytes"), [(0, 9), (3, 0), (-1, 9)])
def test_refuses_an_empty_text(n_tokens, n_bytes):
    wanted = (
        "need n_tokens >= 1 and n_bytes >= 1, "
        f"got n_tokens={n_tokens} and n_bytes={n_bytes}"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(wanted)}$"):
        bits_per_byte(1.0, n_tokens, n_bytes)
