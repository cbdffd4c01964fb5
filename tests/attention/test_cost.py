import re

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from longctx_edu.attention import (
    attention_operations,
    attention_weights,
    dense_attention,
    full_pairs,
    input_output_bytes,
    kv_cache_bytes,
    score_bytes,
)

BATCH, HEAD, KV_HEAD, QUERY, KEY, D_HEAD, D_VALUE = 2, 6, 3, 5, 7, 4, 8


def make(dtype=torch.float32):
    sizes = (HEAD, QUERY, D_HEAD), (HEAD, KEY, D_HEAD), (HEAD, KEY, D_VALUE)
    return [
        torch.zeros(BATCH, *size, dtype=dtype, requires_grad=True) for size in sizes
    ]


# equals what torch counts


@pytest.mark.parametrize("backward", [False, True])
def test_operations_are_those_that_torch_counts(backward):
    with FlopCounterMode(display=False) as counter:
        out = dense_attention(*make())
        if backward:
            out.sum().backward()
    wanted = attention_operations(
        full_pairs(QUERY, KEY),
        n_heads=BATCH * HEAD,
        d_head=D_HEAD,
        d_value=D_VALUE,
        backward=backward,
    )
    assert counter.get_total_flops() == wanted


def test_operations_of_a_kernel_that_forms_the_scores_again():
    q, k, v = (x.detach() for x in make())
    with FlopCounterMode(display=False) as counter:
        weights = q @ k.mT
        grad = weights @ v
        weights = q @ k.mT  # again
        from_values = grad @ v.mT
        for product in (weights.mT, grad), (from_values, k), (from_values.mT, q):
            product[0] @ product[1]
    wanted = attention_operations(
        full_pairs(QUERY, KEY),
        n_heads=BATCH * HEAD,
        d_head=D_HEAD,
        d_value=D_VALUE,
        backward=True,
        recompute=True,
    )
    assert counter.get_total_flops() == wanted


@pytest.mark.parametrize(
    ("options", "wanted"),
    [({}, 4), ({"backward": True}, 12), ({"backward": True, "recompute": True}, 14)],
)
def test_operations_a_pair_and_number(options, wanted):
    assert attention_operations(1, n_heads=1, d_head=1, **options) == wanted


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_bytes_are_those_of_the_tensors(dtype):
    q, k, v = make(dtype)
    sizes = {"n_heads": HEAD, "number_bytes": dtype.itemsize, "batch": BATCH}
    assert score_bytes(QUERY, KEY, **sizes) == attention_weights(q, k).nbytes
    tensors = (q, k, v, dense_attention(q, k, v))
    widths = {"d_head": D_HEAD, "d_value": D_VALUE}
    found = input_output_bytes(QUERY, KEY, **widths, **sizes)
    assert found == sum(x.nbytes for x in tensors)
    shared = q, k[:, :KV_HEAD], v[:, :KV_HEAD], tensors[3]
    found = input_output_bytes(QUERY, KEY, n_kv_heads=KV_HEAD, **widths, **sizes)
    assert found == sum(x.nbytes for x in shared)


@pytest.mark.parametrize(
    ("read", "kept", "options"),
    [
        (9, 9, {}),
        (9, 4, {"window": 4}),
        (9, 6, {"window": 4, "sinks": 2}),
        (5, 5, {"window": 4, "sinks": 2}),
        (0, 0, {"window": 4, "sinks": 2}),
    ],
)
def test_a_cache_is_as_large_as_its_tensors(read, kept, options):
    layers = [
        [torch.empty(BATCH, KV_HEAD, kept, D_HEAD, dtype=torch.float16)] * 2
        for _ in range(3)
    ]
    found = kv_cache_bytes(
        read, n_layers=3, n_kv_heads=KV_HEAD, d_head=D_HEAD, batch=BATCH, **options
    )
    assert found == sum(x.nbytes for pair in layers for x in pair)


# known figures


def test_the_cache_of_an_8b_llama():
    llama = {"n_layers": 32, "n_kv_heads": 8, "d_head": 128}
    assert kv_cache_bytes(1, **llama) == 128 * 2**10
    assert kv_cache_bytes(131_072, **llama) == 16 * 2**30


def test_the_square_of_scores_at_131072_tokens():
    assert score_bytes(131_072, n_heads=8) == 512 * 2**30
    assert input_output_bytes(131_072, n_heads=8, d_head=64) == 2**30


# messages


def test_forming_the_scores_again_without_a_backward_pass():
    with pytest.raises(ValueError, match="need backward=True with recompute=True"):
        attention_operations(1, n_heads=1, d_head=1, recompute=True)


def test_sinks_without_a_window():
    text = "need a window beside sinks, got sinks=4 and none"
    with pytest.raises(ValueError, match=re.escape(text)):
        kv_cache_bytes(9, n_layers=1, n_kv_heads=1, d_head=1, sinks=4)
