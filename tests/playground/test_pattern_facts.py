import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from longctx_edu.attention import window_attention
from longctx_edu.playground import pattern_facts, pattern_pairs

few = settings(max_examples=60, deadline=None, derandomize=True)
sides = st.one_of(st.none(), st.integers(0, 9))
patterns = st.integers(1, 14).flatmap(
    lambda n: st.fixed_dictionaries(
        {
            "left": sides,
            "right": sides,
            "dilation": st.integers(1, 4),
            "n_global": st.integers(0, n),
            "causal": st.booleans(),
            "n_tokens": st.just(n),
            "n_layers": st.integers(1, 4),
        }
    )
)


def sees(query, key, *, left, right, dilation, n_global, causal, n_tokens, n_layers):
    """Answer for one pair, from the words of the pattern."""
    if causal and key > query:
        return False
    if query < n_global or key < n_global:
        return True
    steps, rest = divmod(abs(key - query), dilation)
    side = left if key < query else right
    return rest == 0 and (side is None or steps <= side)


def by_hand(pattern):
    """Count pairs one by one, and walk from the middle token, one layer at a time."""
    places = range(pattern["n_tokens"])
    mask = [[sees(query, key, **pattern) for key in places] for query in places]
    heard = [{pattern["n_tokens"] // 2}]
    for _ in range(pattern["n_layers"]):
        heard.append({key for query in heard[-1] for key in places if mask[query][key]})
    return mask, heard


@few
@given(patterns)
def test_facts_equal_brute_force(pattern):
    facts = pattern_facts(**pattern)
    mask, heard = by_hand(pattern)
    n, n_layers, pairs = pattern["n_tokens"], pattern["n_layers"], sum(map(sum, mask))
    middle = n // 2
    assert facts.mask.tolist() == mask
    assert [set(row.nonzero().flatten().tolist()) for row in facts.heard] == heard
    assert facts.n_heard == [len(row) for row in heard]
    assert facts.back == [middle - min(row) for row in heard]
    assert facts.ahead == [max(row) - middle for row in heard]
    assert (facts.n_tokens, facts.n_layers, facts.middle) == (n, n_layers, middle)
    assert facts.pairs == pairs
    assert facts.share == pairs / n**2
    # 8 heads; 64 multiplications with their additions for a score, 64 for the output
    assert facts.multiply_adds == n_layers * pairs * 8 * (64 + 64)
    assert facts.full_multiply_adds == n_layers * n * n * 8 * (64 + 64)
    # 4 bytes a number; q, k, v and the output
    assert facts.score_bytes == n_layers * pairs * 8 * 4
    assert facts.full_score_bytes == n_layers * n * n * 8 * 4
    assert facts.input_output_bytes == n_layers * 4 * n * 8 * 64 * 4


@few
@given(patterns)
def test_pairs_by_formula_count_the_mask(pattern):
    facts = pattern_facts(**pattern)
    rest = {name: value for name, value in pattern.items() if name != "n_layers"}
    assert pattern_pairs(**rest) == int(facts.mask.sum())


# an outside reference: what the gradient of stacked attention says


def test_a_token_hears_of_exactly_what_moves_it():
    facts = pattern_facts(2, 1, 1, 0, False, n_tokens=24, n_layers=3)
    x = torch.randn(1, 1, 24, 4, generator=torch.Generator().manual_seed(0)).double()
    x.requires_grad_()
    out = x
    for _ in range(3):
        out = window_attention(out, out, out, left=2, right=1)
    moved = torch.autograd.grad(out[0, 0, facts.middle].sum(), x)[0].abs().sum(-1)
    assert torch.equal(moved.flatten() > 0, facts.heard[-1])


# properties


def test_reach_is_depth_times_side_times_dilation():
    facts = pattern_facts(3, 1, 2, 0, False, n_tokens=99, n_layers=4)
    assert facts.back == [6 * depth for depth in range(5)]
    assert facts.ahead == [2 * depth for depth in range(5)]


def test_a_global_token_makes_two_hops_enough():
    facts = pattern_facts(1, 1, 1, 1, False, n_tokens=50, n_layers=2)
    assert facts.n_heard == [1, 4, 50]


# edges


def test_one_token_alone():
    facts = pattern_facts(0, 0, 1, 1, True, n_tokens=1, n_layers=1)
    assert (facts.pairs, facts.share, facts.n_heard) == (1, 1.0, [1, 1])


def test_a_short_text_holds_fewer_global_tokens():
    assert pattern_pairs(1, 1, 1, 5, False, n_tokens=2) == 4


# messages


@pytest.mark.parametrize("wrong", [(0, 1, 0), (3, 0, 0), (3, 1, 4), (3, 1, -1)])
def test_what_is_no_pattern(wrong):
    n_tokens, n_layers, n_global = wrong
    with pytest.raises(ValueError) as refused:
        pattern_facts(1, 1, 1, n_global, False, n_tokens, n_layers)
    assert str(refused.value) == (
        "need n_tokens >= 1, n_layers >= 1 and 0 <= n_global <= n_tokens, got "
        f"n_tokens={n_tokens}, n_layers={n_layers} and n_global={n_global}"
    )


def test_what_is_no_window():
    with pytest.raises(ValueError, match="need left and right that are whole numbers"):
        pattern_facts(-1, 1, 1, 0, False, 4, 1)
