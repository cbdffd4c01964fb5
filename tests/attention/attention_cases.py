"""What the tests of attention share: inputs, the definition, and a proof."""

import math

import torch
from hypothesis import settings

from longctx_edu.attention import dense_attention, window_attention
from longctx_edu.masks import causal, dense_mask, global_tokens, padding, window

BATCH, HEAD, D_HEAD, D_VALUE = 2, 3, 4, 6
few = settings(max_examples=40, deadline=None, derandomize=True)


def normal(*shape, seed=0, dtype=torch.float64):
    """Random numbers that wait for a gradient."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=dtype).requires_grad_()


def make(
    n, n_key=None, *, batch=BATCH, head=HEAD, kv_head=None, d_head=D_HEAD,
    d_value=D_VALUE, seed=0, dtype=torch.float64,
):  # fmt: skip
    """Queries, keys and values that differ in every number."""
    n_key = n if n_key is None else n_key
    kv_head = head if kv_head is None else kv_head
    sizes = (head, n, d_head), (kv_head, n_key, d_head), (kv_head, n_key, d_value)
    return [
        normal(batch, *size, seed=seed + i, dtype=dtype) for i, size in enumerate(sizes)
    ]


def choose(share, *shape, seed=0):
    """Choose that share of the tokens, others in every text; None for None."""
    generator = torch.Generator().manual_seed(seed)
    return None if share is None else torch.rand(shape, generator=generator) < share


def spread(q, *others):
    """Give each head of queries its own copy of the keys that its group shares."""
    return [x.repeat_interleave(q.shape[1] // x.shape[1], dim=1) for x in others]


def dense(q, k, v, **options):
    """The definition; a group of query heads shares its keys."""
    return dense_attention(q, *spread(q, k, v), **options)


def dense_lse(q, k, *, mask=None, scale=None):
    """The logarithm of the summed exponentials by the book, and who sees something."""
    (k,) = spread(q, k)
    scores = q @ k.mT * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    mask = torch.ones_like(scores, dtype=torch.bool) if mask is None else mask
    sees = (mask & torch.ones_like(scores, dtype=torch.bool)).any(dim=-1)
    lse = scores.masked_fill(~mask & sees[..., None], -math.inf).logsumexp(dim=-1)
    return lse.masked_fill(~sees, -math.inf), sees


def weigh(x):
    """Sum the numbers, each with a factor of its own."""
    factors = torch.linspace(-1, 2, x.numel(), dtype=x.dtype)
    return (x * factors.reshape(x.shape)).sum()


def assert_close(got, expected, atol=1e-12):
    torch.testing.assert_close(got, expected, rtol=0, atol=atol)


def assert_all_close(got, expected, atol=1e-12):
    for one, other in zip(got, expected, strict=True):
        assert_close(one, other, atol)


def assert_equal_with_gradients(ours, expected, inputs, atol=1e-12):
    assert_close(ours, expected, atol)
    gradients = (
        torch.autograd.grad(weigh(x), inputs, materialize_grads=True, retain_graph=True)
        for x in (ours, expected)
    )
    assert_all_close(*gradients, atol)


def saved_numbers(call):
    """Count the numbers that a call keeps for its backward pass, each storage once."""
    storages = {}

    def keep(x):
        storage = x.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes() // x.element_size()
        return x

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda x: x):
        out = call()
    total = sum(storages.values())
    del out
    return total


def window_mask(n, *, left, right, dilation=1, flags=None, keep=None, look_ahead=True):
    """The mask that window attention claims, formed whole from predicates."""
    allowed = window(left=left, right=right, dilation=dilation)
    if flags is not None:
        allowed = allowed | global_tokens(flags[:, None])
    if keep is not None:
        allowed = allowed & padding(keep[:, None])
    if not look_ahead:
        allowed = allowed & causal()
    return dense_mask(allowed, n)


def assert_window_equals_dense(
    inputs, *, flags=None, keep=None, look_ahead=True, scale=None, **shape
):
    """Compare outputs and gradients under the mask that is claimed."""
    ours = window_attention(
        *inputs, **shape, global_tokens=flags, keep=keep, causal=not look_ahead,
        scale=scale,
    )  # fmt: skip
    mask = window_mask(
        inputs[0].shape[2], **shape, flags=flags, keep=keep, look_ahead=look_ahead
    )
    assert_equal_with_gradients(ours, dense(*inputs, mask=mask, scale=scale), inputs)
