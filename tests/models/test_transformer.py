"""The Transformer against torch's layers, and read in pieces against read at once."""

from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from longctx_edu.attention import causal_attention, full_attention, sink_attention
from longctx_edu.memory import KVCache, SegmentMemory
from longctx_edu.models import (
    EncoderDecoder,
    LanguageModel,
    Transformer,
    TransformerConfig,
    positions_of,
)
from longctx_edu.positions import rotary_frequencies, rotate, rotation, sinusoidal

few = settings(max_examples=25, deadline=None, derandomize=True)
BATCH, TOKENS, VOCAB = 2, 11, 13
RELATIVE = ("none", "rotary", "alibi")


def make(attention=causal_attention, *, cross=False, seed=0, **sizes):
    """A small Transformer in float64 whose weights differ in every number."""
    given = {"vocab_size": VOCAB, "d_model": 16, "d_ff": 20, "n_heads": 4, **sizes}
    if given.get("positions") == "learned":
        given = {"max_tokens": 32, **given}
    model = Transformer(TransformerConfig(**given), attention, cross=cross)
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.4, generator=generator)
    return model.double().eval()


def text(n_tokens=TOKENS, seed=1, batch=BATCH):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(VOCAB, (batch, n_tokens), generator=generator)


def close(ours, wanted):
    torch.testing.assert_close(ours, wanted, rtol=0, atol=1e-10)


# equals torch's layers


def copy_attention(theirs, ours):
    projections = ours.q_proj, ours.k_proj, ours.v_proj
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([p.weight for p in projections]))
        theirs.in_proj_bias.copy_(torch.cat([p.bias for p in projections]))
    theirs.out_proj.load_state_dict(ours.out_proj.state_dict())


def torchs_layer(block, *, pre):
    """Torch's layer with the weights of our block, an encoder's or a decoder's."""
    kind = nn.TransformerEncoderLayer if block.cross is None else None
    kind = kind or nn.TransformerDecoderLayer
    options = {"norm_first": pre, "batch_first": True, "activation": "gelu"}
    theirs = kind(16, 4, 20, dropout=0.0, **options).double().eval()
    copy_attention(theirs.self_attn, block.attention)
    theirs.linear1.load_state_dict(block.feed[0].state_dict())
    theirs.linear2.load_state_dict(block.feed[2].state_dict())
    norms = [block.attention_norm, block.feed_norm]
    if block.cross is not None:
        copy_attention(theirs.multihead_attn, block.cross)
        norms.insert(1, block.cross_norm)
    for number, norm in enumerate(norms, start=1):
        getattr(theirs, f"norm{number}").load_state_dict(norm.state_dict())
    return theirs


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_an_encoder_equals_torchs_forward_and_gradient(norm):
    model = make(full_attention, norm=norm, positions="none")
    ids, keep = text(), torch.arange(TOKENS) < torch.tensor([[TOKENS], [6]])
    table = model.embedding.weight
    x = table.detach()[ids] * 4
    for block in model.blocks:
        x = torchs_layer(block, pre=norm == "pre")(x, src_key_padding_mask=~keep)
    wanted = x if model.norm is None else model.norm(x)
    ours = model(ids, keep=keep)
    close(ours[keep], wanted[keep])


def test_gradients_equal_torchs():
    model = make(full_attention, positions="none", n_layers=1)
    theirs, ids = torchs_layer(model.blocks[0], pre=True), text()
    table = model.embedding.weight.detach().clone().requires_grad_()
    model(ids).square().sum().backward()
    model.norm(theirs(table[ids] * 4)).square().sum().backward()
    close(model.embedding.weight.grad, table.grad)
    close(model.blocks[0].feed[0].weight.grad, theirs.linear1.weight.grad)


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_encoder_and_decoder_equal_torchs(norm):
    encoder = make(full_attention, norm=norm, positions="none", seed=5)
    decoder = make(norm=norm, positions="none", cross=True)
    model = EncoderDecoder(encoder, decoder)
    source, ids = text(7, seed=2), text()
    keep = torch.arange(7) < torch.tensor([[7], [4]])
    context = encoder(source, keep=keep)
    x = decoder.embedding(ids) * 4
    causal = nn.Transformer.generate_square_subsequent_mask(TOKENS).double()
    for block in decoder.blocks:
        x = torchs_layer(block, pre=norm == "pre")(
            x, context, tgt_mask=causal, memory_key_padding_mask=~keep
        )
    x = x if decoder.norm is None else decoder.norm(x)
    close(model(source, ids, keep=keep), x @ decoder.embedding.weight.mT)


