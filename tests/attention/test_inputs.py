import inspect
import math
import re

import pytest
import torch
from attention_cases import make

from longctx_edu.attention.inputs import (
    check_dropout,
    check_flags,
    check_heads,
    check_pairs,
    check_scale,
    outside_autocast,
    same_format,
)

QUERY, KEY = 5, 7
FLAGS = torch.ones(2, KEY).bool()


def refused(text):
    return pytest.raises(ValueError, match=f"^{re.escape(text)}")


def zeros(*shape, dtype=torch.float32, device="cpu"):
    return torch.zeros(shape, dtype=dtype, device=device)


# what is accepted


@pytest.mark.parametrize("kv_head", [1, 2, 3, 6])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_queries_keys_and_values_that_fit(kv_head, dtype):
    check_heads(*make(QUERY, KEY, head=6, kv_head=kv_head, dtype=dtype))
    check_heads(*make(KEY, head=6, kv_head=kv_head, dtype=dtype), same_length=True)
    check_heads(*make(0, 0, batch=0))


def test_flags_that_fit():
    _, k, _ = make(QUERY, KEY)
    check_flags("keep", None, k)
    check_flags("keep", FLAGS, k)


@pytest.mark.parametrize("dropout", [0.0, 0.1, 0.999])
def test_shares_of_dropout(dropout):
    check_dropout(dropout)


def test_a_scale_and_the_one_by_default():
    q, *_ = make(QUERY, d_head=4)
    assert check_scale(None, q) == 0.5
    assert check_scale(-2.0, q) == -2.0
    assert check_scale(0.0, q) == 0.0


def test_the_format_of_autocast():
    q, k, v = zeros(2), zeros(2, dtype=torch.float16), zeros(2, dtype=torch.float64)
    whole = torch.zeros(2).long()
    assert same_format(q, k, v) == (q, k, v)
    with torch.autocast("cpu", torch.bfloat16):
        formats = [x.dtype for x in same_format(q, k, v, whole)]
        away = same_format(zeros(2, device="meta"))[0].dtype
    short = torch.bfloat16  # float64 stays, as in torch's own products
    assert formats == [short, short, torch.float64, torch.int64]
    assert away == torch.float32


def test_a_pass_outside_of_autocast():
    @outside_autocast
    def product(ctx, x):
        return (x @ x).dtype

    x = zeros(2, 2)
    with torch.autocast("cpu", torch.bfloat16):
        assert (x @ x).dtype == torch.bfloat16
        assert product(None, x) == torch.float32
        assert product(None, x.to("meta")) is not None
        assert (x @ x).dtype == torch.bfloat16
    assert product(None, x) == torch.float32


# messages


@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_axis_that_is_missing(place):
    inputs = [zeros(2, 3, 5, 4), zeros(2, 3, 5, 4), zeros(2, 3, 5, 6)]
    inputs[place] = inputs[place][0]
    shapes = ", ".join(
        f"{name} {tuple(x.shape)}" for name, x in zip("qkv", inputs, strict=True)
    )
    with refused(f"need q, k and v of shape (batch, head, token, d), got {shapes}"):
        check_heads(*inputs)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_number_format_of_its_own(place):
    inputs = make(QUERY, KEY)
    inputs[place] = inputs[place].float()
    formats = ["torch.float64"] * 3
    formats[place] = "torch.float32"
    q, k, v = formats
    with refused(f"need q, k and v of one float format, got q {q}, k {k}, v {v}"):
        check_heads(*inputs)


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64])
def test_numbers_that_are_no_floats(dtype):
    x = zeros(2, 3, 5, 4, dtype=dtype)
    with refused(f"need q, k and v of one float format, got q {dtype}, k {dtype}"):
        check_heads(x, x, x)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_device_of_its_own(place):
    inputs, devices = make(QUERY, KEY), ["cpu"] * 3
    inputs[place], devices[place] = inputs[place].to("meta"), "meta"
    q, k, v = devices
    with refused(f"need q, k and v on one device, got q on {q}, k on {k}, v on {v}"):
        check_heads(*inputs)


@pytest.mark.parametrize(
    ("q", "k", "v"),
    [
        ((2, 3, 5, 4), (1, 3, 7, 4), (1, 3, 7, 6)),
        ((2, 3, 5, 4), (2, 3, 7, 4), (1, 3, 7, 6)),
        ((2, 3, 5, 4), (2, 3, 7, 4), (2, 1, 7, 6)),
        ((2, 3, 5, 4), (2, 3, 7, 4), (2, 3, 6, 6)),
    ],
)
def test_keys_and_values_that_do_not_belong_together(q, k, v):
    with refused(
        f"need one batch for all, and as many keys as values, got q {q}, k {k}, v {v}"
    ):
        check_heads(zeros(*q), zeros(*k), zeros(*v))


def test_queries_and_keys_of_another_width():
    with refused(
        "need queries and keys of one width, "
        "got q (2, 3, 5, 4), k (2, 3, 7, 3), v (2, 3, 7, 6)"
    ):
        check_heads(zeros(2, 3, 5, 4), zeros(2, 3, 7, 3), zeros(2, 3, 7, 6))


@pytest.mark.parametrize(("d_head", "d_value"), [(0, 6), (4, 0)])
def test_vectors_of_no_width(d_head, d_value):
    q, k, v = zeros(2, 3, 5, d_head), zeros(2, 3, 7, d_head), zeros(2, 3, 7, d_value)
    shapes = f"q {tuple(q.shape)}, k {tuple(k.shape)}, v {tuple(v.shape)}"
    with refused(f"need vectors of width >= 1, got {shapes}"):
        check_heads(q, k, v)


