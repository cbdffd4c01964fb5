import math

import mpmath
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.models.gptj import modeling_gptj
from transformers.models.llama import modeling_llama

from longctx_edu.attention import dense_attention
from longctx_edu.positions import (
    Frequencies,
    Rotation,
    rotary_frequencies,
    rotate,
    rotation,
    yarn,
)

few = settings(max_examples=40, deadline=None, derandomize=True)
BATCH, HEAD, TOKEN, D_HEAD = 2, 3, 5, 8


def normal(*shape, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)


def turned(positions, d_rotary=D_HEAD, theta=100.0, dtype=torch.float64):
    return rotation(
        torch.as_tensor(positions),
        rotary_frequencies(d_rotary, theta=theta),
        dtype=dtype,
    )


def rotate_by_loops(x, positions, d_rotary, theta, interleaved):
    """One token and one pair at a time, as a complex number that is multiplied."""
    n_pairs, out = d_rotary // 2, x.clone()
    for token, place in enumerate(positions):
        for i in range(n_pairs):
            a, b = (2 * i, 2 * i + 1) if interleaved else (i, i + n_pairs)
            angle = place * theta ** (-2 * i / d_rotary)
            cos, sin = math.cos(angle), math.sin(angle)
            out[..., token, a] = cos * x[..., token, a] - sin * x[..., token, b]
            out[..., token, b] = sin * x[..., token, a] + cos * x[..., token, b]
    return out


# equals the definition


@pytest.mark.parametrize("interleaved", [False, True])
@pytest.mark.parametrize("d_rotary", [2, 6, 8])
def test_rotate_equals_loops(interleaved, d_rotary):
    x = normal(BATCH, HEAD, TOKEN, D_HEAD).requires_grad_()
    places = [0, 7, 7, 3, 1000]
    ours = rotate(x, turned(places, d_rotary), interleaved=interleaved)
    loops = rotate_by_loops(x, places, d_rotary, 100.0, interleaved)
    torch.testing.assert_close(ours, loops, rtol=0, atol=1e-12)
    weight = normal(*x.shape, seed=1)
    got, expected = (
        torch.autograd.grad((out * weight).sum(), x)[0] for out in (ours, loops)
    )
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-12)


def test_the_attention_factor_stands_on_cosine_and_sine():
    plain = rotary_frequencies(4)
    longer = Frequencies(plain.radians, attention_factor=1.5)
    places = torch.tensor([0, 3])
    one, other = rotation(places, plain), rotation(places, longer)
    torch.testing.assert_close(other.cos, one.cos * 1.5)
    torch.testing.assert_close(other.sin, one.sin * 1.5)


# equals outside references


@pytest.mark.parametrize("place", [1, 4097, 1_000_000, -1_000_000, 2**24 + 1])
def test_cosine_and_sine_equal_mpmath_at_far_places(place):
    frequencies = rotary_frequencies(128)
    exact = rotation(torch.tensor([place]), frequencies, dtype=torch.float64)
    single = rotation(torch.tensor([place]), frequencies)
    assert single.cos.dtype == single.sin.dtype == torch.float32
    with mpmath.workdps(40):
        angles = [
            place * mpmath.mpf(10_000) ** (-mpmath.mpf(i) / 64) for i in range(64)
        ]
        cos = torch.tensor([[float(mpmath.cos(angle)) for angle in angles]]).double()
        sin = torch.tensor([[float(mpmath.sin(angle)) for angle in angles]]).double()
    for got, expected in ((exact.cos, cos), (exact.sin, sin)):
        torch.testing.assert_close(got, expected, rtol=0, atol=1e-7)
    for got, expected in ((single.cos, cos), (single.sin, sin)):
        torch.testing.assert_close(got.double(), expected, rtol=0, atol=1e-7)


def test_an_angle_in_float32_would_be_wrong_by_degrees():
    radians = rotary_frequencies(128).radians
    single = (torch.tensor(1e6) * radians.float()).double()
    wrong = (single - 1e6 * radians).abs().max()
    assert 0.04 < wrong < 0.06


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_rotate_equals_transformers(dtype):
    q, k = (normal(BATCH, HEAD, TOKEN, D_HEAD, seed=s, dtype=dtype) for s in (0, 1))
    angles = turned([3, 1, 4, 1, 5], dtype=dtype)
    cos, sin = (torch.cat([x, x], -1)[None] for x in (angles.cos, angles.sin))
    theirs = modeling_llama.apply_rotary_pos_emb(q, k, cos, sin)
    assert torch.equal(rotate(q, angles), theirs[0])
    assert torch.equal(rotate(k, angles), theirs[1])


def test_interleaved_equals_transformers():
    x = normal(BATCH, HEAD, TOKEN, D_HEAD)
    angles = turned([3, 1, 4, 1, 5])
    theirs = modeling_gptj.apply_rotary_pos_emb(
        x.transpose(1, 2), angles.sin[None], angles.cos[None]
    ).transpose(1, 2)
    assert torch.equal(rotate(x, angles, interleaved=True), theirs)


@pytest.mark.parametrize("kind", ["default", "yarn"])
def test_a_layer_of_transformers_has_the_same_cosine_and_sine(llama_config, kind):
    numbers = {} if kind == "default" else {"factor": 4.0}
    config = llama_config(kind, 16, 10_000.0, 128, **numbers)
    places = torch.tensor([[0, 100, 127], [128, 400, 511]])
    theirs = modeling_llama.LlamaRotaryEmbedding(config)(torch.zeros(1), places)
    frequencies = rotary_frequencies(16)
    if kind == "yarn":
        frequencies = yarn(frequencies, factor=4.0, trained=128)
    ours = rotation(places, frequencies)
    # Their angles are formed in float32: 511 radians are off by up to 6e-5.
    for got, expected in zip((ours.cos, ours.sin), theirs, strict=True):
        torch.testing.assert_close(got, expected[..., :8], rtol=0, atol=1e-4)
        torch.testing.assert_close(got, expected[..., 8:], rtol=0, atol=1e-4)