def test_grouped_heads_equal_repeated_ones():
    grouped, plain = make(n_kv_heads=2), make()
    weights = grouped.state_dict()
    for name in [name for name in weights if "k_proj" in name or "v_proj" in name]:
        heads = weights[name].unflatten(0, (2, 4))
        weights[name] = heads.repeat_interleave(2, dim=0).flatten(0, 1)
    plain.load_state_dict(weights)
    close(grouped(text()), plain(text()))


def test_each_way_of_telling_the_place_is_the_librarys():
    x, places = torch.randn(2, 3, 4, 8).double(), torch.tensor([5, 6, 7, 9])
    sizes = {"vocab_size": VOCAB, "d_model": 16, "n_heads": 2}
    of = {
        name: positions_of(TransformerConfig(positions=name, **sizes))
        for name in ("sinusoidal", "rotary", "alibi")
    }
    turned = rotate(x, rotation(places, rotary_frequencies(8), dtype=x.dtype))
    close(of["rotary"].turn(x, places), turned)
    vectors, waves = x[:, 0], sinusoidal(places, 8, dtype=x.dtype)
    close(of["sinusoidal"].add(vectors, places), vectors + waves)
    far = of["alibi"].bias(places, torch.tensor([5]))
    assert far.flatten().tolist() == [
        -slope * distance for slope in (1 / 16, 1 / 256) for distance in (0, 1, 2, 4)
    ]


# properties


@few
@given(
    cuts=st.lists(st.integers(0, TOKENS), max_size=4),
    left=st.sampled_from([None, 0, 3]),
    positions=st.sampled_from(["none", "learned", "sinusoidal", "rotary", "alibi"]),
    norm=st.sampled_from(["pre", "post"]),
    conv_width=st.sampled_from([1, 3]),
)
def test_a_cache_equals_the_whole_text(cuts, left, positions, norm, conv_width):
    sizes = {"norm": norm, "conv_width": conv_width, "n_kv_heads": 2}
    attention = partial(causal_attention, left=left)
    model = make(attention, positions=positions, **sizes)
    ids, cache, pieces = text(), KVCache(2, left=left), []
    with torch.no_grad():
        for piece in ids.tensor_split(sorted(cuts), dim=1):
            pieces.append(model(piece, cache=cache))
        close(torch.cat(pieces, dim=1), model(ids))
    assert cache.n_tokens == TOKENS


@few
@given(
    cuts=st.lists(st.integers(0, 20), max_size=4),
    left=st.integers(0, 6),
    sinks=st.integers(1, 3),
    positions=st.sampled_from(RELATIVE),
)
def test_sinks_in_a_cache_equal_their_definition(cuts, left, sinks, positions):
    """One layer: the definition forms q, k and v by hand."""
    model = make(n_layers=1, n_kv_heads=2, positions=positions)
    ids, cache, pieces = text(20), KVCache(1, left=left, sinks=sinks), []
    block = model.blocks[0]
    with torch.no_grad():
        for piece in ids.tensor_split(sorted(cuts), dim=1):
            pieces.append(model(piece, cache=cache))
        block.attention.forward = partial(by_hand, block.attention, left, sinks)
        close(torch.cat(pieces, dim=1), model(ids))


