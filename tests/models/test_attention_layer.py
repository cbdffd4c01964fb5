import pytest
import torch
from torch import nn

from longctx_edu.attention import dense_attention, full_attention, window_attention
from longctx_edu.models import MultiHeadAttention

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
