import math
from copy import deepcopy

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import BertPreTokenizer
from transformers import (
    AutoModelForMaskedLM,
    BertConfig,
    BertForMaskedLM,
    BertModel,
    GPT2Config,
    GPT2Model,
    ModernBertConfig,
    ModernBertModel,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForMaskedLM,
)

from longctx_edu.data.catalogue import load
from longctx_edu.data.language import IGNORED
from longctx_edu.errors import UserError
from longctx_edu.integrations import find_pretrained
from longctx_edu.recipes import conversion, conversion_bits, conversion_training
from longctx_edu.recipes.conversion import RUNGS, Rung, conversion_ladder
from longctx_edu.recipes.conversion_bits import bits_at, hide_some, text_ids
from longctx_edu.recipes.conversion_model import (
    MaskedReader,
    load_masked,
    with_copied_rows,
    with_random_rows,
)
from longctx_edu.recipes.conversion_ner import fine_tuned_f1
from longctx_edu.recipes.conversion_training import (
    continue_training,
    learn_to_name,
    train_head,
    training_pieces,
)
from longctx_edu.training import Interrupted, TrainConfig

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
TABLE, LONG = 32, 72
SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": TABLE,
}
SEA = "the old harbour of marlow keeps its boats and sells fish to the town ; "
WHOLE = {"left": TABLE, "right": TABLE}


def save_tokenizer(folder, special=SPECIAL):
    letters = [chr(code) for code in range(33, 127)]
    names = [*special, *letters, *(f"##{letter}" for letter in letters)]
    vocab = {name: number for number, name in enumerate(names)}
    fast = Tokenizer(WordPiece(vocab, unk_token="[UNK]"))
    fast.pre_tokenizer = BertPreTokenizer()
    tokens = {f"{name[1:-1].lower()}_token": name for name in special}
    PreTrainedTokenizerFast(tokenizer_object=fast, **tokens).save_pretrained(folder)
    return len(vocab)


def save(folder, kind, config, **sizes):
    """Save a random model, its weights large enough to make a difference."""
    torch.manual_seed(0)
    model = kind(config(vocab_size=save_tokenizer(folder), **sizes))
    for weight in model.parameters():
        weight.data.mul_(8 if weight.ndim > 1 else 1)
    model.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    """A folder with a random BERT without a head, that reads 32 letters at once."""
    return save(tmp_path_factory.mktemp("bert"), BertModel, BertConfig, **SIZES)


@pytest.fixture
def reader(bert):
    return load_masked(bert)


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "sea.txt"
    path.write_text(SEA * 20)
    return path


@pytest.fixture
def ids(reader, text):
    return text_ids(reader, text)[1]


def climb(bert, text, **more):
    how = {"lengths": (16, TABLE, LONG), "head_steps": 2, "steps": 2, "left": 8}
    how |= {"right": 8, "progress": False, **more}
    return conversion_ladder(bert, text=text, **how)


# equals the definition


def test_bits_are_those_of_one_piece_after_the_other(reader, ids):
    inputs, labels = hide_some(reader.marks, ids, torch.Generator().manual_seed(3))
    nats, count = 0.0, 0
    for start in range(0, len(ids), 18):
        row = torch.tensor([[2, *inputs[start : start + 18].tolist(), 3]])
        with torch.no_grad():
            logits = reader.model(row).logits[0, 1:-1].log_softmax(dim=-1)
        for place, label in enumerate(labels[start : start + 18].tolist()):
            if label != IGNORED:
                nats, count = nats - float(logits[place, label]), count + 1
    found = bits_at(reader, ids, n_tokens=20, seed=3, batch_tokens=60)
    assert found == pytest.approx(nats / count / math.log(2), abs=1e-5)
    assert count == round(0.15 * len(ids))


def test_the_head_is_asked_at_some_places_only(reader):
    row = torch.randint(5, 50, (2, 9), generator=torch.Generator().manual_seed(0))
    asked = torch.zeros(2, 9, dtype=torch.bool)
    asked[0, 4] = asked[1, 2] = asked[1, 8] = True
    with torch.no_grad():
        torch.testing.assert_close(reader(row, asked), reader.model(row).logits[asked])
    assert reader.model(row).logits.shape[:2] == (2, 9)  # the hook is gone again


