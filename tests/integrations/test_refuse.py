import re

import pytest
import torch
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM
from transformers.masking_utils import (
    and_masks,
    bidirectional_mask_function,
    causal_mask_function,
    sliding_window_bidirectional_mask_function,
    sliding_window_causal_mask_function,
)

from longctx_edu.errors import UserError
from longctx_edu.integrations import NAME, register
from longctx_edu.integrations.refuse import refuse_mask

N = 9
IDS = torch.arange(10, 10 + N)[None]
SMALL = {
    "vocab_size": 60,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "intermediate_size": 48,
    "max_position_embeddings": 40,
    "pad_token_id": 0,
}


def said(call, *args, **how):
    with pytest.raises(UserError) as error:
        call(*args, **how)
    return str(error.value)


def direct(kind, auto=AutoModel, **sizes):
    """Make a model with our attention as a user does who never met make_long."""
    register()
    config = AutoConfig.for_model(kind, **{**SMALL, **sizes})
    config.longctx_left, config.longctx_right = 3, 0
    return auto.from_config(config, attn_implementation=NAME).eval()


# models whose attention does more


def test_attention_sinks():
    model = direct("gpt_oss", num_local_experts=2, num_experts_per_tok=1)
    assert said(model, IDS) == (
        "need attention that longctx_window computes, got attention sinks (s_aux) from "
        "gpt_oss: leave it out of the call, or load the model with "
        'attn_implementation="eager"'
    )


def test_a_cap_on_the_scores_unless_it_is_off():
    wanted = "got a cap on the scores (softcap) from gemma2: "
    assert wanted in said(direct("gemma2"), IDS)
    model = direct("gemma2", attn_logit_softcapping=None)
    assert model(IDS).last_hidden_state.isfinite().all()


def test_a_bias_for_positions():
    from transformers import T5Config, T5EncoderModel

    config = T5Config(d_model=16, d_kv=8, d_ff=8, num_layers=1, num_heads=2)
    config.longctx_left = config.longctx_right = 3
    register()
    model = T5EncoderModel(config)
    model.set_attn_implementation(NAME)
    model.config.is_encoder_decoder = False
    wanted = "got a bias for relative positions (position_bias) from t5: "
    assert wanted in said(model, IDS)


def test_a_second_text():
    two = "a window has no meaning across two texts"
    model = direct("gpt2", n_head=4, n_embd=32, add_cross_attention=True)
    text = torch.zeros(1, 4, 32)
    assert said(model, IDS, encoder_hidden_states=text) == (
        f"need a model that reads one text, got gpt2 with add_cross_attention=True: "
        f"{two}"
    )
    sizes = {"d_model": 32, "encoder_ffn_dim": 8, "decoder_ffn_dim": 8}
    assert said(direct("bart", **sizes), IDS) == (
        "need a model that reads one text, got bart with is_encoder_decoder=True: "
        f"{two}"
    )


def test_a_layer_that_hides_its_own_window():
    sizes = {"moe_intermediate_size": 8, "num_experts": 2, "num_experts_per_tok": 1}
    sizes["shared_expert_intermediate_size"] = 8
    hidden = {"use_sliding_window": True, "sliding_window": 4, "max_window_layers": 0}
    model = direct("qwen2_moe", **sizes, **hidden)
    assert said(model, IDS) == (
        "need a model that tells its attention its own window, got qwen2_moe with "
        "sliding_window=4, which does not: set config.sliding_window = None, so that "
        "longctx_left and longctx_right hold"
    )
    assert direct("qwen2_moe", **sizes)(IDS).last_hidden_state.isfinite().all()


# masks that say more


def test_texts_packed_into_one_row():
    model = direct("llama", AutoModelForCausalLM)
    where = torch.tensor([[0, 1, 2, 3, 0, 1, 2, 0, 1]])
    assert said(model, IDS, position_ids=where, use_cache=False) == (
        "need a mask of causality, windows and padding alone, got "
        "packed_sequence_mask_function: give each text a row of its own with an "
        'attention_mask, or load the model with attn_implementation="eager"'
    )
    ones = torch.tensor([0, 4, 7, 9], dtype=torch.int32)
    wanted = "got texts packed into one row (cu_seq_lens_q) from llama"
    assert wanted in said(model, IDS, cu_seq_lens_q=ones)


def test_attention_in_chunks():
    sizes = {
        "attention_chunk_size": 4,
        "num_local_experts": 2,
        "interleave_moe_layer_step": 9,
    }
    model = direct("llama4_text", intermediate_size_mlp=16, **sizes)
    assert "padding alone, got chunked_overlay: " in said(model, IDS)


def test_masks_that_are_known_and_a_mask_that_is_not():
    refuse_mask(None)
    for known in (
        causal_mask_function,
        bidirectional_mask_function,
        sliding_window_causal_mask_function(3),
        sliding_window_bidirectional_mask_function(3),
        and_masks(causal_mask_function, sliding_window_causal_mask_function(3)),
    ):
        refuse_mask(known)

    def even(batch, head, query, key):
        return key % 2 == 0

    with pytest.raises(UserError, match="alone, got test_masks_that_are_known"):
        refuse_mask(and_masks(causal_mask_function, even))


@pytest.mark.parametrize("kind", ["bert", "llama", "modernbert"])
@pytest.mark.parametrize("shape", [(1, 1, N, N), (1, N, N)])
def test_a_mask_of_every_query_and_key(of_kind, with_window, kind, shape):
    model = with_window(of_kind(kind).make(), left=3, right=3)
    assert said(model, IDS, attention_mask=torch.ones(shape).bool()) == (
        "need an attention_mask of shape (batch, token), a flag a token, got shape "
        f"{shape}: say who looks at whom with longctx_left, longctx_right, "
        "longctx_dilation and longctx_global_tokens"
    )


@pytest.mark.parametrize("kind", ["bert", "llama"])
def test_a_mask_of_another_length(of_kind, with_window, kind):
    model = with_window(of_kind(kind).make(), left=3, right=3)
    wanted = "need an attention_mask with a flag for each of 9 tokens, cached ones"
    mask = torch.ones(1, N - 1, dtype=torch.long)
    assert said(model, IDS, attention_mask=mask).startswith(wanted)


# what a call asks for


def test_no_window_in_the_config_and_none_with_the_call(family, with_window):
    model = with_window(family.make())
    assert said(model, IDS).startswith("need longctx_left, how many keys a token sees")
    if not family.causal:
        wanted = "need longctx_right, how many keys a token sees"
        assert said(model, IDS, longctx_left=2).startswith(wanted)


def test_a_word_that_is_misspelt(family, with_window):
    model = with_window(family.make(), left=3, right=3)
    wanted = "unknown argument 'longctx_global': did you mean longctx_global_tokens"
    assert said(model, IDS, longctx_global=2).startswith(wanted)


def test_flags_of_another_length(family, with_window):
    model = with_window(family.make(), left=3, right=3)
    flags = torch.ones(1, N - 1, dtype=torch.bool)
    wanted = re.escape("a bool for each of 1 x 9 tokens, got shape (1, 8)")
    with pytest.raises(UserError, match=wanted):
        model(IDS, longctx_global_tokens=flags)


def test_the_weights_are_never_formed(family, with_window):
    model = with_window(family.make(), left=3, right=3)
    try:
        weights = model(IDS, output_attentions=True).attentions
    except UserError as error:
        assert "got the weights, which are never formed" in str(error)
    else:
        assert all(one is None for one in weights or [None])
