import math
import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from longctx_edu.attention import causal_attention
from longctx_edu.data.language import IGNORED, Tokenizer
from longctx_edu.errors import DataError, UserError
from longctx_edu.models import (
    LanguageModel,
    Transformer,
    TransformerConfig,
    build_language_model,
)
from longctx_edu.models.ngram import NGram
from longctx_edu.recipes import (
    evaluate_bits,
    fit_language_model,
    gazette_language,
    language_loss,
    text_language,
)
from longctx_edu.training import TrainConfig

ONE = TrainConfig(epochs=1, batch_tokens=340, learning_rate=1e-2, precision="fp32")


def small_model(vocab_size, causal=True, seed=0):
    torch.manual_seed(seed)
    config = TransformerConfig(vocab_size, n_layers=1, n_heads=2, d_model=16, d_ff=16)
    return build_language_model(config, causal=causal)


class Fixed(torch.nn.Module):
    """Gives each place the logits of a table, by the token that stands there."""

    def __init__(self, vocab_size):
        super().__init__()
        self.table = torch.nn.Embedding(vocab_size, vocab_size)

    def forward(self, ids):
        return self.table(ids)


@pytest.fixture(scope="module")
def data():
    return gazette_language(n_articles=30, n_tokens=128, vocab_size=320)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


# data


