"""transformers' Longformer layer: ours, with its weights, gives the same.

Its global tokens read the text through projections of their own (`query_global` and
so on), as in section 3.1 of the paper.
"""

from functools import partial

import pytest
import torch
from torch import nn

from longctx_edu.attention import window_attention
from longctx_edu.models import MultiHeadAttention

longformer = pytest.importorskip("transformers.models.longformer.modeling_longformer")

BATCH, HEAD, TOKEN, D_MODEL, TOTAL = 2, 3, 48, 12, 16
NAMES = {"q": "query", "k": "key", "v": "value"}


def both(generator):
    """Our layer and transformers', with the same weights."""
    config = longformer.LongformerConfig(
        hidden_size=D_MODEL,
        num_attention_heads=HEAD,
        attention_window=[TOTAL],  # both sides together
        attention_probs_dropout_prob=0.0,
    )
    theirs = longformer.LongformerSelfAttention(config, layer_id=0)
    for parameter in theirs.parameters():
        nn.init.normal_(parameter, std=0.4, generator=generator)
    near = partial(window_attention, left=TOTAL // 2, right=TOTAL // 2)
    ours = MultiHeadAttention(D_MODEL, HEAD, near, global_projections=True)
    ours.out_proj = nn.Identity()  # transformers keeps it in a module of its own
    for name, long_name in NAMES.items():
        own, of_global = (getattr(theirs, long_name + end) for end in ("", "_global"))
        getattr(ours, f"{name}_proj").load_state_dict(own.state_dict())
        ours.global_proj[name].load_state_dict(of_global.state_dict())
    return ours, theirs


@pytest.mark.parametrize("places", [[], [0], [0, 7, 40]])
def test_global_projections_equal_those_of_transformers(places):
    generator = torch.Generator().manual_seed(0)
    ours, theirs = both(generator)
    size = (BATCH, TOKEN, D_MODEL)
    x = torch.randn(size, generator=generator, requires_grad=True)
    flags = torch.zeros(BATCH, TOKEN).bool()
    flags[:, places] = True
    flags[1, places[-1:]] = False  # one fewer in the second text
    mine = ours(x, global_tokens=flags)
    (its,) = theirs(
        x,
        attention_mask=flags.float() * 1e4,  # above 0: global
        is_index_masked=torch.zeros_like(flags),
        is_index_global_attn=flags,
        is_global_attn=bool(flags.any()),
    )
    # In float32: its softmax is, and in float64 its masked gradient becomes nan.
    torch.testing.assert_close(mine, its, rtol=0, atol=1e-5)
    factor = torch.randn(size, generator=generator)
    (slope,) = torch.autograd.grad((mine * factor).sum(), x)
    (its_slope,) = torch.autograd.grad((its * factor).sum(), x)
    torch.testing.assert_close(slope, its_slope, rtol=0, atol=1e-4)
