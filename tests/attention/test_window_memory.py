"""Window attention and memory: how much, in which order, and that inputs stay."""

from functools import partial

import pytest
import torch
from attention_cases import (
    BATCH,
    D_HEAD,
    D_VALUE,
    HEAD,
    assert_all_close,
    assert_close,
    choose,
    dense,
    make,
    normal,
    saved_numbers,
    weigh,
    window_mask,
)
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from longctx_edu.attention import window_attention
from longctx_edu.shapes import split_heads

TOKEN = 150  # more blocks than one stand in a run
SHAPE = {"left": 4, "right": 2}


def attend_with(flags=None, **options):
    """Window attention and its definition."""
    ours = partial(window_attention, **SHAPE, global_tokens=flags, **options)

    def by_the_book(q, k, v):
        mask = window_mask(q.shape[2], **SHAPE, **options, flags=flags)
        return dense(q, k, v, mask=mask)

    return ours, by_the_book


# any order in memory


def projected(batch, n, head, kv_head):
    """Queries, keys and values as one projection gives them: tokens before heads."""
    x = normal(batch, n, (head + 2 * kv_head) * D_HEAD).detach()
    parts = x.split([head * D_HEAD, kv_head * D_HEAD, kv_head * D_HEAD], dim=2)
    heads = (head, kv_head, kv_head)
    return [split_heads(part, n) for part, n in zip(parts, heads, strict=True)]


def turned(x):
    """The same numbers with tokens, not widths, side by side in memory."""
    return x.mT.contiguous().mT


def shared(x):
    """One vector for all heads, in one place."""
    return x[:, :1].expand_as(x)


orders = {
    "projected": lambda batch: projected(batch, TOKEN, 4, 4),
    "projected, in groups": lambda batch: projected(batch, TOKEN, 4, 2),
    "turned": lambda batch: [turned(x) for x in projected(batch, TOKEN, 4, 4)],
    "shared by heads": lambda batch: [
        shared(x) for x in make(TOKEN, batch=batch, d_value=D_HEAD)
    ],
    "reversed heads": lambda batch: [
        x.transpose(1, 2).contiguous().transpose(1, 2).flip(1)
        for x in make(TOKEN, batch=batch, d_value=D_HEAD)
    ],
    "cut from a longer text": lambda batch: [
        x[:, :, 20 : 20 + TOKEN] for x in make(200, batch=batch, d_value=D_HEAD)
    ],
    "width 1": lambda batch: [
        x.transpose(1, 3) for x in make(TOKEN, batch=batch, head=1, d_head=3, d_value=3)
    ],
}


@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("global_share", [None, 0.05])
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("order", orders)
def test_inputs_in_any_order(order, batch, global_share, dilation):
    inputs = [x.detach().requires_grad_() for x in orders[order](batch)]
    flags = choose(global_share, batch, TOKEN)
    shape = {"left": 4, "right": 2, "dilation": dilation}
    ours = window_attention(*inputs, **shape, global_tokens=flags)
    whole = [x.detach().contiguous().requires_grad_() for x in inputs]
    expected = dense(*whole, mask=window_mask(TOKEN, **shape, flags=flags))
    assert_close(ours, expected)
    assert_all_close(
        torch.autograd.grad(weigh(ours), inputs),
        torch.autograd.grad(weigh(expected), whole),
    )


gradients = {
    "one number": lambda x: torch.ones(()).double().expand_as(x),
    "one vector": lambda x: x[:1, :1, :1].expand_as(x),
    "one text": lambda x: x[:1].expand_as(x),
    "tokens before heads": lambda x: x.transpose(1, 2).contiguous().transpose(1, 2),
    "turned": turned,
}


@pytest.mark.parametrize("global_share", [None, 0.05])
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("name", gradients)
def test_a_gradient_in_any_order(name, batch, global_share):
    inputs = make(TOKEN, batch=batch, d_value=D_HEAD)
    grad = gradients[name](normal(*inputs[0].shape, seed=9).detach())
    assert name == "turned" or not grad.is_contiguous() or batch == 1
    ours, by_the_book = attend_with(choose(global_share, batch, TOKEN))
    assert_all_close(
        torch.autograd.grad(ours(*inputs), inputs, grad),
        torch.autograd.grad(by_the_book(*inputs), inputs, grad),
    )


# what comes in stays


