import pytest
import torch
from torch import nn
from transformers import AutoConfig, AutoModel

from longctx_edu.errors import UserError
from longctx_edu.integrations import TESTED, families, make_long, use_window
from longctx_edu.integrations.families import obstacle


def said(call, *args, **how):
    with pytest.raises(UserError) as error:
        call(*args, **how)
    return str(error.value)


def test_what_is_tested_can():
    assert set(TESTED) <= set(families())
    assert len(families()) > len(TESTED) + 20


def test_what_cannot_is_not_listed():
    own_way = {"longformer", "big_bird", "deberta-v2", "mpnet", "xlnet"}
    two_texts, more_than_text = {"t5", "bart"}, {"gemma3"}
    more = {"gpt_oss", "gemma2", "llama4_text", "qwen2_moe"}
    others = own_way | two_texts | more_than_text | more
    assert others & set(families()) == set()


SIZES = {
    "vocab_size": 60,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
}
OWN_WAY = "it computes attention in its own way"
OTHERS = {
    "longformer": (OWN_WAY, {"attention_window": [4]}),
    "big_bird": (OWN_WAY, {}),
    "deberta": (OWN_WAY, {}),
    "deberta-v2": (OWN_WAY, {}),
    "mpnet": (OWN_WAY, {}),
    "gpt_oss": (
        "its attention takes attention sinks (s_aux)",
        {"num_local_experts": 2, "num_key_value_heads": 1, "head_dim": 8},
    ),
}


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("change", [make_long, use_window])
def test_a_model_that_cannot_is_refused_and_told_who_can(kind, change):
    why, sizes = OTHERS[kind]
    model = AutoModel.from_config(AutoConfig.for_model(kind, **{**SIZES, **sizes}))
    before = model.config.to_dict()
    others = len(set(families()) - set(TESTED))
    assert said(change, model, left=1, right=1) == (
        f"need a model whose attention can be exchanged, got {kind}: {why}. bert, "
        "roberta, distilbert, electra, modernbert, gpt2, llama, qwen2, qwen3 can, and "
        f"{others} more of longctx_edu.integrations.families()"
    )
    assert model.config.to_dict() == before


def test_an_encoder_with_a_decoder():
    sizes = {"d_model": 16, "d_kv": 8, "d_ff": 8, "num_layers": 1, "num_heads": 2}
    model = AutoModel.from_config(AutoConfig.for_model("t5", **sizes))
    assert said(make_long, model) == (
        "need a model that reads one text, got t5 with is_encoder_decoder=True: a "
        "window has no meaning across two texts"
    )


def test_no_model_of_transformers():
    wanted = (
        "need a model of transformers, got Linear: load it with "
        "AutoModel.from_pretrained"
    )
    assert said(make_long, nn.Linear(1, 1)) == wanted


def test_sources_and_what_stands_in_their_way():
    good = (
        "from ...masking_utils import create_causal_mask\n"
        "ALL_ATTENTION_FUNCTIONS.get_interface(\n"
        "_supports_attention_backend = True\n"
        "attention_interface(\n    self,\n    scaling=f(1),\n{more})\n"
    )
    assert obstacle(good) is None
    more = good.replace("{more}", "    position_bias=x,\n    odd=1,\n")
    wanted = "its attention takes odd, a bias for relative positions (position_bias)"
    assert obstacle(more) == wanted
    assert (
        obstacle(good.replace("masking_utils", "")) == "it makes masks of its own kind"
    )
    window = good + "create_sliding_window_causal_mask("
    assert obstacle(window) == "it does not tell its attention its own window"
    assert obstacle(window + "sliding_window=3") is None


def test_a_listed_family_that_is_not_among_the_tested():
    config = AutoConfig.for_model(
        "opt", vocab_size=60, hidden_size=16, word_embed_proj_dim=16, ffn_dim=8,
        num_hidden_layers=1, num_attention_heads=2, max_position_embeddings=20,
    )  # fmt: skip
    model = make_long(AutoModel.from_config(config).eval(), 50, left=3)
    table = model.decoder.embed_positions.weight
    assert torch.equal(table[2:22], table[22:42])
    assert model.config.max_position_embeddings == 50
    with torch.no_grad():
        text = torch.randint(5, 60, (1, 50))
        assert model(text).last_hidden_state.isfinite().all()
