import json
import re
import shutil
from dataclasses import replace
from statistics import mean, stdev

import pytest
import torch
from safetensors.torch import load_file

from longctx_edu.errors import UserError
from longctx_edu.models import EncoderConfig
from longctx_edu.recipes import decoding, seeds
from longctx_edu.recipes.config import NerConfig
from longctx_edu.recipes.ner import train_ner
from longctx_edu.recipes.seeds import need_no_seeds, seed_summary, train_seeds
from longctx_edu.training import Interrupted, TrainConfig

SMALL = EncoderConfig(n_layers=1, n_heads=1, d_model=8, d_ff=8, n_buckets=64)
CONFIG = NerConfig(encoder=SMALL)
HOW = TrainConfig(epochs=2, batch_tokens=400, precision="fp32", seed=4)
HOW = replace(HOW, save_every_steps=1)


def train(splits, folder, n_seeds=2, how=HOW, **more):
    more = {"settings": {"data": {"data": "gazette"}}, **more}
    return train_seeds(
        splits, CONFIG, how, n_seeds=n_seeds, folder=folder, progress=False, **more
    )


@pytest.fixture(scope="module")
def whole(splits, tmp_path_factory):
    """Two runs with the seeds 4 and 5, and what was returned."""
    folder = tmp_path_factory.mktemp("seeds") / "whole"
    return train(splits, folder), folder


@pytest.fixture
def copy(whole, tmp_path):
    """A copy of the two runs, to go on with or to damage."""
    return shutil.copytree(whole[1], tmp_path / "copy")


def weights(folder):
    return load_file(folder / "model.safetensors")


def assert_same_weights(ours, theirs):
    ours, theirs = weights(ours), weights(theirs)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def report_of(folder):
    return json.loads((folder / "report.json").read_text())


# each is a run of its own


def test_each_seed_leaves_what_a_run_with_it_leaves(splits, whole, tmp_path):
    _, folder = whole
    how = replace(HOW, seed=5)
    alone = train_ner(splits, CONFIG, how, folder=tmp_path / "alone", progress=False)
    assert_same_weights(folder / "seed-5", tmp_path / "alone")
    report = report_of(folder / "seed-5")
    assert report["test"] == json.loads(json.dumps(alone.report["test"]))
    assert report["training"]["seed"] == 5
    names = {path.name for path in (tmp_path / "alone").iterdir()}
    assert {path.name for path in (folder / "seed-5").iterdir()} == names
    assert {p.name for p in folder.iterdir()} == {
        "seed-4",
        "seed-5",
        "seeds.json",
        "settings.json",
    }


def test_a_run_goes_on_by_itself(whole):
    own = json.loads((whole[1] / "seed-5" / "settings.json").read_text())
    assert own["data"] == {"data": "gazette"}
    assert own["training"]["seed"] == 5
    assert "seeds" not in own["training"]


def test_the_seeds_differ(whole):
    first, second = (weights(whole[1] / f"seed-{n}") for n in (4, 5))
    assert not any(torch.equal(first[n], second[n]) for n in first if "table" in n)


# the summary


def test_mean_and_spread_are_those_of_the_reports(whole):
    summary, folder = whole
    assert json.loads((folder / "seeds.json").read_text()) == json.loads(
        json.dumps(summary)
    )
    assert (summary["data"], summary["seeds"]) == ("gazette", [4, 5])
    reports = [report_of(folder / f"seed-{n}") for n in (4, 5)]
    assert set(summary["test"]) >= {"f1", "precision", "token_accuracy", "f1_far"}
    for name, row in summary["test"].items():
        values = [report["test"][name] for report in reports]
        assert list(row["values"]) == values
        assert row["mean"] == pytest.approx(mean(values))
        assert row["spread"] == pytest.approx(stdev(values))
    assert set(summary["types"]) == {"LOC", "ORG", "PER", "WORK", "macro"}


def made_up(f1, best=2, **types):
    rows = {t: {"f1": x, "support": 1 if t != "GUESS" else 0} for t, x in types.items()}
    epochs = [{"f1": 0.1}, {"f1": f1 / 2}]
    return {
        "data": {"name": "a"},
        "history": {"best_epoch": best, "epochs": epochs},
        "test": {
            "f1": f1,
            "entities": 3,
            "per_type": {**rows, "micro": {"support": 1}},
        },
    }


def test_types_dev_and_what_is_no_score():
    reports = {0: made_up(0.4, PER=0.2, GUESS=0.0), 1: made_up(0.6, PER=0.6)}
    summary = seed_summary(reports)
    assert set(summary["test"]) == {"f1"}
    assert summary["types"].keys() == {"PER"}
    assert summary["types"]["PER"]["mean"] == pytest.approx(0.4)
    assert summary["dev"]["f1"]["values"] == (0.2, 0.3)


def test_without_a_dev_split():
    summary = seed_summary({0: made_up(0.4, best=None), 1: made_up(0.6, best=None)})
    assert summary["dev"] == {}


# going on


def test_what_is_finished_is_not_touched(splits, copy, whole, monkeypatch):
    def never(*_, **__):
        raise AssertionError

    monkeypatch.setattr(seeds, "train_ner", never)
    before = {p: p.stat().st_mtime_ns for p in copy.glob("seed-*/*")}
    told = []
    again = train(
        splits, copy, resume=True, on_run=lambda seed, place, _: told.append(seed)
    )
    assert {p: p.stat().st_mtime_ns for p in copy.glob("seed-*/*")} == before
    assert told == [4, 5]
    assert json.dumps(again) == json.dumps(whole[0])


