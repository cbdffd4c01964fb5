import itertools
import math

import pytest
import torch
from attention_cases import (
    BATCH,
    HEAD,
    assert_all_close,
    assert_close,
    assert_equal_with_gradients,
    choose,
    few,
    make,
    normal,
)
from hypothesis import given
from hypothesis import strategies as st

from longctx_edu.attention import merge, online_attention

QUERY, KEY, D_VALUE = 5, 7, 6
splits = st.lists(st.integers(0, 3), min_size=KEY, max_size=KEY)  # which part a key has


def attend(inputs, keep=None):
    return online_attention(*inputs, keep=keep, return_lse=True)


def parts_of(inputs, owners, keep=None):
    """Attend to the keys of each owner alone."""
    q, k, v = inputs
    parts = []
    for owner in range(4):
        mine = [key for key, other in enumerate(owners) if other == owner]
        some = None if keep is None else keep[:, mine]
        parts.append(attend((q, k[:, :, mine], v[:, :, mine]), some))
    return parts


def assert_same(ours, expected, inputs):
    """Equal outputs and sums, and gradients through both."""
    assert_equal_with_gradients(ours[0], expected[0], inputs)
    assert torch.equal(ours[1] == -math.inf, expected[1] == -math.inf)
    lses = (x[1].masked_fill(x[1] == -math.inf, 0.0) for x in (ours, expected))
    assert_equal_with_gradients(*lses, inputs[:2])


# equals the definition


@few
@given(splits, st.sampled_from([None, 0.0, 0.4, 0.9]), st.integers(0, 2**31))
def test_parts_of_the_keys_make_the_whole(owners, share, seed):
    inputs, keep = make(QUERY, KEY, seed=seed), choose(share, BATCH, KEY, seed=seed)
    assert_same(merge(parts_of(inputs, owners, keep)), attend(inputs, keep), inputs)


def test_gradcheck_with_a_part_that_saw_nothing():
    outs = [normal(2, 3, seed=seed) for seed in range(3)]
    lses = [normal(2, seed=seed) for seed in range(3, 6)]
    blind = torch.tensor([False, True])

    def join(*tensors):
        parts = list(zip(tensors[:3], tensors[3:], strict=True))
        parts[1] = parts[1][0], parts[1][1].masked_fill(blind, -math.inf)
        return merge(parts)

    assert torch.autograd.gradcheck(join, (*outs, *lses))


# properties


def test_the_order_does_not_matter():
    parts = parts_of(make(QUERY, KEY), [0, 1, 1, 3, 1, 0, 3])  # part 2 saw nothing
    whole = merge(parts)
    for order in itertools.permutations(parts):
        assert_all_close(merge(order), whole)


def test_merged_parts_merge_with_others():
    one, two, three, four = parts_of(make(QUERY, KEY), [0, 1, 1, 3, 1, 0, 2])
    whole = merge([one, two, three, four])
    assert_all_close(merge([merge([one, two]), merge([three, four])]), whole)
    assert_all_close(merge([one, merge([two, merge([three, four])])]), whole)


def test_one_part_is_the_whole():
    part = attend(make(QUERY, KEY))
    assert_all_close(merge([part]), part)


def test_a_part_counts_as_many_exponentials_as_it_has_summed():
    outs = torch.tensor([1.0, 2.0, 6.0]).reshape(3, 1, 1)
    counts = torch.tensor([[1.0], [2.0], [3.0]])
    out, lse = merge(list(zip(outs, counts.log(), strict=True)))
    assert_close(out.item(), 23 / 6, 1e-6)
    assert_close(lse.exp().item(), 6.0, 1e-5)


# edges


@pytest.mark.parametrize("n_parts", [1, 3])
def test_rows_that_no_part_saw_are_0_with_gradient_0(n_parts):
    outs = [normal(2, 3, seed=seed) for seed in range(n_parts)]
    lses = [torch.tensor([0.5, -math.inf]).double().requires_grad_() for _ in outs]
    out, lse = merge(list(zip(outs, lses, strict=True)))
    assert (out[1] == 0).all()
    assert lse[1] == -math.inf
    gradients = torch.autograd.grad(out.sum() + lse[0], [*outs, *lses])
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert all((gradient[1] == 0).all() for gradient in gradients)


def test_a_part_that_saw_nothing_changes_nothing():
    inputs = make(QUERY, KEY)
    part = attend(inputs)
    nothing = torch.zeros_like(part[0]), torch.full_like(part[1], -math.inf)
    assert_same(merge([nothing, part, nothing]), part, inputs)


@pytest.mark.parametrize("size", [1e4, -1e4])
def test_sums_of_a_large_size_neither_overflow_nor_vanish(size):
    parts = [(torch.full((1, 1), x), torch.full((1,), size)) for x in (3.0, 5.0)]
    out, lse = merge(parts)
    assert out.item() == 4.0
    assert_close(lse.item(), size + math.log(2), 1e-2)


def test_a_part_that_outweighs_the_others_by_far():
    far = torch.ones(1, 1), torch.full((1,), -1e4)
    near = torch.full((1, 1), 2.0), torch.zeros(1)
    out, lse = merge([far, near])
    assert (out.item(), lse.item()) == (2.0, 0.0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_outputs_of_lower_precision_keep_their_format(dtype):
    inputs = [x.detach().to(dtype) for x in make(QUERY, KEY)]
    out, lse = merge(parts_of(inputs, [0, 1, 1, 3, 1, 0, 2]))
    assert (out.dtype, lse.dtype) == (dtype, torch.float32)
    exact, exact_lse = attend([x.double() for x in inputs])
    assert_close(out.double(), exact, 4 * torch.finfo(dtype).eps)
    assert_close(lse.double(), exact_lse, 1e-5)


def test_no_row():
    part = attend(make(0, KEY))
    out, lse = merge([part, part])
    assert out.shape == (BATCH, HEAD, 0, D_VALUE)
    assert lse.shape == (BATCH, HEAD, 0)


# messages


def test_no_part():
    with pytest.raises(ValueError, match="need at least one part to merge, got none"):
        merge([])
