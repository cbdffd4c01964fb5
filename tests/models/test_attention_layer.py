from functools import partial

import pytest
import torch
from torch import nn

from longctx_edu.attention import dense_attention, full_attention, window_attention
from longctx_edu.masks import causal, dense_mask, global_tokens, padding, window
from longctx_edu.models import MultiHeadAttention, attention_named
from longctx_edu.shapes import merge_heads, split_heads

BATCH, TOKENS, D_MODEL, HEADS = 2, 5, 12, 3


def ours_and_torchs(generator):
    """Our layer and torch's with the same weights, in float64."""
    ours = MultiHeadAttention(D_MODEL, HEADS).double()
    theirs = nn.MultiheadAttention(D_MODEL, HEADS, batch_first=True).double()
    for parameter in ours.parameters():
        nn.init.normal_(parameter, generator=generator)
    ours_in = (ours.q_proj, ours.k_proj, ours.v_proj)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([each.weight for each in ours_in]))
        theirs.in_proj_bias.copy_(torch.cat([each.bias for each in ours_in]))
        theirs.out_proj.load_state_dict(ours.out_proj.state_dict())
    return ours, theirs


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(3)


def tokens(generator, n_tokens=TOKENS):
    size = (BATCH, n_tokens, D_MODEL)
    return torch.randn(size, generator=generator, dtype=torch.float64)


# equals torch's layer


def test_equals_torch_forward_and_gradient(generator):
    ours, theirs = ours_and_torchs(generator)
    mine = tokens(generator).requires_grad_()
    copied = mine.detach().clone().requires_grad_()
    out, wanted = ours(mine), theirs(copied, copied, copied)[0]
    torch.testing.assert_close(out, wanted)
    out.square().sum().backward()
    wanted.square().sum().backward()
    torch.testing.assert_close(mine.grad, copied.grad)


def test_equals_torch_with_other_keys_and_a_mask(generator):
    ours, theirs = ours_and_torchs(generator)
    x, context = tokens(generator), tokens(generator, 7)
    mask = torch.rand(TOKENS, 7, generator=generator) < 0.6
    mask[:, 0] = True
    wanted = theirs(x, context, context, attn_mask=~mask)[0]
    torch.testing.assert_close(ours(x, context, mask=mask), wanted)


# it receives its attention


def test_it_receives_its_attention(generator):
    layer, _ = ours_and_torchs(generator)
    x = tokens(generator)
    wanted = layer(x)
    layer.attention = full_attention
    torch.testing.assert_close(layer(x), wanted)
    layer.attention = window_attention
    torch.testing.assert_close(layer(x, left=TOKENS, right=TOKENS), wanted)


def test_the_default_is_the_definition():
    assert MultiHeadAttention(D_MODEL, HEADS).attention is dense_attention


# a start at which a token looks at tokens like itself


def test_start_alike_makes_a_token_look_at_its_like(generator):
    layer = MultiHeadAttention(D_MODEL, HEADS).double()
    layer.start_alike(gain=1.5)
    x = tokens(generator)
    q, k = layer.q_proj(x), layer.k_proj(x)
    assert torch.equal(q, k)
    torch.testing.assert_close(q.norm(dim=-1), 1.5 * x.norm(dim=-1))


# global tokens with projections of their own

FLAGS = torch.tensor([[0, 1, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 1, 0]]).bool()
KEEP = torch.tensor([[1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1, 0]]).bool()


def with_global_projections(generator, **window):
    attention = partial(window_attention, **window)
    layer = MultiHeadAttention(D_MODEL, HEADS, attention, global_projections=True)
    for parameter in layer.parameters():
        nn.init.normal_(parameter, std=0.3, generator=generator)
    return layer.double()


def by_the_book(layer, x, flags, keep, *, look_ahead):
    """Dense attention twice: local tokens by their window, global ones to all."""
    heads = lambda f: split_heads(f(x), HEADS)
    local = [heads(f) for f in (layer.q_proj, layer.k_proj, layer.v_proj)]
    of_global = [heads(layer.global_proj[name]) for name in "qkv"]
    near = window(left=1, right=1) | global_tokens(flags[:, None])
    everything = window(left=None, right=None)
    keep = padding(keep[:, None])
    masks = [near & keep, everything & keep]
    if not look_ahead:
        masks = [mask & causal() for mask in masks]
    near, everything = (dense_mask(mask, x.shape[1]) for mask in masks)
    rows = dense_attention(*of_global, mask=everything)
    out = torch.where(flags[:, None, :, None], rows, dense_attention(*local, mask=near))
    return layer.out_proj(merge_heads(out))


