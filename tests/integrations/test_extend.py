from copy import deepcopy

import pytest
import torch
from transformers import (
    BertConfig,
    BertModel,
    DistilBertConfig,
    DistilBertModel,
    ElectraConfig,
    ElectraModel,
    ModernBertConfig,
    ModernBertModel,
    MPNetConfig,
    MPNetModel,
    RobertaConfig,
    RobertaModel,
    T5Config,
    T5EncoderModel,
)

from longctx_edu.errors import UserError
from longctx_edu.integrations import (
    NAME,
    PretrainedEncoder,
    extend_positions,
    load_pretrained,
    table_length,
    use_window,
)

SIZES = {
    "vocab_size": 60,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
}
TABLE = 12  # tokens that each of them reads


def bert():
    return BertModel(BertConfig(**SIZES, max_position_embeddings=TABLE))


def roberta():
    positions = {"max_position_embeddings": TABLE + 2, "pad_token_id": 1}
    return RobertaModel(RobertaConfig(**SIZES, **positions))


def electra():
    sizes = {**SIZES, "embedding_size": 8, "max_position_embeddings": TABLE}
    return ElectraModel(ElectraConfig(**sizes))


def distilbert(**more):
    config = DistilBertConfig(
        vocab_size=60,
        dim=16,
        n_layers=2,
        n_heads=2,
        hidden_dim=24,
        max_position_embeddings=TABLE,
        **more,
    )
    return DistilBertModel(config)


LEARNED = [bert, roberta, electra, distilbert]


@pytest.fixture(params=LEARNED, ids=lambda make: make.__name__)
def model(request):
    torch.manual_seed(0)
    return request.param().eval().double()