@pytest.mark.parametrize(("head", "kv_head"), [(3, 2), (2, 3), (2, 4), (0, 2), (2, 0)])
def test_heads_that_do_not_divide(head, kv_head):
    keys = zeros(2, kv_head, 7, 4)
    with refused(
        f"need heads of k and v that divide the heads of q, got {kv_head} and {head}"
    ):
        check_heads(zeros(2, head, 5, 4), keys, keys)


def test_as_many_keys_as_queries_only_where_it_must_be():
    inputs = make(QUERY, KEY)
    check_heads(*inputs)
    with refused("need as many keys as queries, got 7 and 5"):
        check_heads(*inputs, same_length=True)


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (
            FLAGS.float(),
            "need keep with one bool a token, of shape (2, 7), got torch.float32 "
            "of shape (2, 7)",
        ),
        (
            FLAGS[0],
            "need keep with one bool a token, of shape (2, 7), got torch.bool "
            "of shape (7,)",
        ),
        (
            FLAGS[:, None],
            "need keep with one bool a token, of shape (2, 7), got torch.bool "
            "of shape (2, 1, 7)",
        ),
        (
            FLAGS.int(),
            "need keep of bools, True for a token that is meant, got torch.int32: "
            "say keep.bool()",
        ),
        (FLAGS[:1], "need keep of shape (batch, token) = (2, 7), got (1, 7)"),
        (FLAGS[:, :5], "need keep of shape (batch, token) = (2, 7), got (2, 5)"),
        (FLAGS.to("meta"), "need keep on cpu, got it on meta"),
    ],
)
def test_flags_that_do_not_fit(flags, text):
    _, k, _ = make(QUERY, KEY)
    with refused(text):
        inspect.unwrap(check_flags)("keep", flags, k)
    with refused(text.replace("keep", "global_tokens")):
        inspect.unwrap(check_flags)("global_tokens", flags, k)


@pytest.mark.parametrize(
    ("q", "k", "text"),
    [
        ((5, 4), (7, 3), "need queries and keys of one width >= 1, got q (5, 4) and"),
        ((5, 0), (7, 0), "need queries and keys of one width >= 1, got q (5, 0) and"),
    ],
)
def test_pairs_of_another_width(q, k, text):
    with refused(text):
        check_pairs(zeros(*q), zeros(*k))


def test_pairs_of_two_number_formats_outside_of_autocast():
    q, k = zeros(5, 4), zeros(7, 4, dtype=torch.float64)
    for device in ("cpu", "meta"):
        with refused("need q and k of one format, got torch.float32 and torch.float64"):
            check_pairs(q.to(device), k.to(device))
    with torch.autocast("cpu", torch.bfloat16):
        check_pairs(q, k)


@pytest.mark.parametrize("name", ["mask", "bias"])
@pytest.mark.parametrize("shape", [(), (1,), (7,), (5, 1), (5, 7), (2, 1, 5, 7)])
def test_what_stretches_to_the_scores(name, shape):
    x = zeros(*shape, dtype=torch.bool if name == "mask" else torch.float32)
    check_pairs(zeros(2, 3, 5, 4), zeros(2, 3, 7, 4), **{name: x})


@pytest.mark.parametrize("name", ["mask", "bias"])
@pytest.mark.parametrize("shape", [(5,), (7, 5), (2, 5, 7), (1, 2, 3, 5, 7), (0, 7)])
def test_what_does_not_stretch_to_the_scores(name, shape):
    x = zeros(*shape, dtype=torch.bool if name == "mask" else torch.float32)
    with refused(
        f"need a {name} of shape (..., query, key) = (2, 3, 5, 7), or 1 in an axis, "
        f"got {shape}"
    ):
        check_pairs(zeros(2, 3, 5, 4), zeros(2, 3, 7, 4), **{name: x})


def test_a_bias_in_another_number_format():
    q, k, bias = zeros(5, 4), zeros(7, 4), zeros(5, 7, dtype=torch.float64)
    with refused(
        "need a bias in the format of q, got torch.float64 and torch.float32: "
        "say bias.to(q.dtype)"
    ):
        check_pairs(q, k, bias=bias)
    with torch.autocast("cpu", torch.bfloat16):
        check_pairs(q, k, bias=bias)


def test_a_mask_of_numbers():
    with refused(
        "need a mask of bools, True where the query may look at the key, got "
        "torch.float32: numbers that are added to the scores are a bias"
    ):
        check_pairs(zeros(5, 4), zeros(7, 4), mask=zeros(5, 7))


def test_a_bias_of_another_format():
    q, k, bias = zeros(5, 4).bfloat16(), zeros(7, 4).bfloat16(), zeros(5, 7)
    with refused(
        "need a bias in the format of q, got torch.float32 and torch.bfloat16: say"
    ):
        check_pairs(q, k, bias=bias)
    check_pairs(q, k, bias=bias.to(q.dtype))


@pytest.mark.parametrize("dropout", [-0.1, 1.0, 1.5, math.nan])
def test_a_share_that_is_none(dropout):
    with refused(f"need a dropout from 0 to below 1, got {dropout}"):
        check_dropout(dropout)


@pytest.mark.parametrize("scale", [math.inf, -math.inf, math.nan])
def test_a_scale_that_is_no_number(scale):
    with refused(f"need a scale that is a finite number, got {scale}"):
        check_scale(scale, make(QUERY)[0])
