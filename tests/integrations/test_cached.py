import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, DynamicCache, StaticCache

from longctx_edu.attention import dense_attention
from longctx_edu.errors import UserError
from longctx_edu.integrations import cached
from longctx_edu.integrations.cached import cached_attention
from longctx_edu.masks import causal, dense_mask, global_tokens, padding, window

# equals the definition


def problem(n_query, n_key, seed=0, kv_heads=3):
    make = torch.Generator().manual_seed(seed)
    q = torch.randn(2, 3, n_query, 4, generator=make, dtype=torch.float64)
    k = torch.randn(2, kv_heads, n_key, 4, generator=make, dtype=torch.float64)
    v = torch.randn(2, kv_heads, n_key, 5, generator=make, dtype=torch.float64)
    flags = torch.rand(2, n_key, generator=make) < 0.2
    keep = torch.rand(2, n_key, generator=make) < 0.8
    return q, k, v, flags, keep


@given(
    n_query=st.integers(1, 9),
    more=st.integers(0, 9),
    left=st.none() | st.integers(0, 6),
    dilation=st.integers(1, 3),
    with_flags=st.booleans(),
    with_keep=st.booleans(),
    seed=st.integers(0, 9),
)
@settings(deadline=None, max_examples=150)
def test_equals_dense_attention_under_its_mask(
    n_query, more, left, dilation, with_flags, with_keep, seed
):
    q, k, v, flags, keep = problem(n_query, n_query + more, seed)
    flags, keep = flags if with_flags else None, keep if with_keep else None
    sees = window(left=left, right=0, dilation=dilation)
    if with_flags:
        sees = sees | global_tokens(flags)
    sees = sees & causal()
    if with_keep:
        sees = sees & padding(keep)
    mask = dense_mask(sees, n_query + more)[..., None, more:, :]
    wanted = dense_attention(q, k, v, mask=mask)
    how = {"left": left, "dilation": dilation, "flags": flags, "keep": keep}
    for fewest in (1, 64):  # in many steps, and in one
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cached, "_FEWEST", fewest)
            found = cached_attention(q, k, v, **how)
        torch.testing.assert_close(found, wanted)


def test_grouped_heads_share_their_keys():
    q, k, v, flags, keep = problem(3, 9, kv_heads=1)
    how = {"left": 2, "flags": flags, "keep": keep}
    wanted = cached_attention(q, k.expand(2, 3, 9, 4), v.expand(2, 3, 9, 5), **how)
    assert torch.equal(cached_attention(q, k, v, **how), wanted)


def test_a_step_touches_the_window_and_the_global_tokens_alone():
    q, k, v, flags, _ = problem(1, 20)
    flags[:] = torch.arange(20) == 4
    needed = (torch.arange(20) >= 16) | flags
    k[(~needed)[:, None].expand(2, 3, 20)] = torch.nan
    v[(~needed)[:, None].expand(2, 3, 20)] = torch.nan
    out = cached_attention(q, k, v, left=3, flags=flags)
    assert out.isfinite().all()


# generation


def texts():
    ids = torch.randint(5, 60, (2, 15), generator=torch.Generator().manual_seed(0))
    keep = torch.ones(2, 15, dtype=torch.long)
    keep[1, :6] = 0  # a decoder is padded on the left
    return {"input_ids": ids, "attention_mask": keep}


def generate(model, use_cache, **how):
    done = model.generate(
        **texts(),
        **how,
        max_new_tokens=14,
        min_new_tokens=14,
        do_sample=False,
        use_cache=use_cache,
        pad_token_id=0,
        return_dict_in_generate=True,
        output_logits=True,
    )
    return done.sequences, torch.stack(done.logits)


@pytest.mark.parametrize("pattern", [{"left": 4}, {"left": 2, "dilation": 3}, {"g": 2}])
def test_generation_with_a_cache_equals_generation_without(
    decoder, with_window, pattern
):
    pattern = {"left": 3, "global_tokens": pattern["g"]} if "g" in pattern else pattern
    model = with_window(decoder.make("AutoModelForCausalLM"), **pattern)
    wanted, wanted_logits = generate(model, use_cache=False)
    whole = {"past_key_values": DynamicCache()} if "global_tokens" in pattern else {}
    found, logits = generate(model, use_cache=True, **whole)
    assert torch.equal(found, wanted)
    torch.testing.assert_close(logits, wanted_logits, atol=1e-6, rtol=0)


