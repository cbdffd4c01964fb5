from dataclasses import replace
from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from longctx_edu.data.language import train_tokenizer
from longctx_edu.errors import UserError
from longctx_edu.memory import KVCache
from longctx_edu.models import (
    TransformerConfig,
    build_language_model,
    generate,
    greedy,
    sample,
    stream,
)
from longctx_edu.recipes import continuation
from longctx_edu.recipes.continuation import (
    cache_for,
    chooser,
    continue_text,
    decoded_pieces,
)
from longctx_edu.recipes.language_run import LanguageRun

PROMPT = "The café of Zoë"
TOKENIZER = train_tokenizer(
    ["the café by the sea, the café by the 港 "], vocab_size=275
)


def make_run(left=None, seed=0, **sizes):
    torch.manual_seed(seed)
    sizes = {"n_layers": 2, "n_heads": 2, "d_model": 8, "d_ff": 8, **sizes}
    model = build_language_model(TransformerConfig(275, **sizes), left=left).double()
    with torch.no_grad():  # what is near decides, not the token alone
        for weight in model.transformer.blocks.parameters():
            weight *= 5
    return LanguageRun(model.eval(), TOKENIZER, n_tokens=16, left=left)


def text_of(run, prompt=PROMPT, n_tokens=24, **how):
    return "".join(continue_text(run, prompt, n_tokens=n_tokens, **how))


def of_text(logits, choose=greedy):
    return choose(
        torch.cat([torch.full_like(logits[:, :3], -torch.inf), logits[:, 3:]], 1)
    )


# equals the definition


@pytest.mark.parametrize("positions", ["rotary", "alibi", "none", "sinusoidal"])
def test_it_says_what_generate_says(positions):
    run = make_run(positions=positions)
    ids = TOKENIZER.encode(PROMPT)[None]
    wanted = generate(run.model, ids, max_new_tokens=24, choose=of_text)
    wanted = TOKENIZER.decode(wanted[0, ids.shape[1] :])
    assert text_of(run) == text_of(run, cached=False) == wanted


def test_a_window_and_sinks_are_those_of_the_cache():
    run = make_run()
    ids = TOKENIZER.encode(PROMPT)[None]
    cache = KVCache(2, left=4, sinks=2)
    new = stream(run.model, ids, max_new_tokens=24, choose=of_text, cache=cache)
    wanted = TOKENIZER.decode(torch.cat(list(new)))
    assert text_of(run, left=4, sinks=2) == wanted
    assert text_of(run) != wanted


def test_a_model_with_a_window_keeps_that_window():
    run = make_run(left=3)
    assert cache_for(run, left=None, sinks=0).left == 3
    assert cache_for(run, left=7, sinks=1).left == 7
    assert text_of(run) == text_of(run, cached=False) == text_of(run, left=3)
    assert text_of(run) != text_of(make_run())


def test_a_long_prompt_is_read_in_pieces(monkeypatch):
    run = make_run()
    whole = text_of(run, PROMPT * 3)
    lengths = []
    run.model.register_forward_pre_hook(
        lambda _, args: lengths.append(args[0].shape[1])
    )
    monkeypatch.setattr(continuation, "AT_ONCE", 7)
    assert text_of(run, PROMPT * 3) == whole
    assert max(lengths) == 7
    assert lengths[-23:] == [1] * 23


def test_chance_comes_from_the_seed_alone():
    run = make_run()
    choose = partial(
        sample, temperature=0.5, generator=torch.Generator().manual_seed(3)
    )
    ids = TOKENIZER.encode(PROMPT)[None]
    wanted = generate(
        run.model, ids, max_new_tokens=24, choose=partial(of_text, choose=choose)
    )
    texts = set()
    for seed in (3, 3, 4):
        torch.rand(1)
        texts.add(text_of(run, choose=chooser(275, temperature=0.5, seed=seed)))
    assert TOKENIZER.decode(wanted[0, ids.shape[1] :]) in texts
    assert len(texts) == 2


def test_numbers_of_the_choice_reach_it():
    run = make_run()
    assert text_of(run, choose=chooser(275, top_k=1)) == text_of(run)
    assert text_of(run, choose=chooser(275, top_p=1e-9)) == text_of(run)
    assert text_of(run, choose=chooser(275)) != text_of(run)


# pieces


def test_a_piece_comes_before_the_next_token_is_read():
    run = make_run()
    calls = []
    run.model.register_forward_pre_hook(lambda *_: calls.append(1))
    pieces = continue_text(
        run, PROMPT, n_tokens=50, choose=lambda _: torch.tensor([70])
    )
    assert calls == []
    assert next(pieces) == TOKENIZER.decode([70])
    assert len(calls) == 1
    next(pieces)
    assert len(calls) == 2


