"""transformers 5.23: five meanings of one number, asked of small random models."""

import pytest
import torch
from transformers import PreTrainedConfig
from transformers.masking_utils import (
    create_bidirectional_sliding_window_mask,
    create_chunked_causal_mask,
    create_sliding_window_causal_mask,
)

from longctx_edu.masks import (
    causal,
    dense_mask,
    document,
    from_convention,
    padding,
    window,
)

TOKEN, W = 12, 4
CAUSAL = (1, W, W)
BOTH_SIDES = (W + 1, 2 * W + 1, W + 1)
HALF_A_SIDE = (W // 2 + 1, W + 1, W // 2 + 1)
MODELS = [
    ("mistral", "transformers_sliding_causal", CAUSAL),
    ("qwen2", "transformers_sliding_causal", CAUSAL),
    ("gemma2", "transformers_sliding_causal", CAUSAL),
    ("gemma3", "transformers_sliding_causal", CAUSAL),
    ("mistral_bidirectional", "transformers_sliding_bidirectional", BOTH_SIDES),
    ("gemma3_bidirectional", "transformers_gemma3_bidirectional", HALF_A_SIDE),
    ("modernbert", "transformers_modernbert", HALF_A_SIDE),
    ("longformer", "transformers_longformer", HALF_A_SIDE),
]
each = pytest.mark.parametrize(("model", "name", "keys"), MODELS)


# the same intent


@each
def test_a_number_means_what_our_translation_says(look, mask_of, model, name, keys):
    sees, _ = look(model, W, TOKEN)
    assert torch.equal(sees, mask_of(name, W, TOKEN))
    assert tuple(sees.sum(dim=-1)[[0, TOKEN // 2, -1]].tolist()) == keys


@each
@pytest.mark.parametrize("w", [6, 30])
def test_other_numbers(look, mask_of, model, name, keys, w):
    sees, _ = look(model, w, TOKEN)
    assert torch.equal(sees, mask_of(name, w, TOKEN))


@pytest.mark.parametrize("model", ["mistral", "qwen2", "gemma2", "gemma3"])
def test_a_window_of_1_is_the_token_itself(look, model):
    sees, _ = look(model, 1, TOKEN)
    assert torch.equal(sees, torch.eye(TOKEN, dtype=torch.bool))


@pytest.mark.parametrize("model", ["gemma3_bidirectional", "modernbert"])
def test_an_odd_total_is_rounded_down(look, mask_of, model):
    """Both halve by `//`, so 5 asks for the same window as 4, without a word."""
    name = f"transformers_{model}"
    sees, _ = look(model, 5, TOKEN)
    assert torch.equal(sees, mask_of(name, 5, TOKEN))
    assert from_convention(name, 5) == from_convention(name, 4)


# Longformer brings its own attention; the soft cap of Gemma 2 keeps it to eager.
@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
@pytest.mark.parametrize(
    ("model", "name"),
    [row[:2] for row in MODELS if row[0] not in ("longformer", "gemma2")],
)
def test_eager_and_sdpa_see_the_same(look, mask_of, model, name, implementation):
    sees, _ = look(model, W, TOKEN, attn_implementation=implementation)
    assert torch.equal(sees, mask_of(name, W, TOKEN))


def test_the_mask_functions_agree_with_the_models(mask_of):
    config = PreTrainedConfig(attn_implementation="sdpa")
    config.sliding_window = config.attention_chunk_size = W
    x = torch.zeros(1, TOKEN, 1)
    mask = create_sliding_window_causal_mask(config, x, None, None)
    assert torch.equal(mask[0, 0], mask_of("transformers_sliding_causal", W, TOKEN))
    mask = create_bidirectional_sliding_window_mask(config, x, None)
    both = mask_of("transformers_sliding_bidirectional", W, TOKEN)
    assert torch.equal(mask[0, 0], both)
    mask = create_chunked_causal_mask(config, x, None, None)
    chunks = dense_mask(document(torch.arange(TOKEN) // W) & causal(), TOKEN)
    assert torch.equal(mask[0, 0], chunks)


# padding


@each
@pytest.mark.parametrize("side", ["right", "left"])
def test_no_real_token_sees_padding(look, mask_of, model, name, keys, side):
    keep = torch.arange(TOKEN) < 5
    keep = keep if side == "right" else keep.flip(0)
    sees, _ = look(model, W, TOKEN, keep=keep)
    mask = mask_of(name, W, TOKEN) & dense_mask(padding(keep), TOKEN)
    assert torch.equal(sees[keep], mask[keep])


def test_a_padded_row_of_sdpa_reads_the_real_keys_in_reach(look):
    keep = torch.arange(TOKEN) < 5
    sees, rows = look("mistral", W, TOKEN, keep=keep, attn_implementation="sdpa")
    assert sees.sum(dim=-1).tolist() == [1, 2, 3, 4, 4, 3, 2, 1, 0, 0, 0, 0]
    assert rows[8:].eq(0).all()


def test_a_padded_row_of_eager_averages_all_tokens(look):
    """Eager hides by finfo.min: a row with no key in reach averages padding and future.

    The same model gives 0 there with SDPA. Harmless as long as nobody reads the row.
    """
    keep = torch.arange(TOKEN) >= 7
    sees, rows = look("mistral", W, TOKEN, keep=keep, attn_implementation="eager")
    assert sees[:7].all()
    assert rows[0].abs().max() > 0
    torch.testing.assert_close(rows[:7], rows[:1].expand(7, -1))


def test_a_padded_row_of_eager_is_nan_in_float64(small_model):
    """Its softmax runs in float32, where finfo(float64).min is -inf."""
    model = small_model("mistral", W, attn_implementation="eager").double()
    keep = torch.arange(TOKEN) >= 7
    x = torch.zeros(1, TOKEN, 8, dtype=torch.float64)
    out = model(inputs_embeds=x, attention_mask=keep[None].long())
    assert out.last_hidden_state[0].isnan().any(dim=-1).tolist() == (~keep).tolist()


def test_a_padded_row_of_longformer_is_0_even_near_real_tokens(look):
    """It sets the weights of padded queries to 0; ours read the real keys in reach."""
    keep = torch.arange(TOKEN) < 5
    sees, rows = look("longformer", W, TOKEN, keep=keep)
    assert sees.sum(dim=-1).tolist() == [3, 4, 5, 4, 3, 0, 0, 0, 0, 0, 0, 0]
    assert rows[5:].eq(0).all()
    left, right = from_convention("transformers_longformer", W)
    ours = dense_mask(window(left=left, right=right) & padding(keep), TOKEN)
    assert ours.sum(dim=-1).tolist() == [3, 4, 5, 4, 3, 2, 1, 0, 0, 0, 0, 0]
