import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from longctx_edu.errors import UserError
from longctx_edu.models import EncoderConfig
from longctx_edu.recipes import decoding as ways
from longctx_edu.recipes import ner
from longctx_edu.recipes.config import NerConfig
from longctx_edu.recipes.known import read_known
from longctx_edu.recipes.ner import read_settings, tagger_scores, train_ner
from longctx_edu.recipes.tagger import load
from longctx_edu.training import Interrupted, TrainConfig
from longctx_edu.training.state import identity

SMALL = EncoderConfig(n_layers=1, n_heads=1, d_model=8, d_ff=8, n_buckets=64)
CONFIG = NerConfig(encoder=SMALL)
ONE = TrainConfig(epochs=1, batch_tokens=400, precision="fp32")


def train(splits, folder, training=ONE, **more):
    return train_ner(splits, CONFIG, training, folder=folder, progress=False, **more)


# what a run leaves


def test_the_folder_holds_model_and_report(run):
    _, folder = run
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json",
        "metrics.jsonl",
        "model.safetensors",
        "report.html",
        "report.json",
        "seen.json",
        "settings.json",
        "state.safetensors",
    ]


def test_the_report_is_what_was_returned(run):
    done, folder = run
    written = json.loads((folder / "report.json").read_text())
    assert written == json.loads(json.dumps(done.report))


def test_the_report_holds_the_five_steps(run, splits):
    report = run[0].report
    assert report["data"]["types"] == ["LOC", "ORG", "PER", "WORK"]
    assert report["data"]["sizes"]["dev"]["documents"] == 2
    words = sum(len(document) for document in splits.train)
    assert report["data"]["sizes"]["train"]["words"] == words
    assert report["model"]["attention"] == "window"
    assert report["training"]["epochs"] == 2
    assert len(report["history"]["epochs"]) == 2
    assert report["history"]["tokens"] == 2 * words
    assert report["history"]["losses"][-1][1] < report["history"]["losses"][0][1]
    assert report["before"]["test"]["entities"] == report["test"]["entities"]
    assert len(report["test"]["by_distance"]) == 5
    assert set(report["test"]) >= {"f1", "token_accuracy", "confusion", "f1_far"}


def test_the_saved_model_scores_as_the_report_says(run, splits):
    done, folder = run
    scores = tagger_scores(load(folder), splits.test, known=read_known(folder))
    assert scores == done.report["test"]


def test_without_a_folder_the_result_is_the_same(run, splits):
    training = TrainConfig(epochs=2, batch_tokens=400, precision="fp32")
    alone = train_ner(splits, CONFIG, training, progress=False)
    assert alone.report["test"] == run[0].report["test"]


def test_without_a_dev_split_the_last_weights_are_kept(splits, tmp_path):
    done = train(replace(splits, dev=[]), tmp_path / "a")
    assert done.history.best_epoch is None
    assert "f1" not in done.history.epochs[0]


# beginning and going on