def test_generation_takes_the_pattern_from_the_config_alone(of_kind, with_window):
    model = with_window(of_kind("llama").make("AutoModelForCausalLM"), left=2)
    wanted = r"`model_kwargs` are not used by the model: \['longctx_left'\]"
    with pytest.raises(ValueError, match=wanted):
        generate(model, use_cache=True, longctx_left=3)


def test_flags_of_a_prompt_hold_for_the_tokens_after_it(of_kind, with_window):
    model = with_window(of_kind("llama").make(), left=2, right=0)
    ids, cache = texts()["input_ids"], DynamicCache(config=model.config)
    flags = torch.zeros(2, 15, dtype=torch.bool)
    flags[0, 1] = flags[1, [0, 8]] = True
    with torch.no_grad():
        wanted = model(ids, longctx_global_tokens=flags).last_hidden_state
        parts = [
            model(
                piece, past_key_values=cache, longctx_global_tokens=flags[:, :10]
            ).last_hidden_state
            for piece in ids.split([10, 1, 4], dim=1)
        ]
    torch.testing.assert_close(torch.cat(parts, dim=1), wanted, atol=1e-6, rtol=0)


def test_a_text_in_pieces_equals_the_text_at_once(decoder, with_window):
    model = with_window(decoder.make(), left=3, right=0, dilation=2)
    ids = texts()["input_ids"]
    cache = DynamicCache(config=model.config)
    with torch.no_grad():
        wanted = model(ids).last_hidden_state
        parts = [
            model(piece, past_key_values=cache).last_hidden_state
            for piece in ids.split([4, 1, 6, 4], dim=1)
        ]
    torch.testing.assert_close(torch.cat(parts, dim=1), wanted, atol=1e-6, rtol=0)


# what is refused


def said(call, *args, **how):
    with pytest.raises(UserError) as error:
        call(*args, **how)
    return str(error.value)


def test_a_cache_of_fixed_length(of_kind, with_window):
    model = with_window(of_kind("llama").make(), left=3)
    cache = StaticCache(config=model.config, max_cache_len=32)
    assert said(model, texts()["input_ids"], past_key_values=cache) == (
        "need a cache that grows with the text, got one with room for 32 keys at 15 "
        "tokens: use DynamicCache, the default of generate()"
    )


def test_global_tokens_that_the_cache_has_dropped(of_kind, with_window):
    model = of_kind("mistral").make("AutoModelForCausalLM")
    changed = with_window(model, left=3, global_tokens=1)
    assert isinstance(changed, AutoModelForCausalLM._model_mapping[type(model.config)])
    assert said(generate, changed, use_cache=True) == (
        "need a cache that keeps every key for global tokens, got one that has "
        "dropped the first 9: pass past_key_values=DynamicCache()"
    )


def test_the_same_without_a_mask(of_kind, with_window):
    model = with_window(of_kind("mistral").make(), left=3)
    cache, ids = DynamicCache(config=model.config), texts()["input_ids"]
    model(ids, past_key_values=cache, longctx_global_tokens=1)  # nothing dropped yet
    how = {"past_key_values": cache, "longctx_global_tokens": 1}
    assert "dropped the first 9: pass" in said(model, ids[:, :1], **how)


def test_a_mask_of_the_new_tokens_alone(of_kind, with_window):
    model = with_window(of_kind("llama").make(), left=3)
    cache = DynamicCache(config=model.config)
    ids = texts()["input_ids"]
    model(ids, past_key_values=cache)
    ones = torch.ones(2, 1, dtype=torch.long)
    wanted = (
        "need an attention_mask with a flag for each of 16 tokens, cached ones "
        "included, got 1"
    )
    assert said(model, ids[:, :1], past_key_values=cache, attention_mask=ones) == wanted
