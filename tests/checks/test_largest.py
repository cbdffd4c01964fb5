import math

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from longctx_edu.checks import largest_tensor
from longctx_edu.checks.oracles import drawn


def attend(q, k, v):
    return (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1) @ v


def attend_and_learn(q, k, v):
    attend(q, k, v).sum().backward()


def test_dense_attention_forms_the_square():
    q, k, v = drawn(50, 4), drawn(70, 4), drawn(70, 3)
    assert largest_tensor(attend, q, k, v) == 50 * 70


def test_a_backward_pass_is_seen():
    q, k, v = (drawn(n, 4).requires_grad_() for n in (20, 30, 30))
    with torch.no_grad():
        weights = (q @ k.mT).softmax(-1)

    class Hidden(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, grad):
            return grad + weights.mT.repeat(10, 1).sum()

    assert largest_tensor(attend_and_learn, q, k, v) == 20 * 30
    assert largest_tensor(lambda x: Hidden.apply(x).sum().backward(), q) == 6000


def test_the_fused_kernel_forms_no_square():
    q = drawn(1, 2, 300, 8)
    assert largest_tensor(scaled_dot_product_attention, q, q, q) <= q.numel()


@pytest.mark.parametrize(
    ("call", "size"),
    [
        (lambda x: None, 0),
        (lambda x: x.expand(100, 100, 4), 0),
        (lambda x: x[:, :2].mT, 0),
        (lambda x: x + 1, 4),
        (lambda x: (x + 1).expand(100, 100, 4), 4),
        (lambda x: torch.zeros(1, 1).expand(9, 9), 1),
        (lambda x: torch.arange(7)[:, None] > torch.arange(6), 42),
        (lambda x: [x.mul(2), {"one": torch.zeros(3, 3)}], 9),
        (lambda x: torch.max(x.repeat(5, 1), dim=0), 20),
        (lambda x: x.repeat(8, 8)[:1, :1], 256),
        (lambda x: torch.cat([x] * 6)[2:3].clone(), 24),
        (lambda x: torch.empty(11, 11), 121),
        (lambda x: torch.sort(x.expand(50, 4)), 200),
        (lambda x: x.double(), 4),
    ],
)
def test_what_counts(call, size):
    assert largest_tensor(call, torch.zeros(1, 4)) == size


def test_what_comes_by_name_is_an_input_too():
    assert largest_tensor(lambda *, pair: pair[0].T, pair=[torch.zeros(9, 9)]) == 0


def test_the_count_is_the_same_each_time():
    q = drawn(33, 4)
    assert len({largest_tensor(attend, q, q, q) for _ in range(3)}) == 1


def test_an_error_passes_and_leaves_nothing_behind():
    with pytest.raises(ZeroDivisionError):
        largest_tensor(lambda: torch.zeros(3) if 1 / 0 else None)
    assert largest_tensor(lambda: torch.zeros(3)) == 3