@pytest.mark.parametrize(
    ("kind", "config", "more"),
    [
        (BertForMaskedLM, BertConfig, {}),
        (RobertaForMaskedLM, RobertaConfig, {"pad_token_id": 0}),
    ],
)
def test_a_head_that_came_with_the_files_is_used(kind, config, more, tmp_path):
    folder = save(tmp_path, kind, config, **SIZES, **more)
    reader = load_masked(folder, seed=5)
    assert reader.has_own_head
    row = torch.arange(5, 20)[None]
    wanted = AutoModelForMaskedLM.from_pretrained(folder).eval()
    with torch.no_grad():
        found = reader(row, row > 7)
        torch.testing.assert_close(found, wanted(row).logits[row > 7])


def test_a_head_of_its_own_is_left_alone_by_the_ladder(tmp_path, text, monkeypatch):
    def never(*_, **__):
        raise AssertionError("the head is not to be trained")

    monkeypatch.setattr(conversion, "learn_to_name", never)
    folder = save(tmp_path, BertForMaskedLM, BertConfig, **SIZES)
    assert len(climb(folder, text)) == len(RUNGS)


# made long


@pytest.mark.parametrize("make", [with_copied_rows, with_random_rows])
def test_a_window_over_the_whole_text_reads_as_the_original(reader, ids, make):
    long = make(reader, LONG, **WHOLE)
    assert long.longest == LONG
    for n in (16, TABLE):
        wanted = bits_at(reader, ids, n_tokens=n)
        assert bits_at(long, ids, n_tokens=n) == pytest.approx(wanted, abs=1e-4)
    assert reader.longest == TABLE  # the original is a model of its own


def test_new_rows_are_random_or_copied(reader, ids):
    def rows(long):
        return long.model.bert.embeddings.position_embeddings.weight.detach()

    old, copied = rows(reader), rows(with_copied_rows(reader, LONG))
    drawn = [rows(with_random_rows(reader, LONG, seed=seed)) for seed in (0, 0, 1)]
    assert all(torch.equal(table[:TABLE], old) for table in [copied, *drawn])
    assert torch.equal(copied[TABLE : 2 * TABLE], old)
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert float(drawn[0][TABLE:].std()) == pytest.approx(0.02, rel=0.15)
    bits = [
        bits_at(make(reader, LONG, **WHOLE), ids, n_tokens=LONG)
        for make in (with_copied_rows, with_random_rows)
    ]
    assert abs(bits[0] - bits[1]) > 1e-3


def test_the_first_token_is_global(reader):
    long = with_copied_rows(reader, LONG, left=2, right=3)
    marks = [getattr(long.model.config, f"longctx_{x}") for x in ("left", "right")]
    assert (marks, long.model.config.longctx_global_tokens) == ([2, 3], 1)


def test_the_window_counts(reader, ids):
    bits = [
        bits_at(with_copied_rows(reader, LONG, left=a, right=b), ids, n_tokens=TABLE)
        for a, b in ((1, 1), (1, 9), (9, 1))
    ]
    assert len({round(x, 4) for x in bits}) == 3


# training


def test_only_the_head_is_trained_first(reader, text):
    before = deepcopy(reader.state_dict())
    train = text_ids(reader, text)[0]
    how = {"n_tokens": 20, "batch_tokens": 60, "progress": False}
    history = train_head(reader, train, steps=3, **how)
    assert len(history.steps) == 3
    assert history.tokens == 3 * 3 * 18  # steps, texts, letters
    changed = {
        name.removeprefix("model.").partition(".")[0]
        for name, weight in reader.named_parameters()
        if not torch.equal(weight, before[name])
    }
    assert changed == {"cls"}
    assert all(weight.requires_grad for weight in reader.parameters())


def test_the_bias_of_a_fresh_head_begins_with_the_frequencies(reader, text):
    train = text_ids(reader, text)[0]
    reader.begin_with_frequencies(train)
    shares = reader.model.get_output_embeddings().bias.detach().exp()
    often = int(train.bincount().argmax())
    count = int((train == often).sum())
    n_ids = len(shares)
    assert float(shares.sum()) == pytest.approx(1)
    assert float(shares[often]) == pytest.approx((count + 1) / (len(train) + n_ids))
    assert (
        reader.model.cls.predictions.bias is reader.model.cls.predictions.decoder.bias
    )


