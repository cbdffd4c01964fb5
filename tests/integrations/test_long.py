import json
import shutil

import pytest
import torch
from transformers import AutoModel, BertConfig, BertModel

import longctx_edu.integrations
from longctx_edu.integrations import (
    NAME,
    PretrainedEncoder,
    load_long,
    load_pretrained,
    make_long,
    register,
    use_window,
)
from longctx_edu.measure import measure

LONG = 90
HEADS = {
    "bert": "AutoModelForTokenClassification",
    "roberta": "AutoModelForMaskedLM",
    "distilbert": "AutoModelForTokenClassification",
    "electra": "AutoModelForMaskedLM",
    "modernbert": "AutoModelForTokenClassification",
}


def ids(n=LONG, batch=2):
    return torch.randint(5, 60, (batch, n), generator=torch.Generator().manual_seed(0))


def head_of(family):
    return HEADS.get(family.kind, "AutoModelForCausalLM")


def logits(model, text, **how):
    with torch.no_grad():
        return model(text, **how).logits


# a model made long


@pytest.mark.parametrize("asked", [0, 2, [0, 50]])
def test_it_reads_as_the_pattern_says(family, with_window, asked):
    model = family.make(head_of(family))
    pattern = {"left": 4, "right": 3, "dilation": 2, "global_tokens": asked}
    long = make_long(model, LONG, **pattern)
    assert long is model
    wanted = with_window(long, left=LONG, right=LONG, dilation=1, global_tokens=0)
    call = {f"longctx_{name}": value for name, value in pattern.items()}
    found = logits(long, ids())
    torch.testing.assert_close(found, logits(wanted, ids(), **call))
    assert not torch.allclose(found, logits(wanted, ids()))


def test_a_saved_model_comes_back_the_same(family, tmp_path):
    model = family.make(head_of(family))
    make_long(model, LONG, left=3, right=2, dilation=2, global_tokens=[0, 5])
    wanted = logits(model, ids())
    model.save_pretrained(tmp_path / "one")
    again = load_long(tmp_path / "one")
    assert type(again) is type(model)
    assert torch.equal(logits(again.eval(), ids()), wanted)
    again.save_pretrained(tmp_path / "two")  # what is loaded can be saved again
    again = load_long(str(tmp_path / "two"))
    assert torch.equal(logits(again.eval(), ids()), wanted)
    register()  # and transformers alone reads it, once it knows the name
    again = type(model).from_pretrained(tmp_path / "two")
    assert torch.equal(logits(again.eval(), ids()), wanted)
    assert again.config._attn_implementation == NAME
    full = type(model).from_pretrained(tmp_path / "one", attn_implementation="sdpa")
    assert not torch.allclose(logits(full.eval(), ids()), wanted)


def test_without_register_a_saved_model_is_refused_by_transformers(
    of_kind, tmp_path, monkeypatch
):
    from transformers import AttentionInterface

    make_long(of_kind("bert").make(), LONG).save_pretrained(tmp_path)
    left = {k: v for k, v in AttentionInterface._global_mapping.items() if k != NAME}
    monkeypatch.setattr(AttentionInterface, "_global_mapping", left)
    with pytest.raises(ValueError, match=f'"{NAME}"` is not supported'):
        AutoModel.from_pretrained(tmp_path)


def test_a_pooling_layer_that_was_left_out_stays_out(tmp_path):
    config = BertConfig(hidden_size=8, num_attention_heads=2, num_hidden_layers=1)
    model = BertModel(config, add_pooling_layer=False).eval()
    make_long(model, 600).save_pretrained(tmp_path)
    again = load_long(tmp_path).eval()
    assert again.pooler is None
    text = ids(600)
    with torch.no_grad():
        assert torch.equal(again(text)[0], model(text)[0])


def test_the_functions_stand_in_the_package():
    assert longctx_edu.integrations.make_long is make_long
    longctx_edu.integrations.register()
    longctx_edu.integrations.register()  # twice is once


def test_an_encoder_takes_flags(of_kind):
    model = make_long(of_kind("bert").make(), LONG, left=2, right=2)
    flags = torch.arange(LONG)[None].eq(7).expand(2, -1)
    encoder, keep = PretrainedEncoder(model), torch.ones(2, LONG, dtype=torch.bool)
    with torch.no_grad():
        found = encoder(ids(), keep=keep, global_tokens=flags)
        wanted = model(ids(), longctx_global_tokens=[7]).last_hidden_state
    torch.testing.assert_close(found, wanted)