@pytest.mark.parametrize("bound", [True, False])
@pytest.mark.parametrize("look_ahead", [True, False])
def test_global_projections_equal_dense_forward_and_gradient(
    generator, look_ahead, bound
):
    options = {"causal": not look_ahead}
    layer = with_global_projections(
        generator, left=1, right=1, **options if bound else {}
    )
    x = tokens(generator, 7).requires_grad_()
    out = layer(x, global_tokens=FLAGS, keep=KEEP, **{} if bound else options)
    wanted = by_the_book(layer, x, FLAGS, KEEP, look_ahead=look_ahead)
    torch.testing.assert_close(out, wanted, rtol=0, atol=1e-12)
    factor = torch.randn(out.shape, generator=generator, dtype=torch.float64)
    leaves = [x, *layer.parameters()]
    for got, expected in zip(
        torch.autograd.grad((out * factor).sum(), leaves),
        torch.autograd.grad((wanted * factor).sum(), leaves),
        strict=True,
    ):
        torch.testing.assert_close(got, expected, rtol=0, atol=1e-11)


def test_global_projections_change_no_row_of_a_local_token(generator):
    layer = with_global_projections(generator, left=1, right=1)
    x = tokens(generator, 7)
    before = layer(x, global_tokens=FLAGS)
    for parameter in layer.global_proj.parameters():
        nn.init.normal_(parameter, generator=generator)
    after = layer(x, global_tokens=FLAGS)
    assert torch.equal((after != before).any(dim=-1), FLAGS)


def test_global_projections_start_as_copies_and_change_nothing_at_first(generator):
    plain, own = (
        MultiHeadAttention(
            D_MODEL,
            HEADS,
            partial(window_attention, left=1, right=1),
            global_projections=with_own,
        ).double()
        for with_own in (False, True)
    )
    x = tokens(generator, 7)
    for start in (lambda layer: None, lambda layer: layer.start_alike(gain=1.5)):
        start(own)
        plain.load_state_dict(own.state_dict(), strict=False)
        pattern = {"global_tokens": FLAGS, "keep": KEEP}
        torch.testing.assert_close(own(x, **pattern), plain(x, **pattern))
    for name in "qkv":
        weight = getattr(own, f"{name}_proj").weight
        assert own.global_proj[name].weight.data_ptr() != weight.data_ptr()


def test_global_projections_without_a_global_token_change_nothing(generator):
    layer = with_global_projections(generator, left=1, right=1)
    x = tokens(generator, 7)
    assert torch.equal(layer(x, global_tokens=torch.zeros_like(FLAGS)), layer(x))


def test_global_projections_in_full_attention(generator):
    layer = with_global_projections(generator)
    layer.attention = attention_named("full")
    x = tokens(generator, 7)
    out = layer(x, global_tokens=FLAGS, keep=KEEP)
    layer.attention = partial(window_attention, left=None, right=None)
    torch.testing.assert_close(out, layer(x, global_tokens=FLAGS, keep=KEEP))


def test_without_global_projections_nothing_is_new():
    layer = MultiHeadAttention(D_MODEL, HEADS)
    names = [f"{name}_proj.{kind}" for name in ("q", "k", "v", "out")
             for kind in ("weight", "bias")]  # fmt: skip
    assert list(layer.state_dict()) == names
    torch.manual_seed(5)
    plain = MultiHeadAttention(D_MODEL, HEADS)
    torch.manual_seed(5)
    own = MultiHeadAttention(D_MODEL, HEADS, global_projections=True)
    for name in names:
        assert torch.equal(own.state_dict()[name], plain.state_dict()[name])


def test_global_projections_beside_another_context(generator):
    layer = with_global_projections(generator, left=1, right=1)
    x = tokens(generator, 7)
    with pytest.raises(ValueError, match="need no context beside global_projections"):
        layer(x, x)


# edges and messages


def test_one_token_gives_its_own_value(generator):
    layer, _ = ours_and_torchs(generator)
    x = tokens(generator, 1)
    torch.testing.assert_close(layer(x), layer.out_proj(layer.v_proj(x)))


@pytest.mark.parametrize("n_heads", [0, 5])
def test_heads_that_do_not_divide_the_width(n_heads):
    wanted = f"need n_heads that divides d_model, got n_heads={n_heads} and d_model=12"
    with pytest.raises(ValueError, match=wanted):
        MultiHeadAttention(D_MODEL, n_heads)
