import json
from dataclasses import replace
from functools import partial

import pytest
import torch
from safetensors.torch import load_file

from longctx_edu.data.language import train_tokenizer
from longctx_edu.errors import UserError
from longctx_edu.models import NGram, TransformerConfig, build_language_model
from longctx_edu.recipes import (
    evaluate_bits,
    fit_language_model,
    language_run,
    text_language,
)
from longctx_edu.recipes.language_run import (
    fresh_model,
    load_language_run,
    train_language_run,
)
from longctx_edu.training import Interrupted, TrainConfig

SIZES = TransformerConfig(999, n_layers=1, n_heads=2, d_model=8, d_ff=8)
ONE = TrainConfig(epochs=1, batch_tokens=170, learning_rate=1e-2, precision="fp32")
WORDS = "the old harbour of Marlow keeps its boats; Zoë's café sells fish, and nets. "
NEVER = AssertionError("nothing is to be trained")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "sea.txt"
    order = torch.randperm(300, generator=torch.Generator().manual_seed(0)).tolist()
    words = WORDS.split()
    path.write_text(" ".join(words[i % len(words)] for i in order))
    return path


@pytest.fixture(scope="module")
def data(path):
    return text_language(path, vocab_size=280)


def train(data, folder, training=ONE, config=SIZES, n_tokens=16, **more):
    return train_language_run(
        data, config, training, n_tokens=n_tokens, folder=folder, progress=False, **more
    )


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "lm"
    return train(data, folder, left=5), folder


def logits(model):
    with torch.no_grad():
        return model(torch.arange(3, 30)[None])


# what a run leaves


def test_the_folder_holds_model_tokenizer_and_report(run):
    assert sorted(path.name for path in run[1].iterdir()) == [
        "config.json",
        "metrics.jsonl",
        "model.safetensors",
        "report.json",
        "settings.json",
        "state.safetensors",
        "tokenizer.json",
    ]


def test_the_scores_are_those_of_their_definitions(run, data, path):
    done, _ = run
    found = done.report["test"]
    n = data.tokenizer.vocab_size
    wanted = {
        "bigram": NGram(2, n).fit(data.train).bits_per_token(data.test),
        "5-gram": NGram(5, n).fit(data.train).bits_per_token(data.test),
        "model": evaluate_bits(done.model, data.test, n_tokens=16),
    }
    assert {name: bits["bits_per_token"] for name, bits in found.items()} == wanted
    text = path.read_text()
    n_bytes = len(text[len(text) - round(len(text) / 10) :].encode())
    for bits in found.values():
        total = bits["bits_per_token"] * len(data.test)
        assert bits["bits_per_byte"] == pytest.approx(total / n_bytes)


def test_the_report_says_what_was_trained(run, data, path):
    done, folder = run
    assert json.loads((folder / "report.json").read_text()) == done.report
    report = done.report
    assert (report["data"]["name"], report["data"]["vocab_size"]) == ("sea.txt", 280)
    sizes = report["data"]["sizes"]
    assert [sizes[part]["tokens"] for part in ("train", "test")] == [
        len(data.train),
        len(data.test),
    ]
    assert sum(part["bytes"] for part in sizes.values()) == path.stat().st_size
    assert report["model"]["transformer"]["vocab_size"] == 280
    assert (report["model"]["left"], report["model"]["n_tokens"]) == (5, 16)
    weights = load_file(folder / "model.safetensors")
    assert report["model"]["weights"] == sum(w.numel() for w in weights.values())
    n_windows = (len(data.train) - 1) // 16
    assert report["history"]["tokens"] == 17 * n_windows
    assert report["training"]["epochs"] == 1


def test_the_saved_model_is_the_trained_one(run, data):
    done, folder = run
    back = load_language_run(folder)
    assert torch.equal(logits(back.model), logits(done.model))
    assert (back.n_tokens, back.left, back.report) == (16, 5, None)
    assert back.tokenizer.encode(WORDS).equal(data.tokenizer.encode(WORDS))
    assert not back.model.training


def test_left_is_what_a_token_sees(run, data):
    model = run[0].model
    with torch.no_grad():
        one, other = model(data.test[None, :12]), model(data.test[None, 6:12])
    torch.testing.assert_close(one[0, -1], other[0, -1])


def test_without_a_folder_the_result_is_the_same(run, data):
    alone = train(data, None, left=5)
    assert alone.report["test"] == run[0].report["test"]


def test_the_seed_alone_decides_the_first_weights():
    config = replace(SIZES, vocab_size=9)
    first = fresh_model(config, seed=1).transformer.embedding.weight
    state = torch.get_rng_state()
    again = fresh_model(config, seed=1).transformer.embedding.weight
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first, again)
    other = fresh_model(config, seed=2).transformer.embedding.weight
    assert not torch.equal(first, other)


def test_a_table_of_places(data, tmp_path):
    config = replace(SIZES, positions="learned", max_tokens=16)
    done = train(data, tmp_path, config=config)
    table = load_language_run(tmp_path).model.transformer.positions.table
    assert torch.equal(table, done.model.transformer.positions.table)


# beginning and going on


def test_a_stopped_run_goes_on_as_if_it_had_not_been_stopped(
    data, tmp_path, monkeypatch
):
    training = replace(ONE, epochs=2, save_every_steps=2)
    alone = train(data, tmp_path / "alone", training)

    def stop(row):
        if row["step"] == 7:
            raise KeyboardInterrupt

    torn = partial(fit_language_model, on_step=stop)
    monkeypatch.setattr(language_run, "fit_language_model", torn)
    with pytest.raises(Interrupted) as stopped:
        train(data, tmp_path / "torn", training)
    assert (stopped.value.folder, stopped.value.step) == (tmp_path / "torn", 6)
    with pytest.raises(UserError, match=r"whose training is finished, got .*torn: c"):
        load_language_run(tmp_path / "torn")
    monkeypatch.undo()

    torch.rand(3)  # the caller's chance changes nothing
    whole = train(data, tmp_path / "torn", training, resume=True)
    assert torch.equal(logits(whole.model), logits(alone.model))
    assert whole.report["test"] == alone.report["test"]
    assert whole.report["history"]["losses"] == alone.report["history"]["losses"]


