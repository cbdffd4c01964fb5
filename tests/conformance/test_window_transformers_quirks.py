"""transformers 5.23: where a window surprises, or breaks."""

from collections import defaultdict

import pytest
import torch
from transformers import DynamicCache
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.modeling_flash_attention_utils import _process_flash_attention_kwargs
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from longctx_edu.masks import causal, dense_mask, from_convention

TOKEN, W = 12, 4


def test_one_option_more_than_doubles_the_window_of_a_decoder(look):
    """`sliding_window` counts all keys in a decoder, and each side once not causal."""
    inner = {
        model: look(model, W, TOKEN)[0][TOKEN // 2].sum().item()
        for model in ("mistral", "mistral_bidirectional")
    }
    assert inner == {"mistral": W, "mistral_bidirectional": 2 * W + 1}


def test_flash_attention_gets_w_minus_1_on_each_side(small_model):
    """Right for a decoder since huggingface/transformers#40163 (before: W + 1 keys).

    A bidirectional model would see 2 W - 1 keys by this path and 2 W + 1 by SDPA:
    ModernBERT therefore hands over W / 2 + 1, and Gemma 3 stores W / 2 + 1.
    """
    supports = defaultdict(lambda: True)
    for is_causal in (True, False):
        handed = _process_flash_attention_kwargs(
            TOKEN, TOKEN, is_causal, sliding_window=W, supports_mapping=supports
        )
        assert handed["window_size"] == (W - 1, W - 1)
    assert from_convention("transformers_sliding_causal", W).left == W - 1
    assert from_convention("transformers_sliding_bidirectional", W) == (W, W)
    assert small_model("modernbert", W).layers[0].attn.sliding_window == W // 2 + 1
    assert small_model("gemma3_bidirectional", W).config.sliding_window == W // 2 + 1


def test_an_attention_without_a_mask_function_sees_everything(look, monkeypatch):
    """An attention under a new name gets no mask: neither window nor padding.

    The documentation warns since huggingface/transformers#45811; nothing else does.
    """
    monkeypatch.setitem(ALL_ATTENTION_FUNCTIONS, "unheard_of", sdpa_attention_forward)
    keep = torch.arange(TOKEN) >= 3
    sees, _ = look("mistral", W, TOKEN, keep=keep, attn_implementation="unheard_of")
    assert torch.equal(sees, dense_mask(causal(), TOKEN))
    sees, _ = look("modernbert", W, TOKEN, keep=keep, attn_implementation="unheard_of")
    assert sees.all()


@torch.no_grad()
def decode(model, x, lengths):
    """Read a text in pieces through the model's own cache."""
    cache = DynamicCache(config=model.config)
    pieces = x.split(lengths, dim=1)
    outputs = [model(inputs_embeds=piece, past_key_values=cache) for piece in pieces]
    return torch.cat([output.last_hidden_state for output in outputs], dim=1)


def test_a_cache_sees_what_the_whole_text_sees(small_model):
    model = small_model("mistral", W)
    x = torch.randn(1, TOKEN, 8, generator=torch.Generator().manual_seed(1))
    whole = model(inputs_embeds=x).last_hidden_state.detach()
    torch.testing.assert_close(decode(model, x, [1] * TOKEN), whole)
    torch.testing.assert_close(decode(model, x, [5, 4, 3]), whole)


def test_a_cache_for_a_window_of_1_forgets_nothing(small_model):
    """It keeps the last W - 1 keys by `[-W + 1 :]`, which for W = 1 keeps all.

    Token by token the model then sees all that came; by larger pieces it stops, as
    the mask, which knows better, no longer fits.
    """
    model = small_model("mistral", 1)
    x = torch.randn(1, TOKEN, 8, generator=torch.Generator().manual_seed(1))
    whole = model(inputs_embeds=x).last_hidden_state.detach()
    difference = (decode(model, x, [1] * TOKEN) - whole).abs().amax(dim=-1)[0]
    assert difference[0] < 1e-6
    assert difference[1:].min() > 1e-4
    with pytest.raises(RuntimeError, match="must match the size of tensor b"):
        decode(model, x, [5, 4, 3])


def test_longformer_wants_an_even_number(small_model):
    with pytest.raises(AssertionError, match="has to be an even value"):
        small_model("longformer", 5)
    with pytest.raises(AssertionError, match="has to be positive"):
        small_model("longformer", 0)


def test_longformer_takes_a_window_of_2_and_stops_at_the_first_text(look):
    """The config accepts it, and the one key on each side has no chunk to lie in."""
    with pytest.raises(RuntimeError, match="expanded size of the tensor"):
        look("longformer", 2, TOKEN)


def test_longformer_pads_in_the_model_and_refuses_in_the_layer(
    look, mask_of, small_model
):
    """The model pads to a multiple of the window, the layer itself asserts."""
    n = TOKEN - 2
    sees, _ = look("longformer", W, n)
    assert torch.equal(sees, mask_of("transformers_longformer", W, n))
    layer = small_model("longformer", W).encoder.layer[0].attention.self
    nothing = torch.zeros(1, n, dtype=torch.bool)
    with pytest.raises(AssertionError, match=r"multiple of 4\. Given 10"):
        layer(torch.zeros(1, n, 8), nothing.float(), nothing, nothing, False)