def test_the_tokenizer_is_learnt_from_the_training_text_alone(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("ab " * 300 + "zq " * 33)
    tokenizer = text_language(path, vocab_size=262).tokenizer
    assert len(tokenizer.encode("ab")) == 1
    assert len(tokenizer.encode("zq")) == 2


def test_the_last_tenth_is_held_out(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("".join(map(str, range(1000))))
    data = text_language(path, vocab_size=259)
    both = data.tokenizer.decode(data.train) + data.tokenizer.decode(data.test)
    assert both == path.read_text()
    assert data.tokenizer.decode(data.test).endswith("999")
    assert len(data.test) == round(0.1 * len(both))


def test_the_gazette_is_the_same_again_and_another_with_another_seed(data):
    again = gazette_language(n_articles=30, n_tokens=128, vocab_size=320)
    other = gazette_language(n_articles=30, n_tokens=128, vocab_size=320, seed=1)
    assert torch.equal(data.train, again.train) and torch.equal(data.test, again.test)
    assert not torch.equal(data.train[:100], other.train[:100])
    assert data.name == "gazette"


# scoring, against the definition


def bits_by_hand(model, ids, n_tokens):
    """Each token but the first, given what the first window with it shows before it."""
    last, total = len(ids) - 1 - n_tokens, 0.0
    for place in range(1, len(ids)):
        first = (place - 1) // n_tokens * n_tokens
        first = first if first < last else last
        logits = model(ids[first:place][None])[0, -1]
        total -= float(F.log_softmax(logits, dim=-1)[ids[place]])
    return total / (len(ids) - 1) / math.log(2)


@pytest.mark.parametrize("n_tokens", [5, 12, 29])
def test_bits_are_those_of_one_token_after_another(n_tokens):
    model, ids = small_model(12), torch.randint(12, (30,))
    with torch.no_grad():
        wanted = bits_by_hand(model, ids, n_tokens)
    found = evaluate_bits(model, ids, n_tokens=n_tokens, batch_tokens=2 * n_tokens)
    assert found == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("n_tokens", [4, 7, 15, 30])
def test_a_masked_model_names_every_token_once(n_tokens):
    """A model that reads its own place alone knows nothing but the mask."""
    model, ids = Fixed(12), torch.randint(3, 12, (30,))
    log_p = F.log_softmax(model.table.weight[Tokenizer.mask_id].detach(), dim=-1)
    wanted = -float(log_p[ids].mean()) / math.log(2)
    found = evaluate_bits(model, ids, n_tokens=n_tokens, masked=True)
    assert found == pytest.approx(wanted, rel=1e-5)


def test_a_masked_model_reads_all_else():
    seen = []

    class Watching(Fixed):
        def forward(self, ids):
            seen.append(ids)
            return super().forward(ids)

    ids = torch.arange(3, 24)
    evaluate_bits(Watching(24), ids, n_tokens=21, masked=True)
    rows = torch.cat(seen)
    hidden = rows == Tokenizer.mask_id
    assert hidden.sum(dim=0).tolist() == [1] * 21 and len(rows) == 7
    assert (rows[~hidden] == ids.expand(7, 21)[~hidden]).all()


def test_knowing_nothing_costs_all_bits():
    model = Fixed(16)
    torch.nn.init.zeros_(model.table.weight)
    ids = torch.randint(16, (40,))
    assert evaluate_bits(model, ids, n_tokens=8) == pytest.approx(4.0)
    assert evaluate_bits(model, ids, n_tokens=8, masked=True) == pytest.approx(4.0)


def test_scoring_leaves_the_model_as_it_was():
    config = TransformerConfig(9, d_model=16, n_heads=2, d_ff=16, dropout=0.5)
    model = LanguageModel(Transformer(config, causal_attention)).train()
    ids = torch.randint(9, (40,))
    scores = {evaluate_bits(model, ids, n_tokens=8) for _ in range(2)}
    assert len(scores) == 1 and model.training
    assert all(p.grad is None for p in model.parameters())
    assert evaluate_bits(model.eval(), ids, n_tokens=8) in scores
    assert not model.training


def test_more_context_for_each_token_changes_the_score():
    model, ids = small_model(12), torch.randint(12, (60,))
    far = evaluate_bits(model, ids, n_tokens=10)
    near = evaluate_bits(model, ids, n_tokens=10, step=1)
    assert far != near


# training


def test_the_loss_asks_for_the_next_token(data):
    """A model that answers with the token it reads has learnt a shift by one."""
    seen = []

    class Watching(Fixed):
        def forward(self, ids):
            seen.append(ids)
            return super().forward(ids)

    model = Watching(320)
    text = torch.arange(3, 320).repeat(4)  # each token tells the next one
    counting = replace(data, train=text, test=text)
    fit_language_model(
        model,
        counting,
        n_tokens=16,
        config=replace(ONE, epochs=8, learning_rate=0.5),
        progress=False,
    )
    assert model.table(torch.tensor([5, 80, 200])).argmax(dim=-1).tolist() == [
        6,
        81,
        201,
    ]
    assert {rows.shape[1] for rows in seen} == {16}


def test_a_model_learns_and_beats_knowing_the_frequencies(data):
    model = small_model(320)
    before = evaluate_bits(model, data.test, n_tokens=32)
    config = replace(ONE, epochs=4)
    history = fit_language_model(
        model, data, n_tokens=32, config=config, progress=False
    )
    after = evaluate_bits(model, data.test, n_tokens=32)
    alone = NGram(1, 320).fit(data.train).bits_per_token(data.test)
    assert after < alone < before
    assert history.steps[-1]["loss"] < history.steps[0]["loss"]


def test_a_masked_model_learns(data):
    model = small_model(320, causal=False)
    options = {"n_tokens": 32, "masked": True}
    before = evaluate_bits(model, data.test, **options)
    config = replace(ONE, epochs=3)
    fit_language_model(model, data, config=config, progress=False, **options)
    assert evaluate_bits(model, data.test, **options) < before - 1


@pytest.mark.parametrize("masked", [False, True])
def test_training_is_the_same_again(data, masked):
    weights = []
    for _ in range(2):
        model = small_model(320, causal=not masked)
        fit_language_model(
            model, data, n_tokens=64, config=ONE, masked=masked, progress=False
        )
        weights.append(model.transformer.embedding.weight.detach().clone())
        torch.rand(3)  # the caller's chance changes nothing
    assert torch.equal(*weights)


def test_masked_windows_show_few_masks_and_ask_for_them(data):
    asked = []

    class Watching(Fixed):
        def forward(self, ids):
            asked.append((ids == Tokenizer.mask_id).float().mean())
            return super().forward(ids)

    fit_language_model(
        Watching(320), data, n_tokens=64, config=ONE, masked=True, progress=False
    )
    assert 0.1 < torch.stack(asked).mean() < 0.14  # 80 % of 15 %


def test_the_loss_is_torchs_mean():
    model = Fixed(9)
    ids, labels = torch.randint(9, (2, 6)), torch.randint(9, (2, 6))
    labels[0, 2:] = IGNORED
    wanted = F.cross_entropy(model(ids).flatten(0, 1), labels.flatten())
    found = language_loss(model, {"ids": ids, "labels": labels})
    torch.testing.assert_close(found, wanted)


def test_options_reach_the_loop(data, tmp_path):
    rows = []
    model = small_model(320)
    fit_language_model(
        model,
        data,
        n_tokens=64,
        config=ONE,
        progress=False,
        on_step=rows.append,
        folder=tmp_path,
    )
    assert rows and (tmp_path / "model.safetensors").exists()


# a real text


def shakespeare():
    """The plays, where they are: no download, no copy in the project."""
    at = [Path(__file__).parents[2].parent / "shared" / "data"]
    if "LONGCTX_DATA" in os.environ:
        at.insert(0, Path(os.environ["LONGCTX_DATA"]))
    for folder in at:
        if (path := folder / "tinyshakespeare" / "input.txt").exists():
            return path
    return None


def test_the_same_call_learns_shakespeare():
    path = shakespeare()
    if path is None:
        pytest.skip("no tinyshakespeare in LONGCTX_DATA or in ../shared/data")
    data = text_language(path, vocab_size=512)
    part = replace(data, train=data.train[:30_000], test=data.test[:5_000])
    model = small_model(512)
    config = replace(ONE, epochs=2, batch_tokens=650)
    fit_language_model(model, part, n_tokens=64, config=config, progress=False)
    alone = NGram(1, 512).fit(part.train).bits_per_token(part.test)
    assert evaluate_bits(model, part.test, n_tokens=64) < alone


# messages


def test_a_text_shorter_than_a_window(data):
    short = replace(data, train=data.train[:9])
    wanted = "need a text of at least 17 tokens for a context of 16, got 9"
    model = small_model(320)
    with pytest.raises(ValueError, match=wanted):
        fit_language_model(model, short, n_tokens=16, config=ONE)
    with pytest.raises(ValueError, match=wanted):
        evaluate_bits(model, data.test[:9], n_tokens=16)


def test_files_that_are_no_text(tmp_path):
    with pytest.raises(UserError, match=r"nothing\.txt"):
        text_language(tmp_path / "nothing.txt")
    empty, binary = tmp_path / "empty.txt", tmp_path / "binary.txt"
    empty.touch()
    binary.write_bytes(b"ab\n\xff")
    with pytest.raises(DataError, match=r"empty\.txt"):
        text_language(empty)
    with pytest.raises(DataError, match=r"binary\.txt:2"):
        text_language(binary)