def by_hand(layer, left, sinks, x, places, *, positions, **_):
    """The layer with its sinks, over the whole text."""
    inside = places.clamp(max=sinks + left)
    heads = lambda made, n: made.unflatten(-1, (n, 4)).transpose(1, 2)
    q, k, v = (
        heads(layer.q_proj(x), 4),
        heads(layer.k_proj(x), 2),
        heads(layer.v_proj(x), 2),
    )
    bias = positions.bias(places, places)
    if bias is not None:
        bias = bias.double()
        bias[..., :sinks] = positions.bias(inside, places[:sinks])
    out = sink_attention(
        positions.turn(q, places), positions.turn(k, places), v,
        left=left, sinks=sinks, q_sinks=positions.turn(q, inside), bias=bias,
    )  # fmt: skip
    return layer.out_proj(out.transpose(1, 2).flatten(2))


@few
@given(
    cuts=st.lists(st.integers(1, TOKENS - 1), max_size=4),
    positions=st.sampled_from(RELATIVE),
    norm=st.sampled_from(["pre", "post"]),
    conv_width=st.sampled_from([1, 3]),
)
def test_a_memory_as_long_as_the_text_equals_the_whole_text(
    cuts, positions, norm, conv_width
):
    model = make(positions=positions, norm=norm, conv_width=conv_width)
    ids, memory, pieces = text(), SegmentMemory(2, length=TOKENS), []
    with torch.no_grad():
        for piece in ids.tensor_split(sorted(cuts), dim=1):
            pieces.append(model(piece, memory=memory))
        close(torch.cat(pieces, dim=1), model(ids))


def test_a_memory_reaches_one_length_further_with_each_layer():
    ids, changed = text(24), text(24)
    for layers in (1, 2, 3):
        model = make(n_layers=layers)
        for place in range(24):
            changed[:] = ids
            changed[:, place] = (ids[:, place] + 1) % VOCAB
            ends = []
            for each in (ids, changed):
                memory = SegmentMemory(layers, length=4)
                with torch.no_grad():
                    pieces = [model(p, memory=memory) for p in each.split(4, dim=1)]
                ends.append(pieces[-1][:, 0])  # the first token of the last segment
            moved = not torch.equal(*ends)
            assert moved == (20 - 4 * layers <= place <= 20), (layers, place)


def test_no_gradient_flows_into_the_segment_before():
    model = make(positions="learned", conv_width=3, norm="post")
    memory = SegmentMemory(2, length=8)
    model(text(4), memory=memory)
    model(text(4, seed=3), memory=memory).square().sum().backward()
    moved = model.positions.table.grad.abs().sum(dim=1) > 0
    assert moved.nonzero().flatten().tolist() == [4, 5, 6, 7]


@pytest.mark.parametrize("conv_width", [1, 3])
@pytest.mark.parametrize("positions", [*RELATIVE, "learned", "sinusoidal"])
def test_a_decoder_never_looks_ahead(positions, conv_width):
    model = LanguageModel(make(positions=positions, conv_width=conv_width))
    ids = text()
    changed = ids.clone()
    changed[:, 7:] = (ids[:, 7:] + 1) % VOCAB
    before, after = model(ids), model(changed)
    assert torch.equal(before[:, :7], after[:, :7])
    assert (before[:, 7:] != after[:, 7:]).any(dim=-1).all()


@pytest.mark.parametrize("positions", ["learned", "sinusoidal", "rotary", "alibi"])
def test_positions_tell_the_order_and_their_absence_does_not(positions):
    ids = text()
    swapped = ids[:, [1, 0, *range(2, TOKENS)]]
    assert (ids != swapped).any()
    without = make(full_attention, positions="none")
    close(without(ids)[:, 5:], without(swapped)[:, 5:])
    model = make(full_attention, positions=positions)
    assert (model(ids) - model(swapped))[:, 5:].abs().max() > 1e-3


@pytest.mark.parametrize("positions", RELATIVE)
def test_a_decoder_with_a_window_knows_no_absolute_place(positions):
    """Two layers reach 2 * left tokens; beyond, the text may begin anywhere."""
    model = make(partial(causal_attention, left=3), positions=positions)
    ids = text(20)
    close(model(ids)[:, 12:], model(ids[:, 5:])[:, 7:])