# messages


def said(call, *args, **how):
    with pytest.raises(ValueError) as error:
        call(*args, **how)
    return str(error.value)


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        (
            {"left": -1},
            "need left and right that are whole numbers >= 0 or None, got left=-1 and "
            "right=128",
        ),
        ({"dilation": 0}, "need a dilation that is a whole number >= 1, got 0"),
        (
            {"global_tokens": [0, -1]},
            "need longctx_global_tokens that is a number of first tokens, a list of "
            "positions >= 0, or (with a call) a bool tensor with a flag a token, got "
            "[0, -1]",
        ),
        ({"max_tokens": 0}, "need max_tokens that is a whole number >= 1, got 0"),
    ],
)
def test_a_pattern_without_a_meaning_changes_nothing(of_kind, pattern, wanted):
    model = of_kind("bert").make()
    assert said(make_long, model, **pattern) == wanted
    assert model.config._attn_implementation == "eager"
    assert model.config.max_position_embeddings == 40
    if "max_tokens" not in pattern:
        assert said(use_window, model, **{"left": 1, "right": 128, **pattern}) == wanted


def test_no_saved_model(tmp_path, of_kind):
    assert said(load_long, tmp_path).startswith(
        f"cannot load a long model from {tmp_path}: "
    )
    of_kind("bert").make().save_pretrained(tmp_path)
    assert said(load_long, tmp_path) == (
        f"need a folder that make_long and save_pretrained made, got {tmp_path}, "
        "whose config.json has no longctx_left"
    )


def test_a_missing_weight(tmp_path, of_kind):
    make_long(of_kind("bert").make(), LONG).save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["attn_implementation"] == NAME
    config["num_hidden_layers"] = 3
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert said(load_long, tmp_path).startswith(
        f"need every weight in {tmp_path}, got none for encoder.layer.2."
    )
    shutil.rmtree(tmp_path)


# the real weights of minilm


@pytest.fixture(scope="module")
def minilm(minilm_folder):
    model, tokenizer = load_pretrained("minilm")
    return model.eval(), tokenizer


@pytest.fixture(scope="module")
def long_minilm(minilm_folder):
    model, _ = load_pretrained("minilm")
    return make_long(model.eval(), 8192, left=128, right=128, global_tokens=1)


WORDS = "The harbour town of Marlow has named a cup after its surgeon . "


def sentence(tokenizer, length):
    text = WORDS * (length // 10)
    return tokenizer(
        text, return_tensors="pt", truncation=True, max_length=length
    ).input_ids


@torch.no_grad()
def test_minilm_with_a_window_as_wide_as_the_text(minilm, long_minilm):
    model, tokenizer = minilm
    text = sentence(tokenizer, 200)
    keep = torch.arange(200)[None] < 170
    for how in ({}, {"attention_mask": keep.long()}):
        found = long_minilm(text, longctx_left=200, longctx_right=200, **how)
        wanted = model(text, **how).last_hidden_state
        real = found.last_hidden_state[keep]
        torch.testing.assert_close(real, wanted[keep], atol=1e-5, rtol=0)


@torch.no_grad()
def test_minilm_reads_8192_tokens(minilm, long_minilm):
    model, tokenizer = minilm
    table = model.embeddings.position_embeddings.weight
    longer = long_minilm.embeddings.position_embeddings.weight
    assert torch.equal(longer, table.repeat(16, 1))
    text = sentence(tokenizer, 8192)
    assert text.shape == (1, 8192)
    out = long_minilm(text).last_hidden_state
    assert out.isfinite().all()
    # Far from the end, the end is out of reach, but for the global token.
    off = {"longctx_global_tokens": 0}
    part = long_minilm(text[:, :2048], **off).last_hidden_state[:, : 2048 - 6 * 128]
    whole = long_minilm(text[:, :3000], **off).last_hidden_state[:, : 2048 - 6 * 128]
    torch.testing.assert_close(part, whole, atol=1e-5, rtol=0)


@torch.no_grad()
def test_memory_of_long_minilm_is_linear(minilm, long_minilm):
    tokenizer = minilm[1]
    long_minilm(sentence(tokenizer, 512))  # what is made once is not counted
    peak = {}
    for length in (4096, 8192):
        text = sentence(tokenizer, length)
        peak[length] = measure(long_minilm, text).peak_bytes
    assert peak[8192] < 2.6 * peak[4096]
    square = 12 * 8192 * 8192 * 4  # the scores of one layer, heads x query x key
    assert peak[8192] < square / 8