def test_a_fresh_head_learns_alone_first_and_then_the_model(reader, text, monkeypatch):
    steps = []

    def fit(model, examples, **how):
        alone = not any(w.requires_grad for w in model.model.bert.parameters())
        steps.append((alone, len(examples) // 4, how["config"].learning_rate))
        return real(model, examples, **how)

    real = conversion_training.fit
    monkeypatch.setattr(conversion_training, "fit", fit)
    how = {"n_tokens": 20, "progress": False}
    learn_to_name(reader, text_ids(reader, text)[0], steps=8, **how)
    learn_to_name(reader, text_ids(reader, text)[0], steps=1, **how)
    assert steps == [(True, 2, 3e-3), (False, 6, 3e-4), (True, 1, 3e-3)]


def test_an_encoder_that_does_not_change_has_no_dropout(reader):
    with reader.frozen_encoder():
        assert not reader.train().model.bert.training
        assert reader.model.cls.training
    assert reader.train().model.bert.training


def test_training_goes_through_the_whole_model_and_lowers_the_bits(reader, text):
    train, test = text_ids(reader, text)
    long = with_copied_rows(reader, LONG, left=8, right=8)
    before, weights = bits_at(long, test, n_tokens=LONG), deepcopy(long.state_dict())
    how = {"n_tokens": LONG, "batch_tokens": LONG, "learning_rate": 1e-2}
    continue_training(long, train, steps=12, progress=False, **how)
    assert bits_at(long, test, n_tokens=LONG) < before - 0.5
    changed = [n for n, w in long.named_parameters() if not torch.equal(w, weights[n])]
    assert any("position_embeddings" in name for name in changed)
    assert len(changed) == len(list(long.parameters()))


def test_pieces_go_through_the_text_again_and_again():
    pieces = training_pieces(torch.arange(50), size=8, count=20)
    assert [len(piece) for piece in pieces] == [8] * 20
    assert all(torch.equal(piece, piece[0] + torch.arange(8)) for piece in pieces)
    assert len({int(piece[0]) for piece in pieces}) > 6
    again = training_pieces(torch.arange(50), size=8, count=20)
    assert all(map(torch.equal, pieces, again))


# the ladder


def test_every_rung_names_the_same_tokens(bert, text, monkeypatch):
    seen = []

    def hide(marks, ids, generator):
        found = hide_some(marks, ids, generator)
        seen.append(found)
        return found

    monkeypatch.setattr(conversion_bits, "hide_some", hide)
    climb(bert, text)
    assert len(seen) == 2 + 2 + 3 + 3 + 2 + 3  # lengths of each rung
    for inputs, labels in seen:
        assert torch.equal(inputs, seen[0][0])
        assert torch.equal(labels, seen[0][1])


def test_the_ladder(bert, text):
    reached = []
    rungs = climb(bert, text, on_rung=lambda *both: reached.append(both))
    assert [rung.name for rung in rungs] == list(RUNGS)
    assert [rung for rung, _ in reached] == rungs
    bits = {rung.name: rung.bits for rung in rungs}
    assert all(list(row) == [16, TABLE, LONG] for row in bits.values())
    came, chunks, random, copied, control, trained = bits.values()
    assert came[LONG] is None
    assert chunks == {**came, LONG: came[TABLE]}
    assert random[TABLE] == pytest.approx(copied[TABLE], abs=1e-5)
    assert abs(random[LONG] - copied[LONG]) > 1e-3
    assert control[LONG] == control[TABLE] != came[TABLE]
    assert trained != copied
    tokens = [rung.trained_tokens for rung in rungs]
    assert tokens == [0, 0, 0, 0, 2 * 2 * (TABLE - 2), 2 * (LONG - 2)]
    assert all(rung.seconds > 0 for rung in rungs)


def test_each_rung_comes_with_its_model(bert, text):
    reads = []

    def check(rung, reader):
        reads.append(reader.longest)
        test = text_ids(reader, text)[1][:80]
        if "chunks" not in rung.name and rung.bits[LONG]:
            found = bits_at(reader, test, n_tokens=LONG)
            assert rung.bits[LONG] == pytest.approx(found, abs=1e-5)

    climb(bert, text, held_tokens=80, on_rung=check)
    assert reads == [TABLE, TABLE, LONG, LONG, TABLE, LONG]


def test_the_seed_decides(bert, text):
    first, again, other = (climb(bert, text, seed=seed) for seed in (1, 1, 2))
    assert [rung.bits for rung in first] == [rung.bits for rung in again]
    assert first[-1].bits != other[-1].bits


def test_ctrl_c_stops_it(bert, text):
    def stop(rung, reader):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        climb(bert, text, on_rung=stop)
    assert issubclass(Interrupted, KeyboardInterrupt)


def test_minilm(text):
    try:
        find_pretrained("minilm")
    except UserError as error:
        pytest.skip(str(error))
    reader = load_masked("minilm")
    assert (reader.has_own_head, reader.longest) == (False, 512)
    assert (reader.marks.mask, reader.marks.around) == (103, (101, 102))
    ids = text_ids(reader, text)[0][:150]
    long = with_copied_rows(reader, 600, left=100, right=100)
    wanted = bits_at(reader, ids, n_tokens=64)
    assert bits_at(long, ids, n_tokens=64) == pytest.approx(wanted, abs=1e-4)


# fine-tuning


def test_taggers_are_trained_from_rungs(reader):
    splits = load("gazette", counts=(3, 1, 2), n_tokens=128)
    starts = {
        name: make(reader, 2048, left=8, right=8)
        for name, make in (("random", with_random_rows), ("copied", with_copied_rows))
    }
    before = deepcopy(starts["copied"].state_dict())
    how = {"training": TrainConfig(epochs=1, precision="fp32"), "progress": False}
    scores = fine_tuned_f1(starts, splits, left=8, right=8, **how)
    assert list(scores) == ["random", "copied"]
    assert all(0 <= f1 <= 1 for f1 in scores.values())
    after = starts["copied"].state_dict()
    assert all(torch.equal(after[name], before[name]) for name in before)


# messages


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"head_steps": 0}, "need head_steps >= 1, got head_steps=0"),
        ({"steps": 0}, "need steps >= 1, got steps=0"),
        ({"held_tokens": -1}, "need held_tokens >= 1, got held_tokens=-1"),
        ({"left": -1}, "got left=-1 and right=8"),
        ({"lengths": (16, 32)}, "one of them > 32, what the model reads .*got 16, 32"),
        ({"lengths": (2, 64)}, "need lengths > 2, .* got 2, 64"),
        ({"lengths": ()}, "got none"),
        ({"lengths": (900,)}, "need at least 900 tokens to hold out for texts of 900"),
        ({"lengths": (9000,)}, "need at least 9000 tokens to learn from"),
        ({"held_tokens": 40}, "to hold out for texts of 72, got 40: give a longer"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_training(bert, text, more, line):
    with pytest.raises(ValueError, match=line):
        climb(bert, text, **more, on_rung=lambda *_: pytest.fail("it has begun"))


def test_too_long_a_text_is_refused(reader, ids):
    with pytest.raises(UserError, match=r"n_tokens <= 32, .*got 33: make the model"):
        bits_at(reader, ids, n_tokens=33)
    with pytest.raises(ValueError, match=r"need n_tokens > 2, .* got n_tokens=2"):
        bits_at(reader, ids, n_tokens=2)
    with pytest.raises(ValueError, match="need a text with a token in it, got none"):
        bits_at(reader, ids[:0], n_tokens=8)
    with pytest.raises(ValueError, match=r"need max_tokens > 32, .*max_tokens=32"):
        with_random_rows(reader, TABLE)
    with pytest.raises(ValueError, match=r"need 1 <= size <= 3, .* got size=4"):
        training_pieces(torch.arange(3), size=4, count=1)
    with pytest.raises(ValueError, match="need steps >= 1, got steps=0"):
        train_head(reader, ids, n_tokens=8, steps=0)


def test_a_model_that_cannot_is_refused(tmp_path):
    small = {"n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": 32}
    gpt = save(tmp_path / "gpt2", GPT2Model, GPT2Config, **small)
    with pytest.raises(UserError, match=r"can name hidden tokens, got .*, a gpt2$"):
        load_masked(gpt)
    more = {**SIZES, "pad_token_id": 0}
    modern = save(tmp_path / "modern", ModernBertModel, ModernBertConfig, **more)
    with pytest.raises(UserError, match=r"learned position table, got .*a modernbert"):
        load_masked(modern)
    bert = save(tmp_path / "bert", BertModel, BertConfig, **SIZES)
    save_tokenizer(bert, special=SPECIAL[:4])
    with pytest.raises(UserError, match="tokens for mask, cls and sep, got none"):
        load_masked(bert)


def test_a_rung_is_a_record():
    assert Rung("as it came", {512: None}) == Rung("as it came", {512: None}, 0, 0.0)


def test_a_reader_is_made_of_a_model_and_a_tokenizer(reader):
    again = MaskedReader(reader.model, reader.tokenizer)
    assert (again.marks, again.longest) == (reader.marks, TABLE)