# edges


@pytest.mark.parametrize("n_tokens", [0, 1])
def test_texts_of_no_and_of_one_token(n_tokens):
    model, cache = make(), KVCache(2)
    assert model(text(n_tokens)).shape == (BATCH, n_tokens, 16)
    assert model(text(n_tokens), cache=cache).shape == (BATCH, n_tokens, 16)


def test_dropout_acts_in_training_alone():
    model = make(dropout=0.5)
    torch.testing.assert_close(model(text()), model(text()), rtol=0, atol=0)
    assert not torch.equal(model.train()(text()), model(text()))


def test_the_embedding_is_dropped_out_too():
    model = make(dropout=0.5)
    for block in model.blocks:
        block.dropout.p = 0.0
    assert not torch.equal(model.train()(text()), model(text()))


# messages


def test_a_text_longer_than_its_table_is_refused_also_through_a_cache():
    model, cache = make(positions="learned", max_tokens=8), KVCache(2)
    with pytest.raises(ValueError, match=r"positions from 0 to 7.*got 0 to 10"):
        model(text())
    model(text(8), cache=cache)
    with pytest.raises(ValueError, match=r"positions from 0 to 7.*got 8 to 8"):
        model(text(1), cache=cache)


@pytest.mark.parametrize("positions", ["learned", "sinusoidal"])
def test_sinks_need_positions_that_can_change(positions):
    model = make(positions=positions)
    with pytest.raises(ValueError, match=rf"rotary, alibi, none.*got {positions}"):
        model(text(), cache=KVCache(2, left=3, sinks=1))


def test_a_cache_takes_neither_a_memory_nor_a_pattern_beside_it():
    model = make()
    with pytest.raises(ValueError, match="a cache or a memory, got both"):
        model(text(), cache=KVCache(2), memory=SegmentMemory(2, length=3))
    keep = torch.ones(BATCH, TOKENS).bool()
    with pytest.raises(ValueError, match=r"no pattern beside a cache.*got keep"):
        model(text(), cache=KVCache(2), keep=keep)


def test_a_cache_of_another_batch_is_refused():
    model, cache = make(), KVCache(2)
    model(text(), cache=cache)
    with pytest.raises(ValueError, match="batch of 2, got 3"):
        model(text(batch=3), cache=cache)


def test_encoder_and_decoder_must_fit():
    encoder = make(full_attention)
    with pytest.raises(ValueError, match="cross=True"):
        EncoderDecoder(encoder, make())
    with pytest.raises(ValueError, match="one d_model, got 16 and 32"):
        EncoderDecoder(encoder, make(cross=True, d_model=32))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n_layers": 0}, "need n_layers >= 1, got n_layers=0"),
        ({"vocab_size": 0}, "need vocab_size >= 1"),
        ({"conv_width": 0}, "need conv_width >= 1"),
        ({"n_heads": 3}, "d_model=16, n_heads=3"),
        ({"n_kv_heads": 3}, "n_kv_heads=3"),
        ({"n_kv_heads": 0}, "need kv_heads >= 1, got kv_heads=0"),
        ({"d_model": 12}, "even width of a head.*= 3"),
        ({"positions": "learnt"}, "unknown positions 'learnt': did you mean learned"),
        ({"norm": "middle"}, "unknown norm 'middle'"),
        ({"positions": "learned"}, "need max_tokens for learned"),
        ({"max_tokens": 8}, "max_tokens=8 and positions='rotary'"),
        ({"max_tokens": 0, "positions": "learned"}, "need max_tokens >= 1"),
        ({"dropout": 1.0}, "need 0 <= dropout < 1"),
        ({"theta": 1.0}, "need theta > 1"),
    ],
)
def test_sizes_that_have_no_meaning_are_refused(wrong, message):
    sizes = {"vocab_size": VOCAB, "d_model": 16, "n_heads": 4, **wrong}
    with pytest.raises(Exception, match=message):
        TransformerConfig(**sizes)