def test_inputs_are_not_changed():
    inputs = make(TOKEN)
    flags, keep = choose(0.05, BATCH, TOKEN), choose(0.8, BATCH, TOKEN, seed=1)
    grad = normal(*inputs[2].shape, seed=9).detach()
    given_in = [*(x.detach() for x in inputs), flags, keep, grad]
    before = [x.clone() for x in given_in]
    out = window_attention(*inputs, **SHAPE, global_tokens=flags, keep=keep)
    torch.autograd.grad(out, inputs, grad)
    assert all(torch.equal(a, b) for a, b in zip(given_in, before, strict=True))


@pytest.mark.parametrize("global_share", [None, 0.05])
def test_a_second_backward_pass_but_none_through_the_first(global_share):
    inputs = make(TOKEN)
    ours, _ = attend_with(choose(global_share, BATCH, TOKEN))
    total = ours(*inputs).square().sum()
    first = torch.autograd.grad(total, inputs, retain_graph=True)
    assert_all_close(torch.autograd.grad(total, inputs, retain_graph=True), first, 0.0)
    (gradient, *_) = torch.autograd.grad(total, inputs, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


def test_an_input_that_changes_before_the_backward_pass_is_noticed():
    inputs = [x.detach().requires_grad_() for x in make(TOKEN)]
    out = window_attention(*inputs, **SHAPE)
    with torch.no_grad():
        inputs[1].add_(1)
    with pytest.raises(RuntimeError, match=r"modified (by an )?inplace"):
        out.sum().backward()


@pytest.mark.parametrize("wanted", [0, 1, 2])
def test_a_gradient_may_be_asked_for_alone(wanted):
    inputs = make(TOKEN)
    ours, _ = attend_with(choose(0.05, BATCH, TOKEN))
    every = torch.autograd.grad(weigh(ours(*inputs)), inputs)
    alone = [x.detach().requires_grad_(i == wanted) for i, x in enumerate(inputs)]
    (one,) = torch.autograd.grad(weigh(ours(*alone)), alone[wanted])
    assert torch.equal(one, every[wanted])


# linear memory


class Formed(TorchDispatchMode):
    """Counts the bytes of every tensor that is formed, forward and backward."""

    def __init__(self):
        super().__init__()
        self.seen, self.largest, self.total = {}, 0, 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for x in tree_leaves(out):
            if isinstance(x, torch.Tensor) and x.untyped_storage().data_ptr():
                storage = x.untyped_storage()
                if storage._cdata not in self.seen:
                    self.seen[storage._cdata] = storage  # kept, so no id comes twice
                    self.largest = max(self.largest, storage.nbytes())
                    self.total += storage.nbytes()
        return out


def bytes_formed(n, *, d_value, options):
    inputs = make(n, batch=1, d_value=d_value, dtype=torch.float32)
    with Formed() as formed:
        out = window_attention(*inputs, left=8, right=8, **options(n))
        out.sum().backward()
    return formed


def plain(n):
    return {}


def everything(n):
    return {
        "global_tokens": torch.arange(n)[None] < 3,
        "keep": torch.arange(n)[None] < n - 5,
        "dilation": 2,
    }


def holes(n):
    return {"keep": choose(0.99, 1, n)}


def dropped(n):
    return {"dropout": 0.1, "global_tokens": torch.arange(n)[None] < 3}


@pytest.mark.parametrize("d_value", [D_HEAD, D_VALUE])
@pytest.mark.parametrize("options", [plain, everything, holes, dropped])
def test_memory_is_linear_and_the_square_is_never_formed(options, d_value):
    n = 2048
    short = bytes_formed(n, d_value=d_value, options=options)
    long = bytes_formed(2 * n, d_value=d_value, options=options)
    assert long.largest < 2.2 * short.largest
    assert long.total < 2.05 * short.total
    assert long.largest < (2 * n) ** 2  # bytes: less than a square of bools


@pytest.mark.parametrize("options", [plain, everything, holes, dropped])
def test_what_is_kept_for_the_backward_pass_is_linear(options):
    def kept(n):
        inputs = make(n, batch=1, dtype=torch.float32)
        attend = partial(window_attention, left=8, right=8, **options(n))
        return saved_numbers(lambda: attend(*inputs))

    assert kept(512) == HEAD * 512 * (2 * D_HEAD + 2 * D_VALUE + 1)  # with out, lse
    assert kept(1024) == 2 * kept(512)