def test_a_finished_run_that_goes_on_gives_its_result(data, tmp_path):
    first = train(data, tmp_path)
    assert train(data, tmp_path, resume=True).report == first.report


def test_a_folder_with_a_run_is_not_overwritten(data, tmp_path):
    train(data, tmp_path, settings={"data": {"data": "gazette"}})
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(UserError, match="already holds a run: continue it with --res"):
        train(data, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    train(data, tmp_path, overwrite=True)


def test_settings_and_tokenizer_are_kept_from_the_start(data, tmp_path, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(language_run, "fit_language_model", stop)
    with pytest.raises(KeyboardInterrupt):
        train(data, tmp_path, settings={"model": {"left": 3}})
    assert json.loads((tmp_path / "settings.json").read_text()) == {
        "model": {"left": 3}
    }
    assert (tmp_path / "tokenizer.json").is_file()
    monkeypatch.undo()
    with pytest.raises(UserError, match=r"nothing to resume in .*: no state\.safe"):
        train(data, tmp_path, resume=True)


@pytest.mark.parametrize("part", ["train", "test"])
def test_another_text_of_the_same_length_is_noticed(data, tmp_path, part):
    train(data, tmp_path)
    other = replace(data, **{part: getattr(data, part).flip(0)})
    with pytest.raises(
        UserError, match=r"got model digest of text '.*', not '.*'; give"
    ):
        train(other, tmp_path, resume=True)


def test_a_run_of_another_kind_is_not_continued(data, tmp_path):
    (tmp_path / "config.json").write_text('{"kind": "tagger"}')
    wanted = (
        f"need a language model that longctx train lm wrote, got another config.json "
        f"in {tmp_path}"
    )
    for call in (lambda: train(data, tmp_path, resume=True), lambda: load(tmp_path)):
        with pytest.raises(UserError) as error:
            call()
        assert str(error.value) == wanted


def load(folder):
    return load_language_run(folder)


# what is refused


@pytest.mark.parametrize(
    ("n_train", "n_test", "n_tokens", "said"),
    [
        (16, 40, 16, "need at least 17 tokens to learn from for windows of 16, got 16"),
        (90, 16, 16, "need at least 17 tokens to hold out for windows of 16, got 16"),
        (4, 9, 2, "need at least 5 tokens to learn from for windows of 2, got 4"),
        (90, 40, 0, "need n_tokens >= 1, got n_tokens=0"),
    ],
)
def test_a_text_that_is_too_short_leaves_nothing(
    data, tmp_path, monkeypatch, n_train, n_test, n_tokens, said
):
    monkeypatch.setattr(language_run, "build_language_model", NEVER)
    short = replace(data, train=data.train[:n_train], test=data.test[:n_test])
    with pytest.raises(UserError, match=said):
        train(short, tmp_path / "a", n_tokens=n_tokens)
    assert not (tmp_path / "a").exists()


def test_texts_that_are_just_long_enough(data, tmp_path):
    short = replace(data, train=data.train[:17], test=data.test[:17])
    assert train(short, None).report["history"]["tokens"] == 17


def test_a_window_that_looks_forward(data, tmp_path):
    with pytest.raises(ValueError, match="need left that is a whole number >= 0 or No"):
        train(data, tmp_path / "a", left=-1)
    assert not (tmp_path / "a").exists()


@pytest.fixture
def copy(run, tmp_path):
    for path in run[1].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def test_nothing_there(tmp_path):
    with pytest.raises(UserError, match=r"got .*nowhere: no such folder"):
        load(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"need config\.json in .*, got none"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"transformer": {"vocab_size": 9, "n_heds": 2}}, "n_heds"),
        ({"transformer": {"vocab_size": 0}}, "need vocab_size >= 1"),
        ({"transformer": 3}, "must be a mapping"),
    ],
)
def test_a_damaged_config(copy, change, said):
    config = json.loads((copy / "config.json").read_text()) | change
    (copy / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match=rf"config\.json is damaged: .*{said}"):
        load(copy)
    del config["left"]
    (copy / "config.json").write_text(json.dumps(config | {"kind": "language model"}))
    with pytest.raises(UserError, match=r"config\.json is damaged: "):
        load(copy)


def test_another_tokenizer(copy):
    train_tokenizer(["ab"], vocab_size=260).save(copy / "tokenizer.json")
    with pytest.raises(UserError) as error:
        load(copy)
    assert str(error.value) == (
        f"need the tokenizer of the model, with 280 ids, got 260 in "
        f"{copy}/tokenizer.json"
    )
    (copy / "tokenizer.json").unlink()
    with pytest.raises(UserError, match=r"tokenizer\.json"):
        load(copy)


def test_weights_of_another_architecture(copy):
    config = json.loads((copy / "config.json").read_text())
    config["transformer"]["n_layers"] = 2
    (copy / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match="holds another architecture: missing transfo"):
        load(copy)


def test_the_model_is_a_causal_one(run):
    model = build_language_model(replace(SIZES, vocab_size=280), left=5)
    model.load_state_dict(load_file(run[1] / "model.safetensors"))
    assert torch.equal(logits(model), logits(run[0].model))