# properties


@few
@given(
    st.integers(-1000, 1000),
    st.integers(-1000, 1000),
    st.integers(-1_000_000, 1_000_000),
    st.sampled_from([2, 6, 8]),
    st.booleans(),
)
def test_scores_depend_on_the_distance_alone(i, j, shift, d_rotary, interleaved):
    q, k = normal(1, D_HEAD, seed=1), normal(1, D_HEAD, seed=2)

    def score(query, key):
        turn = (turned([place], d_rotary) for place in (query, key))
        a, b = (
            rotate(x, t, interleaved=interleaved)
            for x, t in zip((q, k), turn, strict=True)
        )
        return a @ b.mT

    torch.testing.assert_close(
        score(i + shift, j + shift), score(i, j), rtol=0, atol=1e-8
    )


@few
@given(st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=6))
def test_a_turn_keeps_the_length(places):
    x = normal(HEAD, len(places), D_HEAD)
    torch.testing.assert_close(rotate(x, turned(places)).norm(dim=-1), x.norm(dim=-1))


def test_place_zero_changes_nothing_and_turns_add_up():
    x = normal(HEAD, 2, D_HEAD)
    assert torch.equal(rotate(x, turned([0, 0])), x)
    twice = rotate(rotate(x, turned([3, -2])), turned([4, 2]))
    torch.testing.assert_close(twice, rotate(x, turned([7, 0])), rtol=0, atol=1e-12)


def test_the_order_of_tokens_is_in_the_places_alone():
    q, k, v = (normal(1, HEAD, TOKEN, D_HEAD, seed=s) for s in range(3))
    places, order = torch.tensor([4, 0, 9, 2, 3]), torch.tensor([3, 1, 4, 0, 2])

    def attend(q, k, v, places):
        angles = turned(places)
        return dense_attention(rotate(q, angles), rotate(k, angles), v)

    shuffled = attend(*(x[:, :, order] for x in (q, k, v)), places[order])
    torch.testing.assert_close(shuffled, attend(q, k, v, places)[:, :, order])


def test_the_numbers_beyond_the_pairs_stay():
    x = normal(HEAD, TOKEN, D_HEAD)
    out = rotate(x, turned(range(1, 6), d_rotary=6))
    assert torch.equal(out[..., 6:], x[..., 6:])
    assert not torch.isclose(out[..., :6], x[..., :6]).all(dim=-1).any()


def test_texts_with_places_of_their_own():
    x = normal(3, 3, TOKEN, D_HEAD)
    places = torch.tensor([[0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [2, 0, 2, 0, 2]])
    out = rotate(x, turned(places[:, None]))
    for text in range(3):
        alone = rotate(x[text], turned(places[text]))
        assert torch.equal(out[text], alone)


def test_places_between_tokens():
    x = normal(1, D_HEAD)
    half = rotate(rotate(x, turned([2.5])), turned([2.5]))
    torch.testing.assert_close(half, rotate(x, turned([5])), rtol=0, atol=1e-12)


def test_bfloat16_is_turned_in_float32_and_rounded_once():
    x = normal(HEAD, TOKEN, D_HEAD, dtype=torch.bfloat16)
    places = [1000, 20_000, 300_000, 4, 77]
    out = rotate(x, turned(places, dtype=torch.float32))
    assert out.dtype == torch.bfloat16
    exact = rotate(x.double(), turned(places))
    torch.testing.assert_close(out, exact.bfloat16(), rtol=2**-8, atol=1e-6)


# edges


def test_no_token_and_one_token():
    assert rotate(normal(HEAD, 0, D_HEAD), turned([0][:0])).shape == (HEAD, 0, D_HEAD)
    assert rotate(normal(1, D_HEAD), turned([9])).shape == (1, D_HEAD)


# messages


def said(call, *args):
    with pytest.raises(ValueError) as error:
        call(*args)
    return str(error.value)


def test_more_angles_than_pairs():
    assert said(rotate, normal(HEAD, TOKEN, 6), turned(range(5))) == (
        "need d_head >= 8, two numbers for each of 4 angles, got d_head=6"
    )


@pytest.mark.parametrize("shape", [(4, 4), (3, 5, 4), (2, 3, 1, 4), (3, 1, 5, 4)])
def test_angles_that_do_not_fit(shape):
    x = (
        normal(3, 3, TOKEN, D_HEAD)
        if shape == (3, 5, 4)
        else normal(2, 3, TOKEN, D_HEAD)
    )
    angles = Rotation(torch.zeros(shape), torch.zeros(shape))
    assert said(rotate, x, angles) == (
        "need angles of shape (token, pair), or with the 4 axes of x, "
        f"{tuple(x.shape)}, got {shape}: for texts with places of their own make "
        "them of positions[:, None]"
    )


@pytest.mark.parametrize(
    ("dtype", "exact"), [(torch.bfloat16, 256), (torch.float16, 2048)]
)
def test_places_that_were_rounded(dtype, exact):
    places = torch.arange(4).to(dtype)
    assert said(rotation, places, rotary_frequencies(4)) == (
        f"need positions as whole numbers, float32 or float64, got {dtype}, which "
        f"rounds above {exact}"
    )