def test_stopped_in_the_middle_of_the_second_seed(splits, whole, tmp_path, monkeypatch):
    folder, real, calls = tmp_path / "torn", decoding.tagging_loss, []

    def loss(*given):
        calls.append(1)
        if (folder / "seed-5" / "state.safetensors").exists() and len(calls) > 4:
            raise KeyboardInterrupt
        return real(*given)

    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        patch.setattr(decoding, "tagging_loss", loss)
        train(splits, folder)
    assert not (folder / "seeds.json").exists()
    assert not (folder / "seed-5" / "report.json").exists()
    # What an older run left does not make this one finished.
    shutil.copy(folder / "seed-4" / "report.json", folder / "seed-5")
    made = (folder / "seed-4" / "report.json").stat().st_mtime_ns
    assert json.dumps(train(splits, folder, resume=True)["test"]) == json.dumps(
        whole[0]["test"]
    )
    assert (folder / "seed-4" / "report.json").stat().st_mtime_ns == made
    assert_same_weights(folder / "seed-5", whole[1] / "seed-5")


def test_stopped_before_the_second_seed_has_a_state(splits, copy, whole):
    shutil.rmtree(copy / "seed-5")
    train(splits, copy, resume=True)
    assert_same_weights(copy / "seed-5", whole[1] / "seed-5")


def test_finished_but_not_scored(splits, copy, whole):
    (copy / "seed-4" / "report.json").unlink()
    train(splits, copy, resume=True)
    wanted = report_of(whole[1] / "seed-4")["test"]
    assert report_of(copy / "seed-4")["test"] == wanted


def test_more_seeds_are_added(splits, copy):
    summary = train(splits, copy, n_seeds=3, resume=True)
    assert summary["seeds"] == [4, 5, 6]
    assert (copy / "seed-6" / "model.safetensors").is_file()
    kept = json.loads((copy / "settings.json").read_text())
    assert kept["training"]["seeds"] == 3


def test_how_often_it_saves_may_change(splits, copy):
    assert train(splits, copy, how=replace(HOW, save_every_s=9.0), resume=True)


# beginning anew


def test_runs_are_kept_unless_told_otherwise(splits, copy):
    line = (
        f"{copy} already holds runs with seeds: continue them with --resume, or choose "
        "another folder with --out"
    )
    with pytest.raises(UserError, match=f"^{re.escape(line)}$"):
        train(splits, copy)
    (copy / "seed-5" / "report.json").write_text("{}")
    train(splits, copy, n_seeds=2, how=replace(HOW, epochs=1), overwrite=True)
    assert report_of(copy / "seed-5")["training"]["epochs"] == 1


def test_what_is_overwritten_is_no_longer_taken_for_finished(copy):
    need_no_seeds(copy, overwrite=True)
    left = {path.name for path in copy.rglob("*") if path.is_file()}
    gone = {"seeds.json", "report.json", "model.safetensors", "state.safetensors"}
    assert not left & gone


def test_runs_that_it_did_not_begin_are_not_deleted(copy):
    (copy / "settings.json").unlink()
    with pytest.raises(UserError, match="already holds runs with seeds"):
        need_no_seeds(copy, overwrite=True)
    assert (copy / "seed-4" / "model.safetensors").is_file()


def test_a_single_run_is_kept(splits, run):
    with pytest.raises(UserError, match="already holds a run"):
        train(splits, run[1])


# what is refused


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"n_seeds": 1}, "need at least 2 seeds, got 1"),
        (
            {"how": replace(HOW, epochs=7, seed=3), "resume": True},
            "cannot resume {copy} with other settings or data: got training epochs 7, "
            "not 2; training seed 3, not 4; give what the run began with, or start "
            "another folder",
        ),
        (
            {"settings": {"data": {"data": "other"}}, "resume": True},
            "cannot resume {copy} with other settings or data: got data data 'other', "
            "not 'gazette'; give what the run began with, or start another folder",
        ),
    ],
)
def test_messages(splits, copy, more, line):
    with pytest.raises(UserError, match=f"^{re.escape(line.format(copy=copy))}$"):
        train(splits, copy, **more)


def test_fewer_seeds_than_there_are(splits, copy):
    train(splits, copy, n_seeds=3, resume=True)
    line = f"need --seeds >= 3, as {copy} has, got 2"
    with pytest.raises(UserError, match=f"^{re.escape(line)}$"):
        train(splits, copy, n_seeds=2, resume=True)


def test_nothing_or_a_single_run_to_go_on_with(splits, run, tmp_path):
    with pytest.raises(UserError, match="nothing to resume in"):
        train(splits, tmp_path / "none", resume=True)
    line = f"need runs with seeds to continue, got a single run in {run[1]}: "
    with pytest.raises(UserError, match=re.escape(line)):
        train(splits, run[1], resume=True)


def test_data_that_changed_since(splits, copy):
    fewer = replace(splits, test=splits.test[:1])
    with pytest.raises(UserError, match="seed-4 with other settings or data: got data"):
        train(fewer, copy, resume=True)


def test_a_damaged_report(splits, copy):
    (copy / "seed-4" / "report.json").write_text("{")
    line = f"cannot read {copy}/seed-4/report.json: "
    with pytest.raises(UserError, match=re.escape(line)):
        train(splits, copy, resume=True)