def test_a_folder_with_a_run_is_not_overwritten(splits, tmp_path):
    train(splits, tmp_path, settings={"data": {"data": "gazette"}})
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(UserError, match="already holds a run: continue it with --res"):
        train(splits, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    train(splits, tmp_path, overwrite=True)


def test_what_is_overwritten_says_nothing_any_more(splits, tmp_path, monkeypatch):
    train(splits, tmp_path)
    told = ("report.json", "report.html", "seen.json")
    assert all((tmp_path / name).is_file() for name in told)
    (tmp_path / "note.txt").write_text("mine")

    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(ner, "fit", stop)
    with pytest.raises(UserError):
        train(splits, tmp_path)
    assert all((tmp_path / name).is_file() for name in told)
    with pytest.raises(KeyboardInterrupt):
        train(splits, tmp_path, overwrite=True)
    assert not any((tmp_path / name).exists() for name in told)
    assert (tmp_path / "note.txt").is_file()


def test_a_finished_run_that_goes_on_gives_its_result(splits, tmp_path):
    done = train(splits, tmp_path)
    again = train(splits, tmp_path, resume=True)
    assert again.report["test"] == done.report["test"]


def test_settings_are_kept_from_the_start(splits, tmp_path, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(ner, "fit", stop)
    with pytest.raises(KeyboardInterrupt):
        train(splits, tmp_path / "a", settings={"model": {"left": 3}})
    settings = read_settings(tmp_path / "a")
    assert settings == {"data": {}, "model": {"left": 3}, "training": {}}


def test_data_that_does_not_fit_leaves_nothing(splits, tmp_path):
    wrong = replace(splits, types=("PER",))
    with pytest.raises(ValueError, match="need tags among O, B-PER, I-PER, got "):
        train(wrong, tmp_path / "a")
    assert not (tmp_path / "a").exists()


# rows of tags, and layers with rates of their own


def test_a_crf_with_layer_decay_trains_and_goes_on_only_as_it_began(splits, tmp_path):
    config = NerConfig(attention="chunks", size=16, decoding="crf", encoder=SMALL)
    training = replace(ONE, learning_rate=0.02, layer_decay=0.5, epochs=2)
    how = {"folder": tmp_path, "progress": False}
    done = train_ner(splits, config, training, **how)
    losses = [row["training_loss"] for row in done.history.epochs]
    assert losses[1] < losses[0]
    steps = done.tagger.model.head_transitions
    assert steps.follows.detach().abs().sum() > 0
    assert steps.first.detach().abs().sum() > 0
    assert done.report["training"]["layer_decay"] == 0.5
    back = load(tmp_path)
    assert back.predict(splits.test) == done.tagger.predict(splits.test)
    train_ner(splits, config, training, resume=True, **how)
    with pytest.raises(UserError, match=r"got config layer_decay 0\.9, not 0\.5; "):
        train_ner(
            splits, config, replace(training, layer_decay=0.9), resume=True, **how
        )


def weights(folder):
    return load_file(folder / "model.safetensors")


@pytest.mark.parametrize("context", ["packed", "document"])
@pytest.mark.parametrize("decoding", ["greedy", "crf"])
def test_stopped_and_continued_it_ends_with_the_weights_of_one_left_alone(
    splits, tmp_path, monkeypatch, decoding, context
):
    config = NerConfig(
        attention="chunks", size=16, decoding=decoding, context=context, encoder=SMALL
    )
    training = replace(ONE, layer_decay=0.5, head_learning_rate=0.01, epochs=2)
    training = replace(training, save_every_steps=1)
    how = {"progress": False, "settings": {}}
    train_ner(splits, config, training, folder=tmp_path / "alone", **how)
    name = "crf_loss" if decoding == "crf" else "tagging_loss"
    real, calls = getattr(ways, name), []

    def loss(*given):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*given)

    with monkeypatch.context() as patch, pytest.raises(Interrupted) as stop:
        patch.setattr(ways, name, loss)
        train_ner(splits, config, training, folder=tmp_path / "torn", **how)
    assert stop.value.step == 2
    torn = {"folder": tmp_path / "torn", "resume": True}
    train_ner(splits, config, training, **torn, **how)
    ours, theirs = weights(tmp_path / "torn"), weights(tmp_path / "alone")
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_weight_of_words_outside_is_trained_with_and_kept(splits, tmp_path):
    config, runs = replace(CONFIG, outside_weight=0.05), {}
    training, splits = (
        replace(ONE, epochs=3, learning_rate=0.02),
        replace(splits, dev=[]),
    )
    for name, each in {"even": CONFIG, "light": config}.items():
        how = {"folder": tmp_path / name, "progress": False}
        runs[name] = train_ner(splits, each, training, **how)

    def outside(run):
        tags = [tag for row in run.tagger.predict(splits.test) for tag in row]
        return tags.count("O")

    assert outside(runs["light"]) < outside(runs["even"])
    assert runs["light"].report["model"]["outside_weight"] == 0.05
    assert load(tmp_path / "light").config == config
    assert "outside_weight" not in runs["even"].report["model"]
    how = {"folder": tmp_path / "light", "progress": False, "resume": True}
    train_ner(splits, config, training, **how)
    with pytest.raises(UserError, match="with other settings or data: got model ner "):
        train_ner(splits, CONFIG, training, **how)


def test_a_run_from_before_there_was_layer_decay_goes_on(splits, tmp_path, monkeypatch):
    how = {"folder": tmp_path, "progress": False}

    def without(config, *rest, **more):
        found = identity(config, *rest, **more)
        del found["config"]["layer_decay"]
        return found

    with monkeypatch.context() as patch:
        patch.setattr("longctx_edu.training.loop.identity", without)
        train_ner(splits, CONFIG, ONE, **how)
    train_ner(splits, CONFIG, ONE, resume=True, **how)
    with pytest.raises(UserError, match=r"layer_decay 0\.9, not None"):
        train_ner(splits, CONFIG, replace(ONE, layer_decay=0.9), resume=True, **how)


# messages


def test_no_settings(tmp_path):
    wanted = (
        f"nothing to resume in {tmp_path}: no settings.json; start it without --resume"
    )
    with pytest.raises(UserError) as error:
        read_settings(tmp_path)
    assert str(error.value) == wanted


@pytest.mark.parametrize("text", ["{", "[1]"])
def test_damaged_settings(text, tmp_path):
    (tmp_path / "settings.json").write_text(text)
    with pytest.raises(UserError, match=r"settings\.json"):
        read_settings(tmp_path)


def test_a_folder_that_cannot_be_written(splits, tmp_path):
    (tmp_path / "file").touch()
    wanted = (
        "cannot write .*/file/a/settings.json: Not a directory; free some space or "
        "choose another folder with --out"
    )
    with pytest.raises(UserError, match=wanted):
        train(splits, tmp_path / "file" / "a")