def ids(length, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(5, 60, (1, length), generator=generator)


def read(model, text, **pattern):
    with torch.no_grad():
        return PretrainedEncoder(model)(text, **pattern)


def windowed(model, left, right):
    changed = deepcopy(model)
    use_window(changed, left=left, right=right)
    return changed


# a window inside of a transformers model


def test_a_window_as_wide_as_the_text_changes_nothing(model):
    text = ids(TABLE)
    changed = windowed(model, TABLE, TABLE)
    torch.testing.assert_close(read(changed, text), read(model, text))


def test_a_narrow_window_hides_the_far(model):
    changed = windowed(model, 1, 1)
    text, other = ids(TABLE), ids(TABLE)
    other[0, -1] = 5 + (other[0, -1] - 4) % 50
    moved = (read(changed, text) != read(changed, other))[0].any(dim=-1)
    assert moved.tolist() == [False] * (TABLE - 3) + [True] * 3  # two layers reach 2


def test_a_global_token_is_seen_from_everywhere(model):
    changed = windowed(model, 1, 1)
    flags = torch.arange(TABLE)[None] == TABLE - 1
    text, other = ids(TABLE), ids(TABLE)
    other[0, -1] = 5 + (other[0, -1] - 4) % 50
    before, after = (read(changed, x, global_tokens=flags) for x in (text, other))
    assert (before != after)[0].any(dim=-1).all()


def test_padding_changes_nothing(model):
    changed = windowed(model, 2, 2)
    pad = model.config.pad_token_id or 0
    text = ids(TABLE - 4)
    filled = torch.cat([text, torch.full((1, 4), pad)], dim=1)
    keep = torch.arange(TABLE)[None] < TABLE - 4
    found = read(changed, filled, keep=keep)[:, : TABLE - 4]
    torch.testing.assert_close(found, read(changed, text))


def test_modernbert_takes_the_window_and_needs_no_table():
    config = ModernBertConfig(**SIZES, pad_token_id=0, local_attention=100)
    model = ModernBertModel(config).eval().double()
    text = ids(30)
    changed = windowed(model, 30, 30)
    torch.testing.assert_close(read(changed, text), read(model, text))
    extend_positions(changed, 40)
    assert read(changed, ids(40)).shape == (1, 40, 16)


# a longer position table


def test_every_row_is_a_copy_of_a_trained_one(model):
    table = model.embeddings.position_embeddings.weight.detach().clone()
    first = len(table) - TABLE
    extend_positions(model, 31)
    longer = model.embeddings.position_embeddings.weight
    assert len(longer) == first + 31
    assert torch.equal(longer[: len(table)], table)
    for row in range(31):
        assert torch.equal(longer[first + row], table[first + row % TABLE])
    assert longer.requires_grad
    assert table_length(model.config) == 31


def test_a_short_text_reads_the_same_and_a_long_one_reads_at_all(model):
    text = ids(TABLE)
    wanted = read(model, text)
    extend_positions(model, 31)
    torch.testing.assert_close(read(model, text), wanted)
    long = read(model, ids(31))
    assert long.shape == (1, 31, 16)
    assert long.isfinite().all()


def test_a_longer_model_comes_back_from_its_config(model):
    extend_positions(model, 31)
    again = type(model)(model.config).eval().double()
    again.load_state_dict(model.state_dict())
    torch.testing.assert_close(read(again, ids(31)), read(model, ids(31)))


def test_a_table_that_is_long_enough_stays(model):
    before = model.embeddings.position_embeddings
    extend_positions(model, TABLE)
    assert model.embeddings.position_embeddings is before


def test_no_table_to_lengthen():
    model = bert()
    del model.embeddings.position_embeddings
    wanted = (
        "need a model with a learned position table to read 31 tokens, got bert, "
        "which ends at 12: use --attention chunks"
    )
    with pytest.raises(UserError, match=wanted):
        extend_positions(model, 31)


@pytest.mark.parametrize(
    "model",
    [
        # It would take the window, and lose its own bias for positions.
        T5EncoderModel(T5Config(d_model=16, d_kv=8, d_ff=8, num_layers=1)),
        # It would say a warning, and keep its full attention.
        MPNetModel(MPNetConfig(**SIZES)),
    ],
    ids=["t5", "mpnet"],
)
def test_a_model_whose_attention_cannot_be_exchanged(model):
    wanted = (
        f"need a model whose attention can be exchanged, got {model.config.model_type}"
        ": BERT, RoBERTa, DistilBERT, ELECTRA and ModernBERT can"
    )
    with pytest.raises(UserError, match=wanted):
        use_window(model, left=1, right=1)
    assert model.config._attn_implementation != NAME


# the real weights of minilm


@pytest.fixture(scope="module")
def minilm(minilm_folder):
    model, tokenizer = load_pretrained("minilm")
    return model.eval(), tokenizer


WORDS = "The harbour town of Marlow has named a cup after its surgeon . "


def sentence(tokenizer, length):
    text = WORDS * (length // 10)
    return tokenizer(text, return_tensors="pt", truncation=True, max_length=length)


def test_minilm_with_a_window_as_wide_as_the_text(minilm):
    model, tokenizer = minilm
    text = sentence(tokenizer, 200)["input_ids"]
    found = read(windowed(model, 200, 200), text)
    torch.testing.assert_close(found, read(model, text), atol=1e-5, rtol=0)


def test_minilm_reads_1500_tokens(minilm):
    model, tokenizer = minilm
    changed = windowed(model, 64, 64)
    extend_positions(changed, 1500)
    table = model.embeddings.position_embeddings.weight
    longer = changed.embeddings.position_embeddings.weight
    assert torch.equal(longer[512:1024], table)
    assert torch.equal(longer[1024:], table[:476])
    text = sentence(tokenizer, 1500)["input_ids"]
    assert text.shape == (1, 1500)
    keep = torch.arange(1500)[None] < 1400
    with_padding = read(changed, text, keep=keep)[:, :1400]
    assert with_padding.isfinite().all()
    alone = read(changed, text[:, :1400])
    torch.testing.assert_close(with_padding, alone, atol=1e-5, rtol=0)
    assert changed.config._attn_implementation == NAME