def test_an_empty_prompt_is_the_start_token():
    run = make_run()
    read = []
    run.model.register_forward_pre_hook(lambda _, args: read.append(args[0].tolist()))
    text_of(run, "", n_tokens=2)
    assert read[0] == [[TOKENIZER.start_id]]


def test_special_tokens_are_never_said():
    run = make_run()
    with torch.no_grad():
        run.model.transformer.embedding.weight[:3] *= 1000
    ids = TOKENIZER.encode(PROMPT)[None]
    said = generate(run.model, ids, max_new_tokens=24)[0, ids.shape[1] :]
    assert set(said.tolist()) & {0, 1, 2}
    assert "<" not in text_of(run)


@given(st.text(max_size=20))
def test_no_piece_is_half_a_character(text):
    pieces = list(decoded_pieces(TOKENIZER, TOKENIZER.encode(text).tolist()))
    assert "".join(pieces) == text
    assert "�" in text or not any("�" in piece for piece in pieces)


@given(st.lists(st.integers(0, 274), max_size=20))
def test_joined_the_pieces_are_the_text_of_all_ids(ids):
    assert "".join(decoded_pieces(TOKENIZER, ids)) == TOKENIZER.decode(ids)


def test_each_token_of_plain_text_is_a_piece():
    ids = TOKENIZER.encode("the sea, the sea").tolist()
    assert list(decoded_pieces(TOKENIZER, ids)) == TOKENIZER.pieces(ids)


# what is refused, before the first piece


def test_a_table_of_places_that_ends():
    run = make_run(positions="learned", max_tokens=20)
    prompt = "the sea, the sea"
    n = len(TOKENIZER.encode(prompt))
    assert text_of(run, prompt, n_tokens=21 - n)
    with pytest.raises(UserError) as error:
        continue_text(run, prompt, n_tokens=22 - n)
    assert str(error.value) == (
        "need at most 20 tokens for the model's table of learned positions, got "
        f"{n} of the prompt and {22 - n} new ones: take --tokens {21 - n}, or a model "
        "trained with --positions rotary"
    )
    with pytest.raises(UserError, match="new ones: take a shorter prompt, or a model"):
        continue_text(run, prompt * 9, n_tokens=1)


def test_sinks():
    with pytest.raises(UserError) as error:
        continue_text(make_run(), PROMPT, n_tokens=1, sinks=4)
    assert str(error.value) == (
        "need --left beside --sinks 4, got none: say how many of the last tokens are "
        "kept, such as --left 127"
    )
    for table in ({"positions": "sinusoidal"}, {"positions": "learned"}):
        more = {"max_tokens": 99} if table["positions"] == "learned" else {}
        with pytest.raises(UserError) as error:
            continue_text(
                make_run(**table, **more), PROMPT, n_tokens=1, left=2, sinks=4
            )
        assert str(error.value) == (
            "need a model trained with --positions rotary, alibi or none for --sinks "
            f"4, got {table['positions']}, whose tokens carry their place with them: "
            "leave --sinks out"
        )


def test_numbers_below_their_least():
    run = make_run()
    with pytest.raises(ValueError, match="need left that is a whole number >= 0"):
        continue_text(run, PROMPT, n_tokens=1, left=-1)
    with pytest.raises(ValueError, match="need sinks that are a whole number >= 0"):
        continue_text(run, PROMPT, n_tokens=1, left=1, sinks=-1)
    with pytest.raises(ValueError, match="need max_new_tokens >= 0, got -1"):
        continue_text(run, PROMPT, n_tokens=-1)
    with pytest.raises(ValueError, match="need text that UTF-8 can write"):
        continue_text(run, "\ud83d", n_tokens=1)


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ({"temperature": 0.0}, "need temperature > 0, got 0.0"),
        (
            {"top_k": 276},
            "need top_k from 1 to the 275 tokens of the vocabulary, got 2",
        ),
        ({"top_p": 0.0}, "need a top_p above 0 and up to 1, got 0.0"),
    ],
)
def test_numbers_of_the_choice(numbers, said):
    with pytest.raises(ValueError, match=said):
        chooser(275, **numbers)


def test_a_run_is_left_as_it_was():
    run = make_run()
    before = replace(run)
    weights = run.model.transformer.embedding.weight.clone()
    text_of(run)
    assert run == before and torch.equal(
        weights, run.model.transformer.embedding.weight
    )
